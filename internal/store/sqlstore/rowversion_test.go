package sqlstore_test

import (
	"math/rand/v2"
	"testing"

	"samla/internal/consent"
	"samla/internal/flowtest"
	"samla/internal/store"
	"samla/internal/store/sqlstore"
)

// twoNodes returns two stores on one PostgreSQL database, and the ids of n consents.
func twoNodes(t *testing.T, n int) (a, b *sqlstore.Store, ids []consent.ID) {
	database := flowtest.Postgres(t)
	a, b = open(t, sqlstore.Config{DSN: database}), open(t, sqlstore.Config{DSN: database})
	if err := a.Write(t.Context(), func(tx store.Tx) error {
		for range n {
			ids = append(ids, consent.ID(newID()))
			if err := tx.AddConsent(t.Context(), consent.Consent{ID: ids[len(ids)-1], ClientID: newID(), CollectionID: newID()}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return a, b, ids
}

// change writes a row and returns its new version.
func change(t *testing.T, tx store.Tx, id consent.ID) (rev int64, err error) {
	c, err := tx.LockConsent(t.Context(), id)
	if err != nil {
		return 0, err
	}
	c, err = tx.PutConsent(t.Context(), c)
	return c.Rev, err
}

func rev(t *testing.T, s *sqlstore.Store, id consent.ID) int64 {
	t.Helper()
	v, err := s.ConsentStatus(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return v.Rev
}

// A transaction that was running during the last poll and has committed since is seen,
// although nothing else has happened.
func TestConsentStatus_SeesTheCommitOfARunningTransaction(t *testing.T) {
	a, b, ids := twoNodes(t, 2)
	before := rev(t, a, ids[0])
	written, goOn, done := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		done <- b.Write(t.Context(), func(tx store.Tx) error {
			if _, err := change(t, tx, ids[0]); err != nil {
				return err
			}
			close(written)
			<-goOn
			return nil
		})
	}()
	<-written
	for range 3 {
		if got := rev(t, a, ids[0]); got != before {
			t.Errorf("version %d before the commit, want %d", got, before)
		}
	}
	close(goOn)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := rev(t, a, ids[0]); got <= before {
		t.Errorf("version %d after the commit, it was %d before", got, before)
	}
}

// Whatever is polled and written in which order at which node, a poll sees what was
// committed before.
func TestConsentStatus_SeesWhatAnotherNodeCommitted(t *testing.T) {
	a, b, ids := twoNodes(t, 5)
	nodes, newest := []*sqlstore.Store{a, b}, make([]int64, len(ids))
	random := rand.New(rand.NewPCG(1, 2))
	for range 1500 {
		node, i := nodes[random.IntN(2)], random.IntN(len(ids))
		if random.IntN(10) == 0 {
			if err := node.Write(t.Context(), func(tx store.Tx) (err error) {
				newest[i], err = change(t, tx, ids[i])
				return err
			}); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if got := rev(t, node, ids[i]); got < newest[i] {
			t.Fatalf("version %d, %d was committed", got, newest[i])
		}
	}
}
