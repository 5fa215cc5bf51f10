package enablebanking_test

import (
	"net/url"
	"testing"
	"time"

	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/institution/enablebanking"
	"samla/internal/visitor"
)

func TestBank_EndsInEachWay(t *testing.T) {
	w := start(t, nil)
	b := w.bank("se-eb-nordea")
	for name, c := range map[string]struct {
		end   func(institution.Access)
		state institution.ConsentState
		kind  institution.ErrorKind
	}{
		"revoked here": {func(a institution.Access) {
			if err := b.Revoke(t.Context(), a); err != nil {
				t.Error(err)
			}
		}, institution.ConsentRevoked, institution.ConsentGone},
		"revoked at the bank": {func(a institution.Access) { _, _ = w.Gateway().Revoke(string(a.ConsentID)) }, institution.ConsentRevoked, institution.ConsentGone},
		"over":                {func(institution.Access) { w.clock.Jump(70 * 24 * time.Hour) }, institution.ConsentExpired, institution.ConsentOver},
	} {
		a := w.sign(b, maja, full)
		before := w.crawl(b, a, full, 30)
		c.end(a)
		if info, err := b.Consent(t.Context(), a); err != nil || info.State != c.state {
			t.Errorf("%s: %+v, %v", name, info, err)
		}
		if after := w.crawl(b, a, full, 30); len(after.refused) != 1 || after.refused[0].Kind != c.kind {
			t.Errorf("%s: %v", name, after.refused)
		}
		for _, q := range before.questions {
			if _, err := b.Fetch(t.Context(), a, q); institution.KindOf(err) != c.kind {
				t.Errorf("%s: %s: %v", name, q.Kind, err)
			}
		}
		if err := b.Revoke(t.Context(), a); err != nil {
			t.Errorf("%s: revoked again: %v", name, err)
		}
	}
	unknown := institution.Access{ConsentID: "4604aaaf-a3a3-4ce6-9b3a-1b7a53a0b0a1", PSU: w.person}
	if _, err := b.Consent(t.Context(), unknown); institution.KindOf(err) != institution.ConsentGone {
		t.Errorf("unknown: %v", err)
	}
	if err := b.Revoke(t.Context(), unknown); err != nil {
		t.Errorf("unknown: %v", err)
	}
}

func TestComplete_TellsWhatThePersonDid(t *testing.T) {
	w := start(t, nil)
	b := w.bank("se-eb-nordea")
	id, a := w.begin(b, full)
	if info, err := b.Consent(t.Context(), institution.Access{ConsentID: id}); err != nil || info.State != institution.ConsentPending {
		t.Errorf("before: %+v, %v", info, err)
	}
	if err := b.Revoke(t.Context(), institution.Access{ConsentID: id}); err != nil {
		t.Errorf("revoked before: %v", err)
	}
	brought := w.visit(a, visitor.Person{Number: maja, Phone: visitor.Approve})
	complete := func(brought url.Values) institution.Completed {
		t.Helper()
		done, err := b.Complete(t.Context(), institution.Completion{ConsentID: id, Way: way, Brought: brought})
		if err != nil {
			t.Fatal(err)
		}
		return done
	}
	code := brought.Get("code")
	before := w.Gateway().Stats().Calls["authorize-session"]
	for name, wrong := range map[string]url.Values{
		"foreign state": {"code": {code}, "state": {"x"}}, "no state": {"code": {code}}, "nothing": {},
		"two codes": {"code": {code, code}, "state": {state}}, "code and error": {"code": {code}, "error": {"access_denied"}, "state": {state}},
		"neither": {"state": {state}}, "two states": {"code": {code}, "state": {state, "x"}}, "control character": {"code": {code + "\n"}, "state": {state}},
	} {
		if done := complete(wrong); done.State != institution.AuthorizationFailed || done.Failure != consent.AuthenticationFailed || done.Remote != "" {
			t.Errorf("%s: %+v", name, done)
		}
	}
	for failure, want := range map[string]consent.FailureCode{
		"access_denied": consent.AuthenticationCancelled, "server_error": consent.BankUnavailable, "moon_not_full": consent.AuthenticationFailed,
	} {
		if done := complete(url.Values{"error": {failure}, "state": {state}, "error_description": {"Å"}}); done.Failure != want {
			t.Errorf("%s: %+v", failure, done)
		}
	}
	if after := w.Gateway().Stats().Calls["authorize-session"]; after != before {
		t.Errorf("%d codes were exchanged", after-before)
	}
	if done := complete(brought); done.State != institution.AuthorizationDone {
		t.Errorf("right: %+v", done)
	}
	if done := complete(brought); done.Failure != consent.AuthenticationFailed {
		t.Errorf("again: %+v", done)
	}
	if done := complete(url.Values{"code": {"unknown"}, "state": {state}}); done.Failure != consent.AuthenticationFailed {
		t.Errorf("unknown code: %+v", done)
	}
	refused := w.visit(func() institution.Authorization { _, a := w.begin(b, full); return a }(), visitor.Person{Number: maja, Phone: visitor.Approve, Refuse: true})
	if done := complete(refused); done.Failure != consent.AuthenticationCancelled {
		t.Errorf("refused: %+v", done)
	}
}

// A code of another bank, which somebody has put into the address, gives no access.
func TestComplete_RefusesCodeOfAnotherBank(t *testing.T) {
	w := start(t, nil)
	_, elsewhere := w.begin(w.bank("se-eb-seb"), full)
	brought := w.visit(elsewhere, visitor.Person{Number: maja, Phone: visitor.Approve})
	done, err := w.bank("se-eb-nordea").Complete(t.Context(), institution.Completion{Way: way, Brought: brought})
	if err != nil || done.State != institution.AuthorizationFailed || done.Failure != consent.AuthenticationFailed {
		t.Errorf("%+v, %v", done, err)
	}
}

func TestStartAuthorization_NamesPersonOnlyIfConfigured(t *testing.T) {
	for _, send := range []bool{false, true} {
		w := start(t, func(c *enablebanking.Config) { c.SendPersonalNumber = send })
		b := w.bank("se-eb-nordea")
		if b.Profile().OpensWithoutNumber == send {
			t.Errorf("send %t: profile %+v", send, b.Profile())
		}
		_, a := w.begin(b, full)
		// The page asks for a number unless it was sent: this visitor has none to give.
		brought := w.visit(a, visitor.Person{Phone: visitor.Approve, SignsAs: "190905271474"})
		if got := brought.Get("code") == ""; got != send {
			t.Errorf("send %t: another person came back with %v", send, brought)
		}
	}
}
