package collect_test

import (
	"context"
	"testing"
	"time"

	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/jobs"
)

// slowReader is a bank whose consent endpoint answers only after the caller has given
// up. It sends the context of each call.
type slowReader chan context.Context

// Consent implements institution.ConsentReader.
func (r slowReader) Consent(ctx context.Context, _ institution.Access) (institution.ConsentInfo, error) {
	r <- ctx
	<-ctx.Done()
	return institution.ConsentInfo{}, &institution.Error{Kind: institution.Unreachable, Cause: ctx.Err()}
}

// The bank refuses a collection, and the time of the run is over before the bank has
// shown the consent: the refusal alone ends the collection, not the consent, which is
// checked again at once.
func TestCollection_LeavesConsentWhoseCheckRanOutOfTime(t *testing.T) {
	for _, k := range []institution.ErrorKind{institution.ConsentGone, institution.ConsentOver, institution.SCARequired} {
		t.Run(string(k), func(t *testing.T) {
			b := newEnv(t)
			b.bank.fetches = func(context.Context, institution.Question, int) error { return kind(k) }
			under := b.authorizedConsent()
			slow := make(slowReader)
			bank := b.Institutions.(institution.Set)[theBank]
			bank.ConsentReader = slow
			b.Institutions.(institution.Set)[theBank] = bank
			c := b.start(b.request(under, "192.0.2.7"))

			ctx, cancel := context.WithTimeout(t.Context(), jobs.Budget)
			defer cancel()
			handled := make(chan error, 1)
			go func() { handled <- b.Handle(ctx, c.ID) }()
			check := <-slow
			if end, limited := check.Deadline(); !limited || time.Until(end) > jobs.Budget/3 {
				t.Errorf("the check may last until %s", end)
			}
			cancel()
			if err := <-handled; err != nil {
				t.Error(err)
			}
			b.wantEnded(b.row(c.ID), collection.AuthenticationError)
			got := b.Consent(under.ID)
			if got.Status != consent.Authorized || !got.WakeAt.Equal(b.Clock.Now()) {
				t.Errorf("the consent is %s, checked again at %s", got.Status, got.WakeAt)
			}
			if n, _ := b.bank.count(""); n != 1 {
				t.Errorf("asked %d times", n)
			}
		})
	}
}

// The check uses up what is left of the run's time; the results are stored within the
// time after it.
func TestCollection_StoresWhatTheCheckFoundAfterItsTime(t *testing.T) {
	b := newEnv(t)
	b.bank.fetches = func(context.Context, institution.Question, int) error { return kind(institution.ConsentGone) }
	under := b.authorizedConsent()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	bank := b.Institutions.(institution.Set)[theBank]
	bank.ConsentReader = lateReader(cancel)
	b.Institutions.(institution.Set)[theBank] = bank
	c := b.start(b.request(under, "192.0.2.7"))
	if err := b.Handle(ctx, c.ID); err != nil {
		t.Error(err)
	}
	b.wantEnded(b.row(c.ID), collection.AuthenticationError)
	if got := b.Consent(under.ID); got.Status != consent.Expired {
		t.Errorf("the consent is %s", got.Status)
	}
}

// lateReader is a bank that calls a consent expired in the moment in which the time
// of the run is over.
type lateReader context.CancelFunc

// Consent implements institution.ConsentReader.
func (r lateReader) Consent(context.Context, institution.Access) (institution.ConsentInfo, error) {
	r()
	return institution.ConsentInfo{State: institution.ConsentExpired}, nil
}
