package nordea_test

import (
	"net/url"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"samla/internal/consent"
	"samla/internal/institution"
)

// keyOf returns the continuation_key of a question.
func keyOf(q institution.Question) string {
	v, _ := url.ParseQuery(q.Detail)
	return v.Get("key")
}

// Whatever the bank answers, reading it gives facts that are bounded by what was asked,
// the same each time, or the error for an answer that cannot be understood.
func FuzzRead(f *testing.F) {
	for _, s := range []string{accounts, rows, cards, cardRows, granted, `{}`, `{"response":{"accounts":[{"_id":7,"account_numbers":{"a":1},"booked_balance":1e999}]}}`,
		`{"response":{"transactions":[{"amount":-0,"booking_date":"2026-02-30","status":null}]},"group_header":{"message_pagination":"x"}}`, "\xef\xbb\xbf{}", `{"response":{"cards":[{"id":"\u0000"}]}}`} {
		f.Add([]byte(s))
	}
	b := newReader(f)
	questions := append(b.Start(full, since), transactions("account/1"), transactions("card/1"))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, q := range questions {
			a := institution.Answer{Question: q, Body: body, FetchedAt: noon}
			r, err := b.Read(a)
			if err != nil {
				if institution.KindOf(err) != institution.MalformedResponse {
					t.Error(err)
				}
				continue
			}
			if again, err := b.Read(a); err != nil || !reflect.DeepEqual(again, r) {
				t.Error("another reading of the same answer")
			}
			for _, account := range r.Facts.Accounts {
				for _, s := range []string{account.ID, account.IBAN, account.BBAN, account.MaskedPAN, account.OwnerName, account.Product, account.Type} {
					if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' }) {
						t.Errorf("%q", s)
					}
				}
				if account.Key == "account/" || account.Key == "card/" {
					t.Error("an account without a key")
				}
			}
			for _, h := range r.Facts.Histories {
				for i := range h.Transactions {
					if day := h.Transactions[i].Day(); !day.IsZero() && day.Format("2006-01-02") < since {
						t.Errorf("a row of %s", day)
					}
				}
			}
			for _, next := range r.Questions {
				if next.Kind == q.Kind && next.Detail == q.Detail && next.Account == q.Account {
					t.Error("a question that leads to itself")
				}
			}
		}
	})
}

// The id of a consent comes from the store; what is not ours is refused.
func FuzzConsentID(f *testing.F) {
	s := newReader(f)
	opened, err := s.OpenConsent(f.Context(), institution.OpenRequest{RequestID: "r-1", Scope: full, ValidUntil: noon.AddDate(100, 0, 0)})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(opened.ConsentID))
	f.Add("r-1.e30")
	f.Add("..")
	f.Fuzz(func(t *testing.T, id string) {
		info, err := s.Consent(t.Context(), institution.Access{ConsentID: consent.RemoteID(id)})
		if err != nil && institution.KindOf(err) != institution.ConsentGone {
			t.Error(err)
		}
		if err == nil && info.State != institution.ConsentPending && info.State != institution.ConsentExpired {
			t.Errorf("%+v", info)
		}
	})
}
