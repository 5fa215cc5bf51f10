package jobs_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"samla/internal/clock"
	"samla/internal/jobs"
	"samla/internal/store"
)

// rows is a queue of ids that are due at once and claimed once.
type rows struct {
	mu  sync.Mutex
	due []string
	err error
}

func (r *rows) add(ids ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.due = append(r.due, ids...)
}

func (r *rows) Claim(_ context.Context, _ store.Queue, _ time.Time, _ time.Duration, limit int) ([]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := min(limit, len(r.due))
	ids := r.due[:n]
	r.due = r.due[n:]
	return ids, r.err
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func TestEveryDueRowIsHandledWithinItsSlots(t *testing.T) {
	defer goleak.VerifyNone(t)
	var r rows
	p := jobs.New(&r, clock.System(), quiet())
	var mu sync.Mutex
	seen, running, most := map[string]int{}, 0, 0
	done := make(chan struct{}, 100)
	p.Register(store.Consents, 3, func(ctx context.Context, id string) error {
		mu.Lock()
		running++
		most = max(most, running)
		seen[id]++
		mu.Unlock()
		if _, bounded := ctx.Deadline(); !bounded {
			t.Error("a handler runs without a deadline")
		}
		mu.Lock()
		running--
		mu.Unlock()
		done <- struct{}{}
		if id == "b" {
			return errors.New("not settled")
		}
		if id == "c" {
			panic("broken handler")
		}
		return nil
	})
	p.Start(context.Background())
	r.add("a", "b", "c", "d", "e", "f", "g")
	p.Wake(store.Consents)
	for range 7 {
		<-done
	}
	if err := p.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	if len(seen) != 7 || most > 3 {
		t.Errorf("handled %v, at most %d at once", seen, most)
	}
}

func TestReserveHoldsASlotForARow(t *testing.T) {
	defer goleak.VerifyNone(t)
	p := jobs.New(&rows{}, clock.NewManual(time.Unix(0, 0)), quiet())
	hold, began := make(chan struct{}), make(chan string)
	p.Register(store.Collections, 1, func(_ context.Context, id string) error {
		began <- id
		<-hold
		return nil
	})
	if p.Reserve(store.Collections) != nil {
		t.Error("held a slot before the start")
	}
	p.Start(context.Background())
	slot := p.Reserve(store.Collections)
	for slot == nil { // the loop holds the slot for the moment of its first claim
		slot = p.Reserve(store.Collections)
	}
	if p.Reserve(store.Collections) != nil {
		t.Error("held one slot twice")
	}
	slot.Run("x")
	if id := <-began; id != "x" {
		t.Errorf("began %s", id)
	}
	close(hold)
	if err := p.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	if p.Reserve(store.Collections) != nil {
		t.Error("held a slot after the stop")
	}
}

func TestReleasedSlotIsFreeAgain(t *testing.T) {
	p := jobs.New(&rows{}, clock.NewManual(time.Unix(0, 0)), quiet())
	p.Register(store.Outbox, 2, func(context.Context, string) error { return nil })
	p.Start(context.Background())
	defer p.Stop(context.Background())
	for range 100 {
		p.Reserve(store.Outbox).Release()
	}
	var none *jobs.Slot
	none.Run("x")
	none.Release()
}

func TestStopCancelsAHandlerThatWaits(t *testing.T) {
	defer goleak.VerifyNone(t)
	p := jobs.New(&rows{due: []string{"a"}}, clock.System(), quiet())
	began := make(chan struct{})
	p.Register(store.Outbox, 1, func(ctx context.Context, _ string) error {
		close(began)
		<-ctx.Done()
		return ctx.Err()
	})
	p.Start(context.Background())
	<-began
	if err := p.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
}
