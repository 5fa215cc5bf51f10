package collect_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"samla/internal/collection"
	"samla/internal/fault"
	"samla/internal/institution"
	"samla/internal/store"
)

// TestStop_EndsARunThatIsUnderWay: who stops a collection has the last word, and what
// was read until then does not stay.
func TestStop_EndsARunThatIsUnderWay(t *testing.T) {
	for name, stop := range map[string]func(*bench, string) error{
		"cancelled": func(b *bench, id string) error { _, err := b.Stop(b.Context(), b.owner(), id); return err },
		"deleted":   func(b *bench, id string) error { return b.Erase(b.Context(), b.owner(), id) },
	} {
		b := newBench(t)
		b.bank.fetches = func(_ context.Context, q institution.Question, _ int) error {
			b.Clock.Advance(time.Second)
			if q.Link == "main/2" {
				return stop(b, b.row(b.bank.collection(b)).ID)
			}
			return nil
		}
		c := b.look(b.start(b.request(b.granted(), "192.0.2.7")).ID)
		b.ended(c, collection.AuthenticationCancelled)
		if n := b.raws(c.ID); n != 0 {
			t.Errorf("%s: %d answers stay", name, n)
		}
		if all, _ := b.bank.count(""); all == whole {
			t.Errorf("%s: the bank was read to the end", name)
		}
		_, err := b.Data(t.Context(), b.owner(), c.ID)
		isFault(t, name, err, fault.CollectionFailed)
	}
}

// collection is the newest collection of the bench's user.
func (*scripted) collection(b *bench) string {
	list, err := b.List(b.Context(), b.owner(), nil, false, store.Page{Limit: 1})
	if err != nil || len(list) != 1 {
		b.Fatalf("%d collections, %v", len(list), err)
	}
	return list[0].ID
}

// flaky is a store that cannot write while it is broken.
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

// TestRead_GoesOnWhenTheStoreIsBack: a store that fails does not fail the
// collection. What was asked without the person meanwhile is missing, for it must
// not be asked again.
func TestRead_GoesOnWhenTheStoreIsBack(t *testing.T) {
	for _, ip := range []string{"192.0.2.7", ""} {
		for _, link := range []string{"", "main/2", "card/transactions"} {
			b := newBench(t)
			disk := &flaky{Store: b.Store}
			b.Store = disk
			b.Service = b.service()
			once := true
			b.bank.fetches = func(_ context.Context, q institution.Question, _ int) error {
				b.Clock.Advance(time.Second)
				disk.broken, once = q.Link == link && once, once && q.Link != link
				return nil
			}
			c := b.start(b.request(b.granted(), ip))
			if err := b.Run(t.Context(), b.Handle, c.ID); !errors.Is(err, errDisk) {
				t.Errorf("broken at %q: %v", link, err)
			}
			disk.broken = false
			if c = b.row(c.ID); c.Status != collection.Collecting || c.WakeAt.IsZero() {
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
			c = b.look(c.ID)
			b.ended(c, want)
			if ip != "" {
				b.complete(c.ID)
			}
		}
	}
}
