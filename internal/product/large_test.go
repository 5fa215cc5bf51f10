package product_test

import (
	"strings"
	"testing"

	"samla/internal/product"
)

// largeInvestment is a custody account with 500 holdings and 5 000 transactions, as a
// source gives it.
func largeInvestment() []byte {
	const holding = `{"acquisitionValue":{"amount":18883.51,"currency":"SEK"},"feeVariable":0.002,"isin":"SE0001718388","name":"Avanza Zero","quantity":54.076858,"type":"FUND","value":{"amount":22468.39,"currency":"SEK"}}`
	const buy = `{"amount":{"amount":10.32,"currency":"SEK"},"commission":{"amount":1,"currency":"SEK"},"instrumentInformation":{"isin":"SE0005188836","name":"LF Global","priceInAccountCurrency":{"amount":10.32,"currency":"SEK"},"type":"FUND"},"quantity":204.33,"settlementDate":"2024-01-01","tradeDate":"2024-01-01","type":"BUY"}`
	return []byte(`{"type":"CUSTODY_ACCOUNT","productNumber":"1234567","holdings":[` + strings.Repeat(holding+",", 499) + holding +
		`],"transactions":[` + strings.Repeat(buy+",", 4999) + buy + `]}`)
}

func BenchmarkFromSource(b *testing.B) {
	in := largeInvestment()
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		if p, report := product.FromSource(in); p == nil || len(report.Problems) > 0 {
			b.Fatal(report)
		}
	}
}

func BenchmarkAppend_LargeInvestment(b *testing.B) {
	p, _ := product.FromSource(largeInvestment())
	var out []byte
	var err error
	b.ReportAllocs()
	for b.Loop() {
		if out, err = product.Append(out[:0], p); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(out)))
}
