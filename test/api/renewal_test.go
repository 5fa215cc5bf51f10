package api

import (
	"strings"
	"testing"

	"samla/internal/consent"
	"samla/internal/devserver"
	"samla/internal/fault"
	"samla/internal/sandbox/bankid"
)

// renewal is a body of renewConsent.
func renewal(parameters ...object) object { return object{"parameters": parameters} }

// renewed is the answer of renewConsent.
type renewed struct {
	consentObject
	OldConsentEndsAtBank *bool `json:"oldConsentEndsAtBank"`
}

// The old consent works until the person has signed the new one, which then takes its
// place in every request that names one of the two.
func TestRenewal_ReplacesTheConsent(t *testing.T) {
	t.Parallel()
	w := newEnv(t, devserver.Config{})
	w.registerSecrets()
	_, session, old := w.authorizedConsent(t, w.acme)
	path := "/consents/" + old.ConsentID
	var next renewed
	session.post(t, path+"/renew", renewal(scopeParameter()), &next)
	if next.Renews != old.ConsentID || next.Status != "INITIATED" || next.Company != demoBank || next.OldConsentEndsAtBank == nil || *next.OldConsentEndsAtBank {
		t.Fatalf("%+v", next)
	}
	var used collectionStatus
	session.post(t, "/collections", requestBody(demoBank, "", attendedConsent(old.ConsentID)), &used)
	if got := session.finalCollection(t, used.ID); got.Status != "COMPLETED" || used.ConsentID != old.ConsentID {
		t.Errorf("while the person signs: %+v", got)
	}
	w.sign(t, session, next.ConsentID)
	var after, newer consentStatus
	session.get(t, path+"/status", &after)
	session.get(t, "/consents/"+next.ConsentID+"/status", &newer)
	if after.Status != "REVOKED" || after.RenewedBy != next.ConsentID || newer.Renews != old.ConsentID || newer.RenewedBy != "" {
		t.Errorf("old %+v, new %+v", after, newer)
	}
	var listed []consentObject
	session.get(t, "/consents", &listed)
	if len(listed) != 2 || listed[0].Renews != old.ConsentID || listed[1].RenewedBy != next.ConsentID {
		t.Errorf("%+v", listed)
	}
	for _, c := range []client{session, w.acme} {
		for _, id := range []string{old.ConsentID, next.ConsentID} {
			c.post(t, "/collections", requestBody(demoBank, "", attendedConsent(id)), &used)
			if got := c.finalCollection(t, used.ID); got.Status != "COMPLETED" || got.ConsentID != next.ConsentID || used.ConsentID != next.ConsentID {
				t.Errorf("by the id %s: %+v, %+v", id, used, got)
			}
		}
	}
}

// Somebody else than the person of the old consent signs, or is asked to.
func TestRenewal_ByAnotherPerson(t *testing.T) {
	t.Parallel()
	w := newEnv(t, devserver.Config{})
	w.registerSecrets()
	_, session, old := w.authorizedConsent(t, w.acme)
	path := "/consents/" + old.ConsentID
	answer := session.Do(t, "POST", path+"/renew", renewal(scopeParameter(), bankIDParameter(gun)))
	answer.WantProblem(t, fault.InvalidParameter)
	var next renewed
	session.post(t, path+"/renew", renewal(scopeParameter()), &next)
	shown := session.awaitingConsent(t, next.ConsentID)
	w.phone(t, bankid.PhoneAction{Action: bankid.Approve, AutoStartToken: shown.AuthInstructions.AutoStartToken, PersonalNumber: gun})
	if got := session.finalConsent(t, next.ConsentID); got.Error.Code != string(consent.AuthenticationMismatch) {
		t.Errorf("%+v", got)
	}
	var after consentStatus
	if session.get(t, path+"/status", &after); after.Status != "AUTHORIZED" || after.RenewedBy != "" {
		t.Errorf("the old one is %+v", after)
	}
}

// A bank that ends the old consent when the new one is asked for: the answer says so.
func TestRenewal_WhereTheBankEndsTheOldOneOnRequest(t *testing.T) {
	t.Parallel()
	w := newEnv(t, devserver.Config{})
	w.registerSecrets()
	_, session := w.acme.person(t)
	var made consentObject
	session.post(t, "/consents", requestBody(autostartBank, sameDevice, scopeParameter(), bankIDParameter(maja)), &made)
	w.sign(t, session, made.ConsentID)
	var next renewed
	session.post(t, "/consents/"+made.ConsentID+"/renew", renewal(scopeParameter()), &next)
	if next.OldConsentEndsAtBank == nil || !*next.OldConsentEndsAtBank {
		t.Fatalf("%+v", next)
	}
	session.awaitingConsent(t, next.ConsentID)
	// The bank has ended the old consent. A collection under it waits for the signature.
	var used collectionStatus
	session.post(t, "/collections", requestBody(autostartBank, "", attendedConsent(made.ConsentID)), &used)
	w.sign(t, session, next.ConsentID)
	if got := session.finalCollection(t, used.ID); got.Status != "COMPLETED" || got.ConsentID != next.ConsentID {
		t.Errorf("%+v", got)
	}
	var after consentStatus
	if session.get(t, "/consents/"+made.ConsentID+"/status", &after); after.Status != "REVOKED" || after.RenewedBy != next.ConsentID {
		t.Errorf("the old one is %+v", after)
	}
}

func TestRenewal_RefusesInvalidBodies(t *testing.T) {
	t.Parallel()
	w := newEnv(t, devserver.Config{})
	w.registerSecrets()
	_, session, old := w.authorizedConsent(t, w.acme)
	path := "/consents/" + old.ConsentID + "/renew"
	with := func(member string, value any) object {
		p := scopeParameter()
		p[member] = value
		return p
	}
	for name, body := range map[string]any{
		"no parameter":        renewal(),
		"the number alone":    renewal(bankIDParameter(maja)),
		"two scopes":          renewal(scopeParameter(), scopeParameter()),
		"a day that is over":  renewal(with("validUntil", "2020-01-01")),
		"nothing to read":     renewal(object{"type": "PSD2_AIS_CONSENT", "psuIpAddress": address, "balances": false, "transactions": false}),
		"no address":          renewal(object{"type": "PSD2_AIS_CONSENT"}),
		"a false number":      renewal(scopeParameter(), bankIDParameter("190001010000")),
		"an unknown method":   object{"loginMethod": "SMOKE_SIGNALS", "parameters": []object{scopeParameter()}},
		"an account too long": renewal(with("accountIds", []string{strings.Repeat("x", 300)})),
		"parameters of a map": object{"parameters": object{}},
	} {
		if got := session.Do(t, "POST", path, body); got.Status != 400 {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
	_, other := w.acme.person(t)
	for _, c := range []client{other} {
		c.Do(t, "POST", path, renewal(scopeParameter())).WantProblem(t, fault.ConsentNotFound)
	}
	session.Do(t, "POST", "/consents/no-id/renew", renewal(scopeParameter())).WantProblem(t, fault.ConsentNotFound)
	var after consentStatus
	if session.get(t, "/consents/"+old.ConsentID+"/status", &after); after.Status != "AUTHORIZED" {
		t.Errorf("the old one is %+v", after)
	}
}

// The same request with the same Idempotency-Key is one renewal.
func TestRenewal_IsIdempotent(t *testing.T) {
	t.Parallel()
	w := newEnv(t, devserver.Config{})
	w.registerSecrets()
	_, session, old := w.authorizedConsent(t, w.acme)
	again := session.with("Idempotency-Key", "renew once")
	var first, second renewed
	again.post(t, "/consents/"+old.ConsentID+"/renew", renewal(scopeParameter()), &first)
	again.post(t, "/consents/"+old.ConsentID+"/renew", renewal(scopeParameter()), &second)
	if first.ConsentID != second.ConsentID {
		t.Errorf("%s and %s", first.ConsentID, second.ConsentID)
	}
}
