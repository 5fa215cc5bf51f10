package product_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"samla/internal/money"
	"samla/internal/product"
)

// reflected is a Psd2Account without its methods, so that encoding/json writes it
// by reflection.
type reflected struct {
	plain
	Transactions []plainTransaction `json:"transactions,omitzero"`
}

type (
	plain            product.Psd2Account
	plainTransaction product.Psd2Transaction
)

func withoutMethods(accounts []product.Psd2Account) []reflected {
	all := make([]reflected, len(accounts))
	for i, a := range accounts {
		all[i].plain = plain(a)
		if a.Transactions != nil {
			all[i].Transactions = make([]plainTransaction, len(a.Transactions))
		}
		for j, t := range a.Transactions {
			all[i].Transactions[j] = plainTransaction(t)
		}
	}
	return all
}

func TestAppendPsd2Accounts_MatchesEncodingJSON(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		accounts := rapid.SliceOfN(rapid.Custom(anyAccount), 0, 3).Draw(rt, "accounts")
		want, err := json.Marshal(withoutMethods(accounts))
		if err != nil {
			rt.Fatal(err)
		}
		sameJSON(t, want, product.AppendPsd2Accounts(nil, accounts))
		out, err := json.Marshal(accounts)
		if err != nil {
			rt.Fatal(err)
		}
		sameJSON(t, want, out)
		if t.Failed() {
			rt.Fatal("differs")
		}
	})
}

// Text comes from banks, so it can contain any bytes.
var anyText = rapid.OneOf(rapid.Just(""), rapid.String(), rapid.Just("Kort\x00k\u00f6p \"\\\n\r\t\x1f\x7f<&>\u2028\xff\xc3"))

func anyAmount(t *rapid.T) *money.Amount {
	if rapid.Bool().Draw(t, "absent") {
		return nil
	}
	a := money.Must(rapid.StringMatching(`-?[0-9]{1,14}(\.[0-9]{1,3})?`).Draw(t, "amount"), "SEK")
	return &a
}

func anyAccount(t *rapid.T) product.Psd2Account {
	a := product.Psd2Account{
		Head:              product.Head{ID: anyText.Draw(t, "id"), Type: product.Psd2CreditCard, Company: anyText.Draw(t, "company"), CompanyDisplayName: anyText.Draw(t, "display")},
		AccountID:         anyText.Draw(t, "account"),
		AccountHolderName: anyText.Draw(t, "holder"),
		AccountName:       anyText.Draw(t, "name"),
		AccountNumber:     anyText.Draw(t, "number"),
		IBAN:              anyText.Draw(t, "iban"),
		BIC:               anyText.Draw(t, "bic"),
		Currency:          anyText.Draw(t, "currency"),
		BookedBalance:     anyAmount(t),
		AvailableBalance:  anyAmount(t),
	}
	if rapid.Bool().Draw(t, "person") {
		p := anyText.Draw(t, "member")
		a.PersonalInformation = &product.PersonalInformation{PersonalNumber: p, FirstName: anyText.Draw(t, "first"), LastName: p, Name: p,
			Email: p, PhoneNumber: p, StreetAddress: p, PostalCode: p, City: anyText.Draw(t, "city"), Country: p}
	}
	if rapid.Bool().Draw(t, "covered") {
		a.Transactions = rapid.SliceOfN(rapid.Custom(anyTransaction), 0, 3).Draw(t, "transactions")
	}
	return a
}

func anyTransaction(t *rapid.T) product.Psd2Transaction {
	tx := product.Psd2Transaction{
		TransactionID:    anyText.Draw(t, "transaction"),
		AccountID:        anyText.Draw(t, "account"),
		Status:           rapid.SampledFrom([]product.Status{product.Booked, product.Pending}).Draw(t, "status"),
		CounterpartyName: anyText.Draw(t, "counterparty"),
		Description:      anyText.Draw(t, "description"),
	}
	if amount := anyAmount(t); amount != nil {
		tx.Amount = *amount
	}
	tx.Direction = product.DirectionOf(tx.Amount)
	if seconds := rapid.Int64Range(0, 4e9).Draw(t, "at"); seconds%2 == 0 {
		at := time.UnixMilli(seconds * 1000).UTC()
		tx.CreatedAt, tx.BookingDate = product.At(at), product.DateOf(at)
	}
	return tx
}

func TestPsd2Transaction_DirectionDeterminesSign(t *testing.T) {
	for in, want := range map[string]string{
		`"amount":{"amount":45.50,"currency":"SEK"},"direction":"DEBIT","status":"BOOKED"`:   `"amount":{"amount":-45.50,"currency":"SEK"},"direction":"DEBIT","status":"BOOKED"`,
		`"amount":{"amount":-45.50,"currency":"SEK"},"direction":"CREDIT","status":"BOOKED"`: `"amount":{"amount":45.50,"currency":"SEK"},"direction":"CREDIT","status":"BOOKED"`,
		`"amount":{"amount":-45.50,"currency":"SEK"},"status":"HELD"`:                        `"amount":{"amount":-45.50,"currency":"SEK"},"direction":"DEBIT","status":"PENDING"`,
		`"amount":{"amount":0,"currency":"SEK"},"direction":"SIDEWAYS","status":null`:        `"amount":{"amount":0,"currency":"SEK"},"direction":"CREDIT","status":"PENDING"`,
	} {
		var tx product.Psd2Transaction
		if err := json.Unmarshal([]byte(`{"accountId":"a",`+in+`}`), &tx); err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		sameJSON(t, []byte(`{"accountId":"a",`+want+`}`), tx.AppendJSON(nil))
	}
	// Without direction and status, documented values are written.
	tx := product.Psd2Transaction{Amount: money.Must("-1", "SEK")}
	sameJSON(t, []byte(`{"accountId":"","amount":{"amount":-1,"currency":"SEK"},"direction":"DEBIT","status":"PENDING"}`), tx.AppendJSON(nil))
}

// Transactions are omitted when the consent does not cover them, and [] when there
// are none.
func TestPsd2Account_AbsentAndEmptyTransactionsDiffer(t *testing.T) {
	absent := product.Psd2Account{AccountID: "a"}
	empty := product.Psd2Account{AccountID: "a", Transactions: []product.Psd2Transaction{}}
	const start = `{"id":"","type":"","company":"","companyDisplayName":"","accountId":"a"`
	if got := string(absent.AppendJSON(nil)); got != start+`}` {
		t.Errorf("got %s", got)
	}
	if got := string(empty.AppendJSON(nil)); got != start+`,"transactions":[]}` {
		t.Errorf("got %s", got)
	}
}

func manyAccounts(transactions int) []product.Psd2Account {
	booked := money.Must("12500.00", "SEK")
	accounts := make([]product.Psd2Account, 4)
	at := time.Date(2026, 11, 20, 9, 21, 44, 512e6, time.UTC)
	for i := range accounts {
		a := &accounts[i]
		*a = product.Psd2Account{Head: product.Head{ID: fmt.Sprint("id-", i), Type: product.Psd2CheckingAccount, Company: "se-nordea", CompanyDisplayName: "Nordea"},
			AccountID: fmt.Sprint("acc-", i), AccountName: "L\u00f6nekonto", Currency: "SEK", BookedBalance: &booked, AvailableBalance: &booked}
		for j := range transactions / len(accounts) {
			a.Transactions = append(a.Transactions, product.Psd2Transaction{TransactionID: fmt.Sprint("tx-", j), AccountID: a.AccountID,
				Amount: money.Must(fmt.Sprintf("-%d.%02d", j, j%100), "SEK"), Direction: product.Debit, Status: product.Booked,
				BookingDate: product.DateOf(at), CreatedAt: product.At(at.Add(-time.Duration(j) * time.Hour)),
				CounterpartyName: "ICA Supermarket S\u00f6dermalm", Description: "Kortk\u00f6p 2026-11-20"})
		}
	}
	return accounts
}

func TestAppendPsd2Accounts_DoesNotAllocate(t *testing.T) {
	accounts := manyAccounts(4000)
	out := product.AppendPsd2Accounts(nil, accounts)
	want, err := json.Marshal(withoutMethods(accounts))
	if err != nil {
		t.Fatal(err)
	}
	sameJSON(t, want, out)
	if allocs := testing.AllocsPerRun(5, func() { out = product.AppendPsd2Accounts(out[:0], accounts) }); allocs > 0 {
		t.Errorf("%v allocations for 4000 transactions into a buffer that is large enough", allocs)
	}
}

func BenchmarkAppendPsd2Accounts(b *testing.B) {
	accounts := manyAccounts(4000)
	out := product.AppendPsd2Accounts(nil, accounts)
	b.SetBytes(int64(len(out)))
	b.ReportAllocs()
	for b.Loop() {
		out = product.AppendPsd2Accounts(out[:0], accounts)
	}
}

func BenchmarkReflectPsd2Accounts(b *testing.B) {
	accounts := withoutMethods(manyAccounts(4000))
	out, err := json.Marshal(accounts)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(out)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := json.Marshal(accounts); err != nil {
			b.Fatal(err)
		}
	}
}
