package collect_test

import (
	"context"
	"testing"
	"time"

	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/store"
)

// An attended question that is never answered is asked again in each run, but the
// deadline does not begin again: the collection ends by it.
func TestDeadline_DoesNotBeginAgainWithARun(t *testing.T) {
	for link, want := range map[string]collection.Status{"": collection.ThirdPartyError, "main/2": collection.CompletedPartial} {
		b := newEnv(t)
		c := b.start(b.request(b.authorizedConsent(), "192.0.2.7"))
		run := func() collection.Collection { // until the time of the run is over
			ctx, over := context.WithCancel(t.Context())
			defer over()
			b.bank.fetches = func(_ context.Context, q institution.Question, _ int) error {
				if q.Link == link {
					over()
					return kind(institution.Unreachable)
				}
				return nil
			}
			if _, _, err := b.Poll(t.Context(), b.owner(), c.ID); err != nil {
				t.Fatal(err)
			}
			if err := b.Run(ctx, b.Handle, c.ID); err != nil {
				t.Fatal(err)
			}
			return b.row(c.ID)
		}
		for range 5 {
			if c := run(); c.Status != collection.Collecting {
				t.Fatalf("%q: %s before the deadline", link, c.Status)
			}
			b.Clock.Set(b.Clock.Now().Add(59 * time.Second))
		}
		_, before := b.bank.count(link)
		b.Clock.Set(c.CreatedAt.Add(5 * time.Minute))
		b.wantEnded(run(), want)
		if _, after := b.bank.count(link); after != before {
			t.Errorf("%q was asked %d times after the deadline", link, after-before)
		}
	}
}

// What needs much time is cut off too, although each answer comes.
func TestDeadline_EndsEndlessUnattendedReading(t *testing.T) {
	b := newEnv(t)
	b.bank.endless = true
	b.bank.fetches = func(context.Context, institution.Question, int) error {
		b.Clock.Advance(30 * time.Second)
		return nil
	}
	c := b.handle(b.start(b.request(b.authorizedConsent(), "")).ID)
	b.wantEnded(c, collection.CompletedPartial)
	if all, _ := b.bank.count(""); all != 30 {
		t.Errorf("asked %d times in 15 minutes", all)
	}
}

// The context of each exchange ends at the deadline, whatever its own limit is.
func TestDeadline_CutsTheExchangeInFlight(t *testing.T) {
	for _, ip := range []string{"", "192.0.2.7"} {
		b := newEnv(t)
		b.ReadTime, b.ReadTimeUnattended = time.Minute, time.Minute
		b.bank.fetches = func(ctx context.Context, _ institution.Question, _ int) error {
			if end, limited := ctx.Deadline(); !limited || time.Until(end) > time.Minute {
				t.Errorf("an exchange may last until %s", end)
			}
			return nil
		}
		b.wantEnded(b.handle(b.start(b.request(b.authorizedConsent(), ip)).ID), collection.Completed)
	}
}

// The deadline of a one-time collection begins when the person has signed.
func TestDeadline_BeginsWithTheSignature(t *testing.T) {
	b := newEnv(t)
	c := b.oneTime()
	b.Clock.Advance(4*time.Minute + 50*time.Second)
	if _, _, err := b.Poll(t.Context(), b.owner(), c.ID); err != nil {
		t.Fatal(err)
	}
	scope := b.consentRequest().Scope
	b.apply(c.ConsentID, consent.Opened{}, consent.Instructed{}, consent.Granted{Scope: &scope, ValidUntil: b.Clock.Now().AddDate(0, 0, 1)})
	b.Clock.Advance(20 * time.Second) // later than five minutes after the start
	b.wantEnded(b.handle(c.ID), collection.Completed)
}

// A question whose first try waited for as long as an exchange may take has failed, if
// the time of the run ends during the second.
func TestAsk_TimeoutStandsWhenTheRunEnds(t *testing.T) {
	b := newEnv(t)
	ctx, over := context.WithCancel(t.Context())
	b.bank.fetches = func(_ context.Context, q institution.Question, n int) error {
		switch {
		case q.Link != "card/balances":
			return nil
		case n == 1:
			return &institution.Error{Kind: institution.Unreachable, Reason: institution.NoAnswerInTime}
		}
		over()
		return kind(institution.Unreachable)
	}
	c := b.start(b.request(b.authorizedConsent(), "192.0.2.7"))
	for range 3 {
		if err := b.Run(ctx, b.Handle, c.ID); err != nil {
			t.Fatal(err)
		}
		ctx = t.Context()
	}
	b.wantEnded(b.row(c.ID), collection.CompletedPartial)
	if _, n := b.bank.count("card/balances"); n != 2 {
		t.Errorf("asked %d times", n)
	}
}

// A collection whose handler always fails ends too.
func TestDeadline_EndsACollectionThatCannotBeHandled(t *testing.T) {
	b := newEnv(t)
	c := collection.Collection{ID: b.IDs.New(), ClientID: b.User.ClientID, UserID: b.User.ID, ConsentID: "none", Company: theBank,
		Mode: collection.Stored, Status: collection.Running, CreatedAt: b.Clock.Now(), StatusChangedAt: b.Clock.Now(), WakeAt: b.Clock.Now()}
	b.Write(func(tx store.Tx) error { return tx.AddCollection(t.Context(), c) })
	b.Clock.Advance(15*time.Minute - 1)
	if err := b.Run(t.Context(), b.Handle, c.ID); err == nil {
		t.Fatal("a collection without a consent was handled")
	}
	b.Clock.Advance(1)
	b.wantEnded(b.handle(c.ID), collection.Failed)
}

// A question that waits because the bank is overloaded uses up no try, and an unattended
// one that was never sent is asked by the next run.
func TestAsk_WaitsForAnOverloadedBank(t *testing.T) {
	for _, ip := range []string{"", "192.0.2.7"} {
		b := newEnv(t)
		overloaded := &institution.Error{Kind: institution.Busy, Reason: institution.Overloaded, NotSent: true, RetryAfter: time.Second}
		ctx, over := context.WithCancel(t.Context())
		b.bank.fetches = func(_ context.Context, q institution.Question, n int) error {
			switch {
			case q.Link != "main/2" || n > 20:
				return nil
			case n == 10:
				over()
			}
			return overloaded
		}
		c := b.start(b.request(b.authorizedConsent(), ip))
		if err := b.Run(ctx, b.Handle, c.ID); err != nil {
			t.Fatal(err)
		}
		if c = b.row(c.ID); c.Status != collection.Collecting {
			t.Fatalf("while the bank is overloaded: %s", c.Status)
		}
		b.wantEnded(b.handle(c.ID), collection.Completed)
		if _, n := b.bank.count("main/2"); n != 21 {
			t.Errorf("tried %d times", n)
		}
	}
}

// Runs that are over before they have read again what earlier ones have stored end the
// collection at the deadline too.
func TestDeadline_EndsACollectionWhoseRunsGetNowhere(t *testing.T) {
	b := newEnv(t)
	c := b.start(b.request(b.authorizedConsent(), ""))
	b.interrupt(c.ID, 5, kind(institution.Unreachable))
	b.Clock.Set(c.CreatedAt.Add(15 * time.Minute))
	ctx, over := context.WithCancel(t.Context())
	b.bank.reads = func(q institution.Question) error {
		if q.Kind == "cards" {
			over() // while the second stored answer is read
		}
		return nil
	}
	if err := b.Run(ctx, b.Handle, c.ID); err != nil {
		t.Fatal(err)
	}
	b.wantEnded(b.row(c.ID), collection.CompletedPartial)
}

// Without the profile of its institution, as on a node that does not have it, nobody's time to
// sign counts as over at once.
func TestDeadline_WaitsForTheSignatureAtAnInstitutionThatIsElsewhere(t *testing.T) {
	b := newEnv(t)
	c := collection.Collection{Company: theBank, Mode: collection.OneTime, Attended: true, CreatedAt: morning}
	if here := b.LatestEnd(c).Sub(morning); here != b.ReadTime+b.bank.profile.Deadline {
		t.Errorf("here it ends after %s", here)
	}
	b.Institutions = institution.Set{}
	if elsewhere := b.LatestEnd(c).Sub(morning); elsewhere < b.ReadTime+15*time.Minute {
		t.Errorf("elsewhere it ends after %s", elsewhere)
	}
}
