package collect_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/deviation"
	"samla/internal/institution"
)

// A transient failure is tried again after the Retry-After of the bank, unless that is
// longer than the person waits.
func TestAsk_WaitsForRetryAfter(t *testing.T) {
	for after, least := range map[time.Duration]time.Duration{0: 200 * time.Millisecond, 3 * time.Second: 6 * time.Second, time.Hour: 0} {
		b := newEnv(t)
		b.bank.fetches = func(_ context.Context, q institution.Question, n int) error {
			if q.Link == "main/2" && n < 3 {
				return &institution.Error{Kind: institution.Busy, RetryAfter: after}
			}
			return nil
		}
		c := b.handle(b.start(b.request(b.authorizedConsent(), "192.0.2.7")).ID)
		asked, want := 3, collection.Completed
		if after == time.Hour {
			asked, want = 1, collection.CompletedPartial
		}
		b.wantEnded(c, want)
		if took := b.Clock.Now().Sub(morning); took < least || took > 14*time.Second {
			t.Errorf("Retry-After %s: took %s", after, took)
		}
		if _, n := b.bank.count("main/2"); n != asked {
			t.Errorf("Retry-After %s: asked %d times", after, n)
		}
	}
}

// An answer that the bank is preparing is asked for until it is there, also without the
// person: the bank has not counted the question.
func TestAsk_WaitsForPreparedAnswer(t *testing.T) {
	for _, ip := range []string{"192.0.2.7", ""} {
		b := newEnv(t)
		b.bank.fetches = func(_ context.Context, q institution.Question, n int) error {
			if q.Link == "main/2" && n < 10 {
				return &institution.Error{Kind: institution.Preparing, RetryAfter: 2 * time.Second, NotCounted: true}
			}
			return nil
		}
		c := b.handle(b.start(b.request(b.authorizedConsent(), ip)).ID)
		b.wantEnded(c, collection.Completed)
		b.wantComplete(c.ID)
		if _, n := b.bank.count("main/2"); n != 10 || b.Clock.Now().Sub(morning) < 18*time.Second {
			t.Errorf("asked %d times in %s", n, b.Clock.Now().Sub(morning))
		}
	}
}

// A run that ends while an answer is being prepared leaves the question to the next run.
func TestAsk_LeavesPreparedAnswerToTheNextRun(t *testing.T) {
	for _, ip := range []string{"192.0.2.7", ""} {
		b := newEnv(t)
		ctx, cancel := context.WithCancel(t.Context())
		b.bank.fetches = func(_ context.Context, q institution.Question, n int) error {
			if q.Link == "card/balances" && n == 1 {
				cancel()
				return &institution.Error{Kind: institution.Preparing, RetryAfter: 10 * time.Second, NotCounted: true}
			}
			return nil
		}
		c := b.start(b.request(b.authorizedConsent(), ip))
		if err := b.Handle(ctx, c.ID); err != nil {
			t.Fatal(err)
		}
		if c = b.row(c.ID); c.Status.Terminal() {
			t.Fatalf("%q: ended as %s", ip, c.Status)
		}
		if wait := c.WakeAt.Sub(b.Clock.Now()); wait < 9*time.Second || wait > 10*time.Second {
			t.Errorf("%q: due in %s", ip, wait)
		}
		c = b.handle(c.ID)
		b.wantEnded(c, collection.Completed)
		b.wantComplete(c.ID)
	}
}

// An answer that is never ready is asked for a limited number of times, in all runs
// together.
func TestAsk_GivesUpOnAnswerThatIsNeverReady(t *testing.T) {
	for _, ip := range []string{"192.0.2.7", ""} {
		b := newEnv(t)
		ctx, cancel := context.WithCancel(t.Context())
		b.bank.fetches = func(_ context.Context, q institution.Question, n int) error {
			if q.Link != "main/2" {
				return nil
			}
			if n == 12 {
				cancel() // the time of the first run is over
			}
			return &institution.Error{Kind: institution.Preparing, RetryAfter: time.Second, NotCounted: true}
		}
		c := b.start(b.request(b.authorizedConsent(), ip))
		if err := b.Run(ctx, b.Handle, c.ID); err != nil {
			t.Fatal(err)
		}
		if c = b.row(c.ID); c.Status.Terminal() {
			t.Fatalf("ended as %s", c.Status)
		}
		b.Service = b.service()
		b.wantEnded(b.handle(c.ID), collection.CompletedPartial)
		if _, n := b.bank.count("main/2"); n != 20 {
			t.Errorf("asked %d times", n)
		}
	}
}

// With the person, an answer that cannot be understood is asked for again.
func TestAsk_RepeatsGarbledAnswers(t *testing.T) {
	for ip, want := range map[string]collection.Status{"192.0.2.7": collection.Completed, "": collection.CompletedPartial} {
		for _, where := range []string{"fetched", "read"} {
			b := newEnv(t)
			garbled := func(q institution.Question, n int) error {
				if q.Link == "main/2" && n == 1 {
					return kind(institution.MalformedResponse)
				}
				return nil
			}
			reads := 0
			if where == "fetched" {
				b.bank.fetches = func(_ context.Context, q institution.Question, n int) error { return garbled(q, n) }
			} else {
				b.bank.reads = func(q institution.Question) error {
					if q.Link == "main/2" {
						reads++
					}
					return garbled(q, reads)
				}
			}
			c := b.handle(b.start(b.request(b.authorizedConsent(), ip)).ID)
			b.wantEnded(c, want)
			if want == collection.Completed {
				b.wantComplete(c.ID)
			}
		}
	}
	b := newEnv(t)
	b.bank.fetches = func(_ context.Context, q institution.Question, _ int) error {
		if q.Link == "main/2" {
			return &institution.Error{Kind: institution.MalformedResponse, Reason: institution.AnswerTooLarge}
		}
		return nil
	}
	b.wantEnded(b.handle(b.start(b.request(b.authorizedConsent(), "192.0.2.7")).ID), collection.CompletedPartial)
	if _, n := b.bank.count("main/2"); n != 1 {
		t.Errorf("an answer that is too large: asked %d times", n)
	}
}

// An unattended question that failed is asked again only if the bank cannot have
// counted it. The test counts the requests at the bank.
func TestAsk_RepeatsUnattendedQuestionOnlyIfNotSent(t *testing.T) {
	for k := range failures {
		for _, notSent := range []bool{false, true} {
			b := newEnv(t)
			b.bank.fetches = func(_ context.Context, q institution.Question, n int) error {
				if q.Link == "save/transactions" && n < 3 {
					return &institution.Error{Kind: k, NotSent: notSent}
				}
				return nil
			}
			c := b.handle(b.start(b.request(b.authorizedConsent(), "")).ID)
			want, asked := collection.CompletedPartial, 1
			if notSent || k == institution.Preparing {
				want, asked = collection.Completed, 3
			} else if k == institution.ConsentGone || k == institution.ConsentOver || k == institution.CertificateRejected {
				want = failures[k].status
			}
			if _, n := b.bank.count("save/transactions"); n != asked || c.Status != want {
				t.Errorf("%s, not sent %t: asked %d times, ended as %s", k, notSent, n, c.Status)
			}
		}
	}
}

// Nothing more is read under a consent that was revoked or has expired.
func TestAsk_StopsWhenTheConsentEnds(t *testing.T) {
	for name, end := range map[string]func(*env, consent.Consent) error{
		"withdrawn": func(b *env, c consent.Consent) error {
			_, err := b.consents.Revoke(b.Context(), c.ClientID, c.UserID, c.ID)
			return err
		},
		"run out": func(b *env, c consent.Consent) error {
			b.Clock.Set(c.ExpiresAt)
			return nil
		},
	} {
		b := newEnv(t)
		b.ReadTimeUnattended = 365 * 24 * time.Hour
		under := b.authorizedConsent()
		b.bank.fetches = func(_ context.Context, q institution.Question, _ int) error {
			if q.Link == "main/2" {
				return end(b, under)
			}
			return nil
		}
		c := b.handle(b.start(b.request(under, "")).ID)
		b.wantEnded(c, collection.AuthenticationError)
		if all, _ := b.bank.count(""); all == whole {
			t.Errorf("%s: the bank was read to the end", name)
		}
		if n := b.rawCount(c.ID); n != 0 {
			t.Errorf("%s: %d answers stay", name, n)
		}
	}
}

// A refused question is replaced by a smaller one, and nothing is missing then. Without
// the person only what the bank has not counted is followed by another question.
func TestInstead_IsAskedInPlaceOfWhatIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		ip         string
		notCounted bool
		kind       institution.ErrorKind
		chain      []string
		want       collection.Status
	}{
		"attended":                  {"192.0.2.7", false, institution.Refused, []string{"main/2", "less"}, collection.Completed},
		"unattended, not counted":   {"", true, institution.Refused, []string{"main/2", "less", "least"}, collection.Completed},
		"unattended, counted":       {"", false, institution.Refused, []string{"main/2", "less"}, collection.CompletedPartial},
		"unattended, for ever":      {"", true, institution.Refused, []string{"main/2", "less", "least", "nothing"}, collection.CompletedPartial},
		"nothing less":              {"192.0.2.7", true, institution.Refused, []string{"main/2"}, collection.CompletedPartial},
		"attended, not a refusal":   {"192.0.2.7", true, institution.NotCovered, []string{"main/2", "less"}, collection.CompletedPartial},
		"unattended, not a refusal": {"", true, institution.Busy, []string{"main/2", "less"}, collection.CompletedPartial},
	} {
		for _, interrupted := range []bool{false, true} {
			b := newEnv(t)
			b.bank.smaller = map[string]string{}
			for i, link := range c.chain[1:] {
				b.bank.smaller[c.chain[i]] = link
			}
			b.bank.next[c.chain[len(c.chain)-1]] = "main/3"
			ctx, cancel := context.WithCancel(t.Context())
			b.bank.fetches = func(_ context.Context, q institution.Question, n int) error {
				if interrupted && q.Link == c.chain[min(1, len(c.chain)-1)] {
					cancel() // the time of the first run is over
				}
				if slices.Contains(c.chain[:max(1, len(c.chain)-1)], q.Link) {
					return &institution.Error{Kind: c.kind, HTTPStatus: 400, NotCounted: c.notCounted}
				}
				return nil
			}
			row := b.start(b.request(b.authorizedConsent(), c.ip))
			if err := b.Run(ctx, b.Handle, row.ID); err != nil {
				t.Fatal(err)
			}
			if row = b.row(row.ID); !row.Status.Terminal() {
				b.Service = b.service() // another node goes on
				row = b.handle(row.ID)
			}
			b.wantEnded(row, c.want)
			if c.want == collection.Completed {
				b.wantComplete(row.ID)
				want := deviation.Total{Company: theBank, Kind: deviation.RequestReduced, N: int64(len(c.chain) - 1)}
				if got := b.Deviations.Totals(); !slices.Equal(got, []deviation.Total{want}) {
					t.Errorf("%s, interrupted %t: counted %v", name, interrupted, got)
				}
			}
			if c.ip != "" {
				continue
			}
			for _, link := range c.chain {
				if _, n := b.bank.count(link); n > 1 {
					t.Errorf("%s, interrupted %t: %s is asked %d times", name, interrupted, link, n)
				}
			}
			if counted := !c.notCounted; counted {
				if _, n := b.bank.count("less"); n != 0 {
					t.Errorf("%s: asked again", name)
				}
			}
		}
	}
}

// The list of accounts is essential in its smaller form too.
func TestInstead_IsAsEssential(t *testing.T) {
	for kind, want := range map[institution.ErrorKind]collection.Status{"": collection.Completed, institution.Refused: collection.Failed} {
		b := newEnv(t)
		b.bank.smaller = map[string]string{"": "less"}
		b.bank.fetches = func(_ context.Context, q institution.Question, _ int) error {
			switch {
			case q.Kind == "accounts" && q.Link == "":
				return &institution.Error{Kind: institution.Refused, HTTPStatus: 400}
			case q.Link == "less" && kind != "":
				return &institution.Error{Kind: kind, HTTPStatus: 400}
			}
			return nil
		}
		c := b.handle(b.start(b.request(b.authorizedConsent(), "192.0.2.7")).ID)
		b.wantEnded(c, want)
		if want == collection.Completed {
			b.wantComplete(c.ID)
		}
	}
}
