package conformance

import (
	"errors"
	"net/url"
	"testing"

	"github.com/google/uuid"

	"samla/internal/consent"
	"samla/internal/institution"
)

// maxExchanges is more completions than an authorization takes.
const maxExchanges = 5

// with returns the access with the tokens, and the name, that the bank has given.
func (s *session) with(a institution.Access) institution.Access {
	if given, ok := s.tokens[a.ConsentID]; ok {
		a.Token, a.Refresh = given.Access, given.Refresh
	}
	if name, ok := s.names[a.ConsentID]; ok {
		a.ConsentID = name
	}
	return a
}

// complete exchanges what an authorization has brought, one exchange after the other, and
// keeps the tokens. It returns the last result.
func (s *session) complete(t *testing.T, access institution.Access, a institution.Authorization, brought url.Values) institution.Completed {
	t.Helper()
	completer, ok := s.Bank.(institution.Completer)
	if !ok {
		t.Fatal("the authorization brings something, and nothing completes it")
	}
	for range maxExchanges {
		given := s.with(access)
		done, err := completer.Complete(t.Context(), institution.Completion{RequestID: uuid.NewString(), ConsentID: access.ConsentID,
			AuthorizationID: a.ID, Link: a.StatusLink, Token: given.Token, Refresh: given.Refresh, PSU: s.Person, Way: s.ways[access.ConsentID], Brought: brought})
		if err != nil {
			t.Fatalf("complete: %v", err)
		}
		if done.Tokens != nil {
			s.keep(access, *done.Tokens)
		}
		if done.Remote != "" {
			s.rename(access, done.Remote)
		}
		if done.State != institution.AuthorizationPending {
			return done
		}
		// An exchange that is committed is not made again: what the next one gets differs.
		if done.Next == nil || done.Next.Encode() == brought.Encode() {
			t.Fatal("a completion that leads nowhere")
		}
		brought = done.Next
	}
	t.Fatal("the completions do not end")
	return institution.Completed{}
}

// keepOpened keeps what a consent was asked for with.
func (s *session) keepOpened(access institution.Access, r institution.OpenRequest) {
	if s.ways == nil {
		s.ways = map[consent.RemoteID]institution.Way{}
	}
	s.ways[access.ConsentID] = r.Way
	if r.Token != "" {
		s.keep(access, s.login)
	}
}

func (s *session) keep(access institution.Access, given institution.Tokens) {
	if s.tokens == nil {
		s.tokens = map[consent.RemoteID]institution.Tokens{}
	}
	s.tokens[access.ConsentID] = s.tokens[access.ConsentID].Replaced(given)
}

// rename keeps the name that the bank has given to a consent.
func (s *session) rename(access institution.Access, name consent.RemoteID) {
	if s.names == nil {
		s.names = map[consent.RemoteID]consent.RemoteID{}
	}
	s.names[access.ConsentID] = name
}

// refreshes replaces the tokens if err says that the bank does not accept them, and reports
// whether it did. If the bank refuses to, err is that refusal.
func (s *session) refreshes(t *testing.T, access institution.Access, err *error) bool {
	t.Helper()
	var refused *institution.Error
	refresher, ok := s.Bank.(institution.Refresher)
	if !ok || !errors.As(*err, &refused) || refused.Kind != institution.TokenRefused || s.with(access).Refresh == "" {
		return false
	}
	given, failed := refresher.Refresh(t.Context(), s.with(access))
	if failed != nil {
		*err = failed
		return false
	}
	s.keep(access, given)
	return true
}

// expectNoAccess fails the test unless err says that the consent gives no access: it has
// ended, or never had the tokens that are its own.
func (s *session) expectNoAccess(t *testing.T, what string, access institution.Access, err error) {
	t.Helper()
	want := institution.ConsentGone
	switch _, given := s.tokens[access.ConsentID]; {
	case s.Expect.Tokens && !given:
		want = institution.TokenRefused
	case s.Expect.TokenOnly && !given:
		want = institution.SCARequired
	}
	expectKind(t, what, err, want)
}
