package collect_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"samla/internal/collection"
	"samla/internal/institution"
	"samla/internal/jobs"
	"samla/internal/store"
)

// flaky is a store whose transactions fail while it is broken.
type flaky struct {
	store.Store
	broken bool
}

var errDisk = errors.New("the disk is full")

func (f *flaky) Write(ctx context.Context, fn func(store.Tx) error) error {
	if f.broken {
		return errDisk
	}
	return f.Store.Write(ctx, fn)
}

// A collection that is parked is not handled any more: its client would poll for ever.
func TestGiveUp_KeepsACollectionWhoseFailureIsNotStored(t *testing.T) {
	b := newEnv(t)
	c := b.start(b.request(b.authorizedConsent(), "192.0.2.7"))
	disk := &flaky{Store: b.Store, broken: true}
	b.Service.Store = disk
	if err := b.GiveUp(t.Context(), c.ID); !errors.Is(err, jobs.ErrKeepTrying) {
		t.Errorf("the row is parked: %v", err)
	}
	disk.broken = false
	if err := b.GiveUp(t.Context(), c.ID); err != nil {
		t.Fatal(err)
	}
	b.wantEnded(b.row(c.ID), collection.Failed)
	if err := b.GiveUp(t.Context(), "unknown"); err != nil {
		t.Error(err)
	}
}

// A failure of the store does not fail the collection. Unattended questions whose
// answer was not stored are missing: they must not be asked again.
func TestRead_ContinuesAfterStoreFailure(t *testing.T) {
	for _, ip := range []string{"192.0.2.7", ""} {
		for _, link := range []string{"", "main/2", "card/transactions"} {
			b := newEnv(t)
			disk := &flaky{Store: b.Store}
			b.Store = disk
			b.Service = b.service()
			once := true
			b.bank.fetches = func(_ context.Context, q institution.Question, _ int) error {
				b.Clock.Advance(time.Second)
				disk.broken, once = q.Link == link && once, once && q.Link != link
				return nil
			}
			c := b.start(b.request(b.authorizedConsent(), ip))
			if err := b.Run(t.Context(), b.Handle, c.ID); !errors.Is(err, errDisk) {
				t.Errorf("broken at %q: %v", link, err)
			}
			disk.broken = false
			status := collection.Collecting
			if ip != "" && link == "" { // nothing was stored before
				status = collection.Running
			}
			if c = b.row(c.ID); c.Status != status || c.WakeAt.IsZero() {
				t.Fatalf("broken at %q: %s, due %s", link, c.Status, c.WakeAt)
			}
			b.Service = b.service()
			want := collection.Completed
			if ip == "" {
				want = collection.CompletedPartial
				if link == "" { // the list of accounts itself
					want = collection.ThirdPartyError
				}
			}
			c = b.handle(c.ID)
			b.wantEnded(c, want)
			if ip != "" {
				b.wantComplete(c.ID)
			}
		}
	}
}
