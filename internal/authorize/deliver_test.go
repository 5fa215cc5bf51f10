package authorize_test

import (
	"sync"
	"testing"

	"samla/internal/audit"
	"samla/internal/consent"
	"samla/internal/testpg"
)

// onBoth runs a test on both engines.
func onBoth(t *testing.T, test func(t *testing.T, database string)) {
	t.Run("sqlite", func(t *testing.T) { test(t, t.TempDir()) })
	t.Run("postgres", func(t *testing.T) { test(t, testpg.URL(t)) })
}

// entries counts the audit entries of a kind about a consent.
func (b *bench) entries(id consent.ID, kind audit.Kind) (n int) {
	b.Helper()
	all, err := b.Store.AuditEntries(b.Context(), id)
	if err != nil {
		b.Fatal(err)
	}
	for _, e := range all {
		if audit.Kind(e.Kind) == kind {
			n++
		}
	}
	return n
}

// Two nodes deliver the same message, and the bank answers both before either
// stores the outcome.
func TestDeliver_RecordsADeliveryOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		b := newBenchOn(t, database)
		for range 5 {
			c := b.run(b.create().ID)
			if _, err := b.Revoke(t.Context(), b.User.ClientID, b.User.ID, c.ID); err != nil {
				t.Fatal(err)
			}
			id := b.duties()[0]
			var both, done sync.WaitGroup
			both.Add(2)
			b.bank.onRevoke = func(int) error {
				both.Done()
				both.Wait()
				return nil
			}
			for range 2 {
				node := b.service()
				done.Go(func() {
					if err := b.deliverOn(node, id); err != nil {
						t.Error(err)
					}
				})
			}
			done.Wait()
			if n := b.entries(c.ID, audit.BankTold); n != 1 {
				t.Errorf("%d entries", n)
			}
			if _, there := b.duty(id); there {
				t.Error("the message is still there")
			}
		}
	})
}

// An attempt that fails after another node has delivered the message changes
// nothing.
func TestDeliver_IgnoresAFailureAfterTheDelivery(t *testing.T) {
	b := newBench(t)
	c := b.run(b.create().ID)
	if _, err := b.Revoke(t.Context(), b.User.ClientID, b.User.ID, c.ID); err != nil {
		t.Fatal(err)
	}
	id := b.duties()[0]
	b.bank.onRevoke = func(n int) error {
		if n == 2 {
			return nil
		}
		if err := b.deliverOn(b.service(), id); err != nil {
			t.Error(err)
		}
		return kind("UNREACHABLE")
	}
	if err := b.deliver(id); err != nil {
		t.Error(err)
	}
	if _, there := b.duty(id); there || b.entries(c.ID, audit.BankTold) != 1 {
		t.Error("the message is there again, or its delivery is not recorded once")
	}
}
