package audit_test

import (
	"testing"
	"time"

	"samla/internal/audit"
	"samla/internal/consent"
)

func TestOfChange_RecordsWhatPermitsLess(t *testing.T) {
	before := given(consent.Authorized)
	before.Granted = &consent.Scope{AccountIDs: []string{iban, iban}, Balances: true}
	for what, c := range map[string]struct {
		change func(*consent.Consent)
		want   bool
	}{
		"nothing":        {func(c *consent.Consent) { c.Rev++; c.WakeAt = start }, false},
		"shortened":      {func(c *consent.Consent) { c.ExpiresAt = c.ExpiresAt.Add(-time.Minute) }, true},
		"signed earlier": {func(c *consent.Consent) { c.SCAExpiresAt = start }, true},
		"fewer accounts": {func(c *consent.Consent) { c.Granted = &consent.Scope{AccountIDs: []string{iban}, Balances: true} }, true},
		"no balances":    {func(c *consent.Consent) { c.Granted = &consent.Scope{AccountIDs: []string{iban, iban}} }, true},
		"another status": {func(c *consent.Consent) { c.Status, c.ExpiresAt = consent.Expired, start }, false},
	} {
		after := before
		c.change(&after)
		e, ok := audit.OfChange(ids, before, after, start)
		if ok != c.want || ok && e.Kind != string(audit.ConsentChanged) {
			t.Errorf("%s: %v, %+v", what, ok, e)
		}
	}
}

func TestEntry_OfOperatorAndErasure(t *testing.T) {
	for _, c := range []struct {
		entry        audit.Entry
		kind, detail string
	}{
		{audit.OfCommand(ids, "jobs resume", map[string]string{"queue": "outbox", "id": "x"}, start), "OPERATOR_COMMAND", `{"command":"jobs resume","of":{"id":"x","queue":"outbox"}}`},
		{audit.OfErasure(ids, "client", "user", start), "USER_ERASED", `{}`},
		{audit.Access{ClientID: "c", KeyID: "k", AccountIDs: []string{"SE4550000000058398257466", "g0000000-0000-7000-8000-000000000001"}, Route: "listAccounts", Basis: audit.ByConsent}.Entry(ids, start),
			"DATA_READ", `{"by":"API_KEY","keyId":"k","accounts":2,"route":"listAccounts","basis":"CONSENT"}`},
	} {
		if c.entry.Kind != c.kind || string(c.entry.Detail) != c.detail {
			t.Errorf("%s: %s", c.entry.Kind, c.entry.Detail)
		}
	}
}
