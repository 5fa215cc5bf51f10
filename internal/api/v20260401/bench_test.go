package v20260401_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"samla/internal/wire"
)

func BenchmarkReadBody(b *testing.B) {
	for name, tc := range map[string]struct{ op, body string }{
		"user":       {"createUser", `{"externalId":"customer-4711"}`},
		"consent":    {"createConsent", consent(aisWith(`"psuLocale":"sv-SE","validUntil":"2026-12-31","balances":true,"accountIds":[]`) + "," + bankid)},
		"documented": {"createConsent", `{"company":"se-nordea","parameters":[{"accountIds":["SE1234567890"],"balances":true,"psuIpAddress":"192.168.1.1","psuLocale":"sv-SE","transactions":true,"type":"PSD2_AIS_CONSENT","validUntil":"2026-12-31"}]}`},
		"collection": {"initiateCollection", `{"company":"se-demo-psd2","parameters":[` + stored + `]}`},
	} {
		b.Run(name, func(b *testing.B) {
			op := contract(b).Operation(tc.op)
			r := httptest.NewRequest(http.MethodPost, "/", nil)
			r.Header.Set("Content-Type", "application/json")
			body := strings.NewReader("")
			b.ReportAllocs()
			for b.Loop() {
				body.Reset(tc.body)
				r.Body = nopCloser{body}
				r.ContentLength = int64(len(tc.body))
				if _, f := op.ReadBody(r); f != nil {
					b.Fatal(f)
				}
			}
		})
	}
}

type nopCloser struct{ *strings.Reader }

func (nopCloser) Close() error { return nil }

// The cost of the first call of Contract.
func BenchmarkLoad(b *testing.B) {
	text, err := contract(b).Strict()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := wire.Load(text); err != nil {
			b.Fatal(err)
		}
	}
}
