package authorize_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"samla/internal/authorize"
	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/outbox"
	"samla/internal/store"
)

var errDown = errors.New("the database is down")

// outage is a store that has one from when begins says so, for some reads and writes. The
// last write of it may be done although its answer is lost.
type outage struct {
	store.Store
	begins func() bool
	left   int
	lost   bool
}

func (o *outage) down() bool {
	if o.left == 0 || !o.begins() {
		return false
	}
	o.left--
	return true
}

func (o *outage) Consent(ctx context.Context, id consent.ID) (consent.Consent, error) {
	if o.down() {
		return consent.Consent{}, errDown
	}
	return o.Store.Consent(ctx, id)
}

func (o *outage) Write(ctx context.Context, f func(store.Tx) error) error {
	if o.down() {
		if o.lost && o.left == 0 {
			return errors.Join(o.Store.Write(ctx, f), errDown)
		}
		return errDown
	}
	return o.Store.Write(ctx, f)
}

// during returns a node whose store has an outage, and lets time go on while it waits.
func (b *redirected) during(o *outage) *authorize.Service {
	o.Store = b.Store
	node := b.node()
	node.Store = o
	node.OutageOf = func(err error) store.Outage {
		if errors.Is(err, errDown) {
			return store.Unreachable
		}
		return ""
	}
	over := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-over:
				return
			case <-time.After(time.Millisecond):
				if b.Clock.Waiting() > 0 {
					b.Clock.Advance(time.Second)
				}
			}
		}
	}()
	b.Cleanup(func() { close(over); <-ended })
	return node
}

// The database is down, for a failover or a restart, when the bank has given the tokens for a
// code. Another exchange would be refused: the tokens are held until they can be stored.
func TestExchange_HoldsTokensInAnOutageOfTheStore(t *testing.T) {
	for name, lost := range map[string]bool{"nothing was stored": false, "the answer of the store was lost": true} {
		t.Run(name, func(t *testing.T) {
			b := newRedirected(t)
			c, state := b.begin()
			b.begins(state, "mine")
			b.returns(state, "mine", "c-1", authorize.ViewWorks)
			node := b.during(&outage{begins: func() bool { return len(b.bank.completions) > 0 }, left: 6, lost: lost})
			if err := node.Handle(t.Context(), string(c.ID)); err != nil {
				t.Error(err)
			}
			if c = b.handled(c.ID); c.Status != consent.Authorized || len(b.bank.completions) != 1 || b.secret(c).Tokens.Access != "access-1" {
				t.Errorf("%s %s after %d exchanges", c.Status, c.Failure, len(b.bank.completions))
			}
		})
	}
}

// This node is late, and another one makes the exchange again. It will be refused, for the
// code was used.
func TestExchange_StoresLateTokensInPlaceOfAnotherExchange(t *testing.T) {
	b := newRedirected(t)
	c, state := b.begin()
	b.begins(state, "mine")
	b.returns(state, "mine", "c-1", authorize.ViewWorks)
	first, again := b.bank.onComplete, b.node()
	sent, stored, handled := make(chan struct{}), make(chan struct{}), make(chan error)
	b.bank.onComplete = func(n int, done institution.Completion) (institution.Completed, error) {
		if n == 1 {
			go func() { handled <- again.Handle(context.WithoutCancel(t.Context()), string(c.ID)) }() // the lease of this one is over
			<-sent
			return first(n, done)
		}
		close(sent)
		<-stored
		return institution.Completed{State: institution.AuthorizationFailed, Failure: consent.AuthenticationFailed}, nil
	}
	err := b.Handle(t.Context(), string(c.ID))
	close(stored)
	if err = errors.Join(err, <-handled); err != nil {
		t.Error(err)
	}
	if c = b.handled(c.ID); c.Status != consent.Authorized || b.secret(c).Tokens.Access != "access-1" {
		t.Errorf("%s %s at %s", c.Status, c.Failure, c.Step)
	}
}

func TestRefresh_HoldsTokensInAnOutageOfTheStore(t *testing.T) {
	b := newRedirected(t)
	c := b.authorized()
	node := b.during(&outage{begins: func() bool { return len(b.bank.refreshed) > 0 }, left: 6})
	a, _, err := node.Access(t.Context(), c, "access-1")
	if err != nil || a.Token != "access-2" || b.secret(b.Consent(c.ID)).Tokens.Refresh != "refresh-2" || len(b.bank.refreshed) != 1 {
		t.Errorf("%q, %v after %d requests", a.Token, err, len(b.bank.refreshed))
	}
}

// The tokens of a message that tells the bank of an end are replaced, and held too.
func TestDeliver_HoldsTokensInAnOutageOfTheStore(t *testing.T) {
	b := newRedirected(t)
	c := b.authorized()
	if _, err := b.Revoke(t.Context(), b.User.ClientID, b.User.ID, c.ID); err != nil {
		t.Fatal(err)
	}
	b.bank.onRevoke = func(n int) error {
		if b.bank.revoked[n-1].Token == "access-1" {
			return kind(institution.TokenRefused)
		}
		return kind(institution.Unreachable)
	}
	node := b.during(&outage{begins: func() bool { return len(b.bank.refreshed) > 0 }, left: 3})
	id := b.dueMessages()[0]
	m, err := b.Store.OutboxMessage(t.Context(), id)
	if err == nil {
		err = node.Deliver(t.Context(), m)
	}
	if err != nil {
		t.Error(err)
	}
	if r, err := authorize.OpenRevocation(t.Context(), b.Vault, mustMessage(b, id)); err != nil || r.Refresh != "refresh-2" {
		t.Errorf("%q, %v", r.Refresh, err)
	}
}

func mustMessage(b *redirected, id string) outbox.Message {
	b.Helper()
	m, err := b.Store.OutboxMessage(b.Context(), id)
	if err != nil {
		b.Fatal(err)
	}
	return m
}

// An outage that lasts is not waited out: the handler ends.
func TestExchange_GivesUpHoldingTokens(t *testing.T) {
	b := newRedirected(t)
	c, state := b.begin()
	b.begins(state, "mine")
	b.returns(state, "mine", "c-1", authorize.ViewWorks)
	node := b.during(&outage{begins: func() bool { return len(b.bank.completions) > 0 }, left: 1 << 30})
	if err := node.Handle(t.Context(), string(c.ID)); !errors.Is(err, errDown) {
		t.Error(err)
	}
}
