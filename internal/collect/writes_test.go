package collect_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"samla/internal/collection"
	"samla/internal/institution"
	"samla/internal/store"
)

// watched is a store that sends to written after each transaction.
type watched struct {
	store.Store
	written chan struct{}
}

// Write implements store.Store.
func (s watched) Write(ctx context.Context, fn func(store.Tx) error) error {
	defer func() { s.written <- struct{}{} }()
	return s.Store.Write(ctx, fn)
}

func (b *env) watchWrites() chan struct{} {
	written := make(chan struct{}, 100)
	b.Service.Store = watched{b.Store, written}
	return written
}

// A run that ends soon stores its status, answers and result in one transaction.
func TestRead_WritesOnceWhileAttended(t *testing.T) {
	b := newEnv(t)
	c := b.start(b.request(b.authorizedConsent(), "192.0.2.7"))
	written := b.watchWrites()
	// Not b.handle, which lets time pass.
	if err := b.Service.Handle(t.Context(), c.ID); err != nil {
		t.Fatal(err)
	}
	b.wantEnded(b.row(c.ID), collection.Completed)
	if len(written) != 1 {
		t.Errorf("%d transactions", len(written))
	}
}

// Before the first answer of a bank that is slow, those who poll see that it is asked.
func TestRead_ShowsThatASlowBankIsAsked(t *testing.T) {
	b := newEnv(t)
	c := b.start(b.request(b.authorizedConsent(), "192.0.2.7"))
	written := b.watchWrites()
	shown := collection.Status("")
	b.bank.fetches = func(_ context.Context, q institution.Question, _ int) error {
		if q.Kind == "accounts" {
			b.Clock.Advance(time.Second)
			<-written
			shown = b.row(c.ID).Status
		}
		return nil
	}
	b.wantEnded(b.handle(c.ID), collection.Completed)
	if shown != collection.Collecting {
		t.Errorf("the status is %s while the bank is asked", shown)
	}
}

// Data is stored compressed too if it is large. It is read in the same way if not.
func TestComplete_PacksLargeData(t *testing.T) {
	for _, n := range []int{2, 60} {
		b := newEnv(t)
		for i := len(b.bank.accounts); i < n; i++ {
			more := b.bank.accounts[0]
			more.ID = fmt.Sprintf("more-%d", i)
			more.Key, more.Name = "key-"+more.ID, more.ID
			b.bank.accounts = append(b.bank.accounts, more)
		}
		c := b.handle(b.start(b.request(b.authorizedConsent(), "192.0.2.7")).ID)
		b.wantEnded(c, collection.Completed)
		stored, err := b.Store.PackedProducts(t.Context(), c.ID)
		if small := errors.Is(err, store.ErrNotFound); small != (n == 2) || !small && err != nil {
			t.Errorf("%d accounts: packed in %d bytes, %v", n, len(stored.Sealed), err)
		}
		if data, err := b.text(b.owner(), c.ID); err != nil || len(data) < n*100 {
			t.Errorf("%d accounts: %d bytes, %v", n, len(data), err)
		}
	}
}
