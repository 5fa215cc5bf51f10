package conformance_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/google/uuid"

	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/institution/conformance"
	"samla/internal/institution/nordea"
	"samla/internal/nordeaspec"
	"samla/internal/psu"
)

// asking is an oracle that remembers the agreements that the bank lets persons choose from.
type asking struct {
	oracle
	offered []string
}

func (a *asking) Transport(next http.RoundTripper, report func(error)) http.RoundTripper {
	return listening{a.oracle.Transport(next, report), a}
}

type listening struct {
	http.RoundTripper
	to *asking
}

func (l listening) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := l.RoundTripper.RoundTrip(r)
	if err != nil || resp.StatusCode != http.StatusConflict {
		return resp, err
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	var question struct{ Agreements []struct{ ID string } }
	if json.Unmarshal(body, &question) == nil {
		for _, agreement := range question.Agreements {
			l.to.offered = append(l.to.offered, agreement.ID)
		}
	}
	return resp, nil
}

// A company with several agreements is read by the one that the entry names.
func TestNordea_ReadsTheAgreementOfACompany(t *testing.T) {
	o := &asking{oracle: nordeaspec.New(t, "https://sandbox/"+nordeaBank, nordeaspec.Files)}
	w := newWorld(t, nordeaBank, o)
	company := func(agreement string) (*nordea.Bank, institution.Access, institution.Completed) {
		b := w.nordea(t, func(c *nordea.Config) { c.Base, c.CompanyID, c.Agreement = "business", "5566778899", agreement })
		access, done := w.sign(t, b)
		return b, access, done
	}
	if _, _, done := company(""); done.State != institution.AuthorizationFailed || done.Failure != consent.Rejected || len(o.offered) != 2 {
		t.Fatalf("without a choice: %+v, the bank offers %d", done, len(o.offered))
	}
	seen := map[string]bool{}
	for _, agreement := range o.offered[:2] {
		b, access, done := company(agreement)
		if done.State != institution.AuthorizationDone || done.Tokens == nil {
			t.Fatalf("%+v", done)
		}
		access.Token = done.Tokens.Access
		answer, err := b.Fetch(t.Context(), access, b.Start(consent.Scope{Balances: true, Transactions: true}, "2026-08-25")[0])
		if err != nil {
			t.Fatal(err)
		}
		read, err := b.Read(answer)
		if err != nil || len(read.Facts.Accounts) == 0 || len(read.Deviations) != 0 {
			t.Fatalf("%+v, %v", read, err)
		}
		for _, key := range keysOf(read) {
			if seen[key] {
				t.Error("an account is among those of both agreements")
			}
			seen[key] = true
		}
	}
}

// sign lets the person sign a consent with BankID, and completes it.
func (w *world) sign(t *testing.T, b *nordea.Bank) (institution.Access, institution.Completed) {
	t.Helper()
	person := psu.Context{PersonalNumber: maja, IPAddress: "192.0.2.7", UserAgent: "Test/1.0", Locale: "sv-SE"}
	opened, err := b.OpenConsent(t.Context(), institution.OpenRequest{RequestID: uuid.NewString(), PSU: person, Recurring: true,
		Scope: consent.Scope{Balances: true, Transactions: true}, ValidUntil: noon.AddDate(0, 0, 90)})
	if err != nil {
		t.Fatal(err)
	}
	access := institution.Access{ConsentID: opened.ConsentID, PSU: person}
	a, err := b.StartAuthorization(t.Context(), institution.AuthorizeRequest{RequestID: uuid.NewString(), ConsentID: access.ConsentID, PSU: person, OtherDevice: true})
	if err != nil || a.Instructions == nil {
		t.Fatalf("%+v, %v", a, err)
	}
	w.act(t, conformance.Sign, *a.Instructions)
	status, err := b.AuthorizationStatus(t.Context(), access, a.ID, a.StatusLink, true)
	if err != nil || status.Brought == nil {
		t.Fatalf("%+v, %v", status, err)
	}
	done := institution.Completed{Next: status.Brought}
	for done.Next != nil {
		done, err = b.Complete(t.Context(), institution.Completion{RequestID: uuid.NewString(), ConsentID: access.ConsentID, AuthorizationID: a.ID, PSU: person, Brought: done.Next})
		if err != nil {
			t.Fatal(err)
		}
	}
	return access, done
}
