package authorize_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"samla/internal/authorize"
	"samla/internal/clock/clocktest"
	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/store"
)

// Workers of two nodes need a token at once: one of them replaces it.
func TestAccess_OneWorkerReplacesTheToken(t *testing.T) {
	b := newRedirected(t)
	c := b.authorized()
	b.Clock.Advance(time.Hour)
	nodes := []*authorize.Service{b.Service, b.node()}
	release := make(chan struct{})
	b.bank.onRefresh = func(int, institution.Access) (institution.Tokens, error) {
		<-release
		return *b.tokens("2"), nil
	}
	const workers = 16
	got := make(chan institution.Access, workers)
	var all sync.WaitGroup
	for i := range workers {
		all.Go(func() {
			a, _, err := nodes[i%2].Access(context.Background(), c, "")
			if err != nil {
				t.Error(err)
			}
			got <- a
		})
	}
	clocktest.Waiting(t, b.Clock, workers-1, "all but the one that replaces it")
	close(release)
	clocktest.Poll(t, "the tokens are stored", func() bool { // the mark is good for 30 s of this clock
		return b.secret(b.Consent(c.ID)).Refreshing == nil
	})
	b.Clock.Advance(100 * time.Millisecond)
	all.Wait()
	for range workers {
		if a := <-got; a.Token != "access-2" || a.Refresh != "refresh-2" {
			t.Errorf("a worker got %q", a.Token)
		}
	}
	if n := len(b.bank.refreshed); n != 1 {
		t.Errorf("%d requests for tokens", n)
	}
}

func TestAccess_ReplacesOnlyWhatIsStaleOrRefused(t *testing.T) {
	b := newRedirected(t)
	c := b.authorized()
	for _, step := range []struct {
		name, refused, want string
		after               time.Duration
		requests            int
	}{
		{"fresh", "", "access-1", 0, 0},
		{"refused is an older one", "access-0", "access-1", 0, 0},
		{"refused", "access-1", "access-2", 0, 1},
		{"refused by a slower worker", "access-1", "access-2", 0, 1},
		{"before the margin", "", "access-2", time.Hour - consent.TokenMargin - time.Second, 1},
		{"in the margin", "", "access-2", time.Second, 2},
	} {
		b.Clock.Advance(step.after)
		a, _, err := b.Access(t.Context(), b.Consent(c.ID), step.refused)
		if err != nil || a.Token != step.want || len(b.bank.refreshed) != step.requests {
			t.Errorf("%s: %q, %v after %d requests", step.name, a.Token, err, len(b.bank.refreshed))
		}
	}
}

// A collection knows the consent by a view, which does not say when the row is due
// (store.StatusReader). The row stays due all the same.
func TestAccess_LeavesTheConsentDue(t *testing.T) {
	b := newRedirected(t)
	c := b.authorized()
	view, err := b.Store.ConsentStatus(t.Context(), c.ID)
	if err != nil || !view.WakeAt.IsZero() || c.WakeAt.IsZero() {
		t.Fatalf("due at %s, %v", c.WakeAt, err)
	}
	if _, _, err := b.Access(t.Context(), view.Consent, "access-1"); err != nil {
		t.Fatal(err)
	}
	if got := b.Consent(c.ID).WakeAt; !got.Equal(c.WakeAt) {
		t.Errorf("due at %s, before at %s", got, c.WakeAt)
	}
	b.bank.onRefresh = func(int, institution.Access) (institution.Tokens, error) {
		return institution.Tokens{}, &institution.Error{Kind: institution.ConsentGone}
	}
	if view, err = b.Store.ConsentStatus(t.Context(), c.ID); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.Access(t.Context(), view.Consent, "access-2"); err == nil {
		t.Error("no error for a denied grant")
	}
	if got, latest := b.Consent(c.ID).WakeAt, b.Clock.Now().Add(consent.DenialConfirmedAfter+time.Minute); got.IsZero() || got.After(latest) {
		t.Errorf("the grant is asked for again at %s", got)
	}
}

// A bank that gives no new refresh token keeps the old one. One that no longer gives an
// expiry is asked again after a safe time.
func TestAccess_KeepsTheRefreshToken(t *testing.T) {
	b := newRedirected(t)
	c := b.authorized()
	b.bank.onRefresh = func(int, institution.Access) (institution.Tokens, error) {
		return institution.Tokens{Access: "access-2"}, nil
	}
	if a, _, err := b.Access(t.Context(), c, "access-1"); err != nil || a.Token != "access-2" || a.Refresh != "refresh-1" {
		t.Errorf("%+v, %v", a, err)
	}
	for _, step := range []struct {
		after    time.Duration
		requests int
	}{{consent.UntoldLife - consent.TokenMargin - time.Second, 1}, {time.Second, 2}, {24 * time.Hour, 3}} {
		b.Clock.Advance(step.after)
		if a, _, err := b.Access(t.Context(), b.Consent(c.ID), ""); err != nil || a.Token != "access-2" || len(b.bank.refreshed) != step.requests {
			t.Errorf("%+v, %v after %d requests", a, err, len(b.bank.refreshed))
		}
	}
}

// The mark of a worker that has died is taken over, and the request is sent once more.
func TestAccess_TakesOverFromADeadWorker(t *testing.T) {
	b := newRedirected(t)
	c := b.authorized()
	answer := b.bank.onRefresh
	b.bank.onRefresh = func(n int, a institution.Access) (institution.Tokens, error) {
		if n == 1 {
			panic(errKilled)
		}
		return answer(n, a)
	}
	func() {
		defer func() { _ = recover() }()
		_, _, _ = b.Access(context.Background(), c, "access-1")
	}()
	node := b.node()
	var a institution.Access
	err := b.Run(t.Context(), func(ctx context.Context, _ string) (err error) {
		a, _, err = node.Access(ctx, b.Consent(c.ID), "access-1")
		return err
	}, "")
	if err != nil || a.Token != "access-2" || len(b.bank.refreshed) != 2 || b.bank.refreshed[1] != "refresh-1" {
		t.Errorf("%+v, %v after %d requests", a, err, len(b.bank.refreshed))
	}
}

// A lost answer is repeated once, and then not before an hour.
func TestAccess_RepeatsALostAnswerOnce(t *testing.T) {
	b := newRedirected(t)
	c := b.authorized()
	b.bank.onRefresh = func(int, institution.Access) (institution.Tokens, error) {
		return institution.Tokens{}, kind(institution.Unreachable)
	}
	for range 5 {
		if _, _, err := b.Access(t.Context(), b.Consent(c.ID), "access-1"); institution.KindOf(err) != institution.Unreachable {
			t.Fatal(err)
		}
		b.Clock.Advance(time.Minute)
	}
	if n := len(b.bank.refreshed); n != 2 {
		t.Errorf("%d requests", n)
	}
	b.Clock.Advance(time.Hour)
	_, _, _ = b.Access(t.Context(), b.Consent(c.ID), "access-1")
	if n := len(b.bank.refreshed); n != 3 {
		t.Errorf("%d requests after an hour", n)
	}
}

// A request that was not sent, or was answered, is not lost: it does not count, and nobody
// is waited for.
func TestAccess_CountsOnlyLostAnswers(t *testing.T) {
	for name, cause := range map[string]error{"not sent": &institution.Error{Kind: institution.Unreachable, NotSent: true},
		"busy": kind(institution.Busy), "closed": &institution.Error{Kind: institution.Unreachable, HTTPStatus: 503},
		"refused": kind(institution.CertificateRejected), "denied": kind(institution.ConsentGone)} {
		b := newRedirected(t)
		c := b.authorized()
		b.bank.onRefresh = func(int, institution.Access) (institution.Tokens, error) { return institution.Tokens{}, cause }
		for n := range 4 {
			if _, _, err := b.Access(t.Context(), b.Consent(c.ID), "access-1"); err == nil || len(b.bank.refreshed) != n+1 {
				t.Errorf("%s: %v after %d requests", name, err, len(b.bank.refreshed))
			}
			if mark := b.secret(b.Consent(c.ID)).Refreshing; mark != nil {
				t.Fatalf("%s: somebody is waited for", name)
			}
		}
	}
}

// Only a refusal of the grant that is repeated ends the consent.
func TestAccess_EndsWhenTheGrantIsDeniedTwice(t *testing.T) {
	b := newRedirected(t)
	c := b.authorized()
	b.bank.onRefresh = func(int, institution.Access) (institution.Tokens, error) {
		return institution.Tokens{}, kind(institution.ConsentGone)
	}
	b.Clock.Advance(2 * time.Hour)
	if _, _, err := b.Access(t.Context(), c, ""); institution.KindOf(err) != institution.Unreachable {
		t.Fatalf("the first denial is %v", err)
	}
	if c = b.Consent(c.ID); c.Status != consent.Authorized || c.WakeAt.Sub(b.Clock.Now()) > consent.DenialConfirmedAfter+time.Minute {
		t.Fatalf("%s, checked at %s", c.Status, c.WakeAt)
	}
	b.Clock.Set(c.WakeAt)
	b.MustRun(b.Handle, string(c.ID))
	b.checkEnd(b.Consent(c.ID), consent.Revoked, "")
	if n := len(b.bank.refreshed); n != 2 {
		t.Errorf("%d requests", n)
	}
}

// A bank whose consents do not say that their tokens have ended (docs/reference/families.md
// 4.2 step 8) is asked for tokens again, although the old ones have time left.
func TestCheckDaily_ConfirmsADenialWhereTheConsentIsStillValid(t *testing.T) {
	b := newRedirected(t)
	c := b.authorized()
	b.bank.onRefresh = func(int, institution.Access) (institution.Tokens, error) {
		return institution.Tokens{}, kind(institution.ConsentGone)
	}
	if _, _, err := b.Access(t.Context(), c, "access-1"); institution.KindOf(err) != institution.Unreachable {
		t.Fatalf("the first denial is %v", err)
	}
	c = b.Consent(c.ID)
	b.Clock.Set(c.WakeAt)
	b.MustRun(b.Handle, string(c.ID))
	b.checkEnd(b.Consent(c.ID), consent.Revoked, "")
}

// A bank that denies the grants of many persons at once has an outage: it is not asked,
// and no consent ends by it.
func TestAccess_DoesNotEndConsentsInAnOutage(t *testing.T) {
	b := newRedirected(t)
	var all []consent.Consent
	for range 20 {
		all = append(all, b.authorized())
	}
	answer := b.bank.onRefresh
	b.bank.onRefresh = func(int, institution.Access) (institution.Tokens, error) {
		return institution.Tokens{}, kind(institution.ConsentGone)
	}
	b.Clock.Advance(2 * time.Hour)
	for range 8 {
		for _, c := range all {
			_, _, _ = b.Access(t.Context(), b.Consent(c.ID), "access-1")
			if c = b.Consent(c.ID); !c.WakeAt.After(b.Clock.Now()) {
				b.MustRun(b.Handle, string(c.ID))
			}
		}
		b.Clock.Advance(6 * time.Minute)
	}
	asked := len(b.bank.refreshed)
	if asked > 60 {
		t.Errorf("the bank was asked %d times", asked)
	}
	b.bank.onRefresh = answer
	b.Clock.Advance(time.Hour)
	_, _, _ = b.Access(t.Context(), b.Consent(all[0].ID), "access-1")
	for _, c := range all {
		a, _, err := b.Access(t.Context(), b.Consent(c.ID), "access-1")
		if err != nil || a.Token != "access-2" {
			t.Fatalf("after the outage %q, %v; the consent is %s", a.Token, err, b.Consent(c.ID).Status)
		}
	}
}

// A collection asks again for each part that it reads. That one consent is refused so often
// is no outage: its person has ended it.
func TestAccess_OneConsentIsNoOutage(t *testing.T) {
	b := newRedirected(t)
	c := b.authorized()
	b.bank.onRefresh = func(int, institution.Access) (institution.Tokens, error) {
		return institution.Tokens{}, kind(institution.ConsentGone)
	}
	b.Clock.Advance(2 * time.Hour)
	for range 8 {
		_, _, _ = b.Access(t.Context(), b.Consent(c.ID), "access-1")
	}
	b.Clock.Advance(consent.DenialConfirmedAfter + time.Minute)
	b.MustRun(b.Handle, string(c.ID))
	if c = b.Consent(c.ID); c.Status != consent.Revoked {
		t.Errorf("the consent is %s", c.Status)
	}
}

func TestAccess_WithoutARefreshTokenNothingReplacesIt(t *testing.T) {
	b := newRedirected(t)
	b.bank.onComplete = func(int, institution.Completion) (institution.Completed, error) {
		b.bank.signed.Store(true)
		return institution.Completed{State: institution.AuthorizationDone, Tokens: &institution.Tokens{Access: "access-1"}}, nil
	}
	c := b.authorized()
	if _, _, err := b.Access(t.Context(), c, "access-1"); institution.KindOf(err) != institution.TokenRefused {
		t.Error(err)
	}
	if a, _, err := b.Access(t.Context(), c, ""); err != nil || a.Token != "access-1" {
		t.Error(a.Token, err)
	}
}

// The consent ends while its tokens are replaced: the new ones are revoked too.
func TestAccess_RevokesTokensOfAConsentThatHasEnded(t *testing.T) {
	b := newRedirected(t)
	c := b.authorized()
	b.bank.onRefresh = func(int, institution.Access) (institution.Tokens, error) {
		if _, err := b.Revoke(context.Background(), b.User.ClientID, b.User.ID, c.ID); err != nil {
			t.Error(err)
		}
		return *b.tokens("2"), nil
	}
	if _, _, err := b.Access(t.Context(), c, "access-1"); err == nil {
		t.Error("an access to a consent that has ended")
	}
	for _, id := range b.dueMessages() {
		if err := b.deliver(id); err != nil {
			t.Fatal(err)
		}
	}
	tokens := map[string]bool{}
	for _, a := range b.bank.revoked {
		tokens[a.Token] = true
	}
	if !tokens["access-2"] {
		t.Errorf("revoked are %v", tokens)
	}
}

// A message that tells the bank of the end replaces its token when it has run out, and
// keeps the new one.
func TestDeliver_ReplacesTheToken(t *testing.T) {
	b := newRedirected(t)
	c := b.authorized()
	if _, err := b.Revoke(t.Context(), b.User.ClientID, b.User.ID, c.ID); err != nil {
		t.Fatal(err)
	}
	b.bank.onRevoke = func(n int) error {
		switch {
		case b.bank.revoked[n-1].Token == "access-1":
			return kind(institution.TokenRefused)
		case n == 2:
			return kind(institution.Unreachable)
		}
		return nil
	}
	ids := b.dueMessages()
	for range 2 {
		if err := b.deliver(ids[0]); err != nil {
			t.Fatal(err)
		}
	}
	if _, left := b.message(ids[0]); left || len(b.bank.refreshed) != 1 || len(b.bank.revoked) != 3 || b.bank.revoked[2].Token != "access-2" {
		t.Errorf("%d revocations, %d requests for tokens", len(b.bank.revoked), len(b.bank.refreshed))
	}
}

// One refusal of the refresh token of a message is not believed: the bank would keep what was
// revoked.
func TestDeliver_BelievesTheSecondRefusalOfATokensReplacement(t *testing.T) {
	b := newRedirected(t)
	c := b.authorized()
	if _, err := b.Revoke(t.Context(), b.User.ClientID, b.User.ID, c.ID); err != nil {
		t.Fatal(err)
	}
	b.bank.onRevoke = func(int) error { return kind(institution.TokenRefused) }
	b.bank.onRefresh = func(int, institution.Access) (institution.Tokens, error) {
		return institution.Tokens{}, kind(institution.ConsentGone)
	}
	id := b.dueMessages()[0]
	for i, left := range []bool{true, false} {
		if err := b.deliver(id); err != nil {
			t.Fatal(err)
		}
		m, is := b.message(id)
		if is != left || left && !m.WakeAt.Equal(m.CreatedAt.Add(consent.DenialConfirmedAfter)) {
			t.Fatalf("%d: the message is there: %t, due at %s", i, is, m.WakeAt)
		}
		b.Clock.Advance(consent.DenialConfirmedAfter)
	}
	if len(b.bank.refreshed) != 2 {
		t.Errorf("%d requests for tokens", len(b.bank.refreshed))
	}
}

func TestCheckDaily_ReplacesARefusedToken(t *testing.T) {
	b := newRedirected(t)
	c := b.authorized()
	onRead := b.bank.onRead
	refused := false
	b.bank.onRead = func(n int) (institution.ConsentInfo, error) {
		if !refused {
			refused = true
			return institution.ConsentInfo{}, kind(institution.TokenRefused)
		}
		return onRead(n)
	}
	b.Clock.Set(c.WakeAt)
	b.MustRun(b.Handle, string(c.ID))
	if c = b.Consent(c.ID); c.Status != consent.Authorized || b.secret(c).Tokens.Access != "access-2" {
		t.Errorf("%s with %q", c.Status, b.secret(c).Tokens.Access)
	}
}

// The key of the person is destroyed while the tokens are replaced: the new ones are
// revoked, with what they belong to.
func TestAccess_RevokesTokensOfAPersonWhoWasErased(t *testing.T) {
	b := newRedirected(t)
	c := b.authorized()
	b.bank.onRefresh = func(int, institution.Access) (institution.Tokens, error) {
		b.Write(func(tx store.Tx) error { return tx.DestroyDataKey(b.Context(), b.User.ID, b.Clock.Now()) })
		b.Vault.Evict(b.User.ID)
		return institution.Tokens{Access: "access-2"}, nil
	}
	if _, _, err := b.Access(t.Context(), c, "access-1"); err == nil {
		t.Error("an access for a person who was erased")
	}
	for _, id := range b.dueMessages() {
		if err := b.deliver(id); err != nil {
			t.Fatal(err)
		}
	}
	if got := b.bank.revoked; len(got) != 1 || got[0].ConsentID != "bank-1" || got[0].Token != "access-2" || got[0].Refresh != "refresh-1" {
		t.Errorf("%d revocations", len(got))
	}
}
