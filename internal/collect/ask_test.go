package collect_test

import (
	"context"
	"testing"
	"time"

	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/institution"
)

// A transient failure is tried again after the Retry-After of the bank.
func TestAsk_WaitsForRetryAfter(t *testing.T) {
	for after, least := range map[time.Duration]time.Duration{0: 200 * time.Millisecond, 3 * time.Second: 6 * time.Second, time.Hour: 10 * time.Second} {
		b := newEnv(t)
		b.bank.fetches = func(_ context.Context, q institution.Question, n int) error {
			if q.Link == "main/2" && n < 3 {
				return &institution.Error{Kind: institution.Busy, RetryAfter: after}
			}
			return nil
		}
		c := b.handle(b.start(b.request(b.authorizedConsent(), "192.0.2.7")).ID)
		b.wantEnded(c, collection.Completed)
		b.wantComplete(c.ID)
		if took := b.Clock.Now().Sub(morning); took < least || took > 14*time.Second {
			t.Errorf("Retry-After %s: took %s", after, took)
		}
		if _, n := b.bank.count("main/2"); n != 3 {
			t.Errorf("Retry-After %s: asked %d times", after, n)
		}
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
			if notSent {
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
