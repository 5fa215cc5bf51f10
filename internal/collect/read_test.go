package collect_test

import (
	"context"
	"errors"
	"sync/atomic"
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
	broken atomic.Bool
}

var errDisk = errors.New("the disk is full")

func (f *flaky) Write(ctx context.Context, fn func(store.Tx) error) error {
	if f.broken.Load() {
		return errDisk
	}
	return f.Store.Write(ctx, fn)
}

// A collection that is parked is not handled any more: its client would poll for ever.
func TestGiveUp_KeepsACollectionWhoseFailureIsNotStored(t *testing.T) {
	b := newEnv(t)
	c := b.start(b.request(b.authorizedConsent(), "192.0.2.7"))
	disk := &flaky{Store: b.Store}
	disk.broken.Store(true)
	b.Service.Store = disk
	if err := b.GiveUp(t.Context(), c.ID); !errors.Is(err, jobs.ErrKeepTrying) {
		t.Errorf("the row is parked: %v", err)
	}
	disk.broken.Store(false)
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
			var once atomic.Bool
			once.Store(true)
			b.bank.fetches = func(_ context.Context, q institution.Question, _ int) error {
				b.Clock.Advance(time.Second)
				if q.Link == link && once.CompareAndSwap(true, false) { // until the run has failed: questions are asked at the same time
					disk.broken.Store(true)
				}
				return nil
			}
			c := b.start(b.request(b.authorizedConsent(), ip))
			if err := b.Run(t.Context(), b.Handle, c.ID); !errors.Is(err, errDisk) {
				t.Errorf("broken at %q: %v", link, err)
			}
			disk.broken.Store(false)
			// The cards, asked for at the same time as the accounts, may have been stored before.
			either := ip != "" && link == ""
			if c = b.row(c.ID); c.Status != collection.Collecting && (!either || c.Status != collection.Running) || c.WakeAt.IsZero() {
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
