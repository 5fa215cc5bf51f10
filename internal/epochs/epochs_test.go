package epochs_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/epochs"
	"samla/internal/flowtest"
	"samla/internal/journal"
	"samla/internal/outbox"
	"samla/internal/seal"
	"samla/internal/seal/keyset"
	"samla/internal/store"
)

const retention = 35 * 24 * time.Hour

// env is an installation; nodes share its database and key directory.
type env struct {
	*testing.T
	store  store.Store
	clock  *clock.Manual
	dir    string
	master *keyset.Master
}

// node is one node of an env.
type node struct {
	*env
	ring   *keyset.Ring
	vault  *keyset.Vault
	keeper *epochs.Keeper
}

func onBoth(t *testing.T, test func(e *env)) {
	for engine, database := range map[string]func(testing.TB) string{
		"sqlite": func(t testing.TB) string { return t.TempDir() }, "postgres": flowtest.Postgres,
	} {
		t.Run(engine, func(t *testing.T) {
			m, err := keyset.NewMaster()
			if err != nil {
				t.Fatal(err)
			}
			test(&env{t, flowtest.Open(t, database(t)), clock.NewManual(flowtest.Start), filepath.Join(t.TempDir(), "keys"), m})
		})
	}
}

func (e *env) node() *node {
	e.Helper()
	ring, err := keyset.OpenRing(keyset.RingConfig{Dir: e.dir, Master: e.master, Clock: e.clock})
	if err != nil {
		e.Fatal(err)
	}
	n := &node{env: e, ring: ring, vault: keyset.NewEpochs(ring, e.store, e.clock)}
	n.keeper = epochs.New(epochs.Deps{Store: e.store, Ring: ring, Vault: n.vault, Clock: e.clock, Log: slog.New(slog.DiscardHandler), Retention: retention})
	n.tick()
	return n
}

func (n *node) tick() epochs.Report {
	n.Helper()
	r, err := n.keeper.Tick(n.Context())
	if err != nil {
		n.Fatal(err)
	}
	return r
}

var place = seal.Place{Table: "consents", Column: "sealed", Row: "1"}

func (n *node) seal(subject string) []byte {
	n.Helper()
	sealed, err := n.vault.Seal(n.Context(), subject, place, []byte("secret"))
	if err != nil {
		n.Fatal(err)
	}
	return sealed
}

func (n *node) epochOf(subject string) seal.EpochID {
	n.Helper()
	wrapped, err := n.store.DataKey(n.Context(), subject)
	if err != nil {
		n.Fatal(err)
	}
	id, _ := seal.EpochOf(wrapped)
	return id
}

func (n *node) ids() []seal.EpochID {
	n.Helper()
	ids, err := n.ring.IDs()
	if err != nil {
		n.Fatal(err)
	}
	return ids
}

// A backup from any moment can be opened for the retention, and not a day and some
// minutes after it.
func TestKeeper_DestroysAKeyAfterTheRetention(t *testing.T) {
	onBoth(t, func(e *env) {
		a, b := e.node(), e.node()
		sealed := a.seal("u")
		backedUp, err := e.store.DataKey(e.Context(), "u") // as a backup of now has it
		if err != nil {
			e.Fatal(err)
		}
		began := e.clock.Now()
		for e.clock.Now().Before(began.Add(retention)) {
			e.clock.Advance(time.Hour)
			b.tick()
			a.tick()
			if _, err := b.vault.Rewrap("u", backedUp); err != nil {
				e.Fatalf("after %v: %v", e.clock.Now().Sub(began), err)
			}
		}
		for end := began.Add(retention + 24*time.Hour + 2*time.Hour); e.clock.Now().Before(end); {
			e.clock.Advance(time.Hour)
			a.tick()
		}
		b.tick() // drops it from memory
		for _, n := range []*node{a, b, e.node()} {
			if _, err := n.vault.Rewrap("u", backedUp); !errors.Is(err, seal.ErrEpochDestroyed) {
				e.Errorf("the backup opens: %v", err)
			}
			if plain, err := n.vault.Open(e.Context(), "u", place, sealed); err != nil || string(plain) != "secret" {
				e.Errorf("the live database: %q, %v", plain, err)
			}
		}
		if ids := a.ids(); len(ids) > 37 {
			e.Errorf("%d keys are kept", len(ids))
		}
	})
}

// Data keys and lasting rows of System of every age come under the key of the epoch, and
// a key stays as long as a row needs it.
func TestKeeper_RewrapsEverything(t *testing.T) {
	onBoth(t, func(e *env) {
		before, err := keyset.New(e.master, e.store, e.clock) // the release before
		if err != nil {
			e.Fatal(err)
		}
		const users = 250 // more than two batches
		sealed := map[string][]byte{}
		for i := range users {
			id := fmt.Sprintf("u%03d", i)
			if sealed[id], err = before.Seal(e.Context(), id, place, []byte("secret")); err != nil {
				e.Fatal(err)
			}
		}
		at := seal.Place{Table: "duties", Column: "sealed", Row: "m"}
		m := outbox.Message{ID: "m", Kind: outbox.EraseUser, CreatedAt: e.clock.Now()}
		if m.Sealed, err = before.Seal(e.Context(), seal.System, at, []byte("secret")); err != nil {
			e.Fatal(err)
		}
		if err := e.store.Write(e.Context(), func(tx store.Tx) error { return tx.AddOutboxMessage(e.Context(), m) }); err != nil {
			e.Fatal(err)
		}
		if err := e.store.Write(e.Context(), func(tx store.Tx) error { return tx.DestroyDataKey(e.Context(), "u007", e.clock.Now()) }); err != nil {
			e.Fatal(err)
		}
		n := e.node()
		for day := range 3 {
			now, _ := n.ring.Current()
			if used, err := e.store.EpochUsed(e.Context(), "", true); used || err != nil {
				e.Errorf("day %d: the master key is used, %v", day, err)
			}
			for i := range users {
				id := fmt.Sprintf("u%03d", i)
				if id == "u007" {
					continue
				}
				if got := n.epochOf(id); got != now {
					e.Fatalf("day %d: %s is under %q, not %q", day, id, got, now)
				}
				if plain, err := n.vault.Open(e.Context(), id, place, sealed[id]); err != nil || string(plain) != "secret" {
					e.Fatalf("%q, %v", plain, err)
				}
			}
			m, err := e.store.OutboxMessage(e.Context(), "m")
			if id, _ := seal.EpochOf(m.Sealed); err != nil || id != now {
				e.Errorf("day %d: the message is under %q, %v", day, id, err)
			}
			if plain, err := n.vault.Open(e.Context(), seal.System, at, m.Sealed); err != nil || string(plain) != "secret" {
				e.Errorf("%q, %v", plain, err)
			}
			if r := n.tick(); r != (epochs.Report{}) {
				e.Errorf("day %d: a second turn did %+v", day, r)
			}
			e.clock.Advance(24 * time.Hour)
			if r := n.tick(); r.Rewrapped != users-1 || r.Resealed != 1 {
				e.Errorf("day %d: %+v", day, r)
			}
		}
		if _, err := e.store.DataKey(e.Context(), "u007"); !errors.Is(err, seal.ErrKeyDestroyed) {
			e.Errorf("a destroyed key: %v", err)
		}
	})
}

// A message of a user is under the user's data key: it is wrapped again with that, stays
// readable, keeps no epoch key, and is gone for ever with the key.
func TestKeeper_LeavesMessagesOfUsers(t *testing.T) {
	onBoth(t, func(e *env) {
		n := e.node()
		var log strings.Builder
		n.keeper.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))
		at := seal.Place{Table: "duties", Column: "sealed", Row: "c"}
		m := outbox.Message{ID: "c", Kind: outbox.ApplyCollection, CreatedAt: e.clock.Now()}
		var err error
		if m.Sealed, err = n.vault.Seal(e.Context(), "u", at, []byte("secret")); err != nil {
			e.Fatal(err)
		}
		if err := e.store.Write(e.Context(), func(tx store.Tx) error { return tx.AddOutboxMessage(e.Context(), m) }); err != nil {
			e.Fatal(err)
		}
		if used, err := e.store.EpochUsed(e.Context(), "", true); used || err != nil {
			e.Errorf("the master key is used, %v", err)
		}
		for range 40 { // longer than the retention
			e.clock.Advance(24 * time.Hour)
			if r := n.tick(); r.Rewrapped != 1 || r.Resealed != 0 {
				e.Fatalf("%+v", r)
			}
		}
		if ids := n.ids(); len(ids) > 38 {
			e.Errorf("%d keys are kept", len(ids))
		}
		kept, err := e.store.OutboxMessage(e.Context(), "c")
		if err != nil || !bytes.Equal(kept.Sealed, m.Sealed) {
			e.Fatalf("the message was changed: %v", err)
		}
		if plain, err := n.vault.Open(e.Context(), "u", at, kept.Sealed); err != nil || string(plain) != "secret" {
			e.Errorf("%q, %v", plain, err)
		}
		if err := e.store.Write(e.Context(), func(tx store.Tx) error { return tx.DestroyDataKey(e.Context(), "u", e.clock.Now()) }); err != nil {
			e.Fatal(err)
		}
		n.vault.Evict("u")
		e.clock.Advance(24 * time.Hour)
		n.tick()
		if _, err := n.vault.Open(e.Context(), "u", at, kept.Sealed); !errors.Is(err, seal.ErrKeyDestroyed) {
			e.Errorf("opens after the erasure: %v", err)
		}
		if log.Len() > 0 {
			e.Errorf("logged: %s", log.String())
		}
	})
}

// A key that a row needs is kept, however old it is: here the data key of a subject whose
// epoch key is away while it should be wrapped again.
func TestKeeper_KeepsAKeyThatIsNeeded(t *testing.T) {
	onBoth(t, func(e *env) {
		n := e.node()
		n.seal("u")
		first := n.ids()[0]
		wrapped, err := e.store.DataKey(e.Context(), "u")
		if err != nil {
			e.Fatal(err)
		}
		broken := append(append([]byte{}, wrapped[:len(wrapped)-1]...), wrapped[len(wrapped)-1]^1)
		if _, err := e.store.ReplaceDataKeys(e.Context(), []store.Rewrapped{{Key: "u", Old: wrapped, New: broken}}); err != nil {
			e.Fatal(err)
		}
		since := e.clock.Now()
		j, err := journal.Open(filepath.Join(e.dir, "journal"), e.clock)
		if err != nil {
			e.Fatal(err)
		}
		n.keeper.Journal = j
		if err := j.Record(e.Context(), journal.Record{Kind: journal.UserErased, ID: "erased"}); err != nil {
			e.Fatal(err)
		}
		for range 60 {
			e.clock.Advance(24 * time.Hour)
			n.tick()
		}
		if ids := n.ids(); ids[0] != first {
			e.Errorf("the key of %q was destroyed", first)
		}
		// It opens the backups of its epoch, so what was decided since is still known.
		if kept, err := journal.Read(filepath.Join(e.dir, "journal"), since); err != nil || len(kept) != 1 {
			e.Errorf("the journal has %d records, %v", len(kept), err)
		}
	})
}

// The journal does not grow for ever: when no backup of its days opens, they are deleted.
func TestKeeper_PrunesTheJournal(t *testing.T) {
	onBoth(t, func(e *env) {
		n := e.node()
		dir := filepath.Join(e.dir, "journal")
		j, err := journal.Open(dir, e.clock)
		if err != nil {
			e.Fatal(err)
		}
		n.keeper.Journal = j
		first := e.clock.Now()
		for day := range 50 {
			if err := j.Record(e.Context(), journal.Record{Kind: journal.UserErased, ID: fmt.Sprint(day)}); err != nil {
				e.Fatal(err)
			}
			e.clock.Advance(24 * time.Hour)
			n.tick()
		}
		kept, err := journal.Read(dir, first)
		if err != nil || len(kept) < 42 || len(kept) > 46 {
			e.Errorf("%d days are kept, %v", len(kept), err)
		}
	})
}

// A database of the release before is written as before, until an operator says that all
// nodes are new.
func TestKeeper_WaitsForTheOperator(t *testing.T) {
	onBoth(t, func(e *env) {
		n := e.node()
		waiting := &notBegun{Epochs: e.store}
		ring, err := keyset.OpenRing(keyset.RingConfig{Dir: e.dir, Master: e.master, Clock: e.clock})
		if err != nil {
			e.Fatal(err)
		}
		vault := keyset.NewEpochs(ring, e.store, e.clock)
		k := epochs.New(epochs.Deps{Store: waiting, Ring: ring, Vault: vault, Clock: e.clock, Log: slog.New(slog.DiscardHandler), Retention: retention})
		if r, err := k.Tick(e.Context()); r != (epochs.Report{}) || err != nil {
			e.Errorf("%+v, %v", r, err)
		}
		if _, err := vault.Seal(e.Context(), "u", place, nil); err != nil {
			e.Fatal(err)
		}
		if id := n.epochOf("u"); id != "" {
			e.Errorf("wrapped under %q", id)
		}
		waiting.begun = true
		if r, err := k.Tick(e.Context()); r.Rewrapped != 1 || err != nil {
			e.Errorf("%+v, %v", r, err)
		}
		if id := n.epochOf("u"); id == "" {
			e.Error("still under the master key")
		}
	})
}

// notBegun is a store whose epochs have not begun.
type notBegun struct {
	store.Epochs
	begun bool
}

func (s *notBegun) Installation(ctx context.Context) (store.Installation, error) {
	i, err := s.Epochs.Installation(ctx)
	if !s.begun {
		i.BegunAt = time.Time{}
	}
	return i, err
}

func TestCheckRetention_LeavesRoomForWhatLivesADay(t *testing.T) {
	if epochs.CheckRetention(epochs.MinRetention) != nil || epochs.CheckRetention(epochs.MinRetention-1) == nil || epochs.CheckRetention(0) == nil {
		t.Error("the limit is another one")
	}
}

// How many data keys a second are wrapped again.
func BenchmarkRewrap(b *testing.B) {
	const subjects = 2000
	m, err := keyset.NewMaster()
	if err != nil {
		b.Fatal(err)
	}
	s, clk := flowtest.Open(b, b.TempDir()), clock.NewManual(flowtest.Start)
	ring, err := keyset.OpenRing(keyset.RingConfig{Dir: filepath.Join(b.TempDir(), "keys"), Master: m, Clock: clk})
	if err != nil {
		b.Fatal(err)
	}
	vault := keyset.NewEpochs(ring, s, clk)
	k := epochs.New(epochs.Deps{Store: s, Ring: ring, Vault: vault, Clock: clk, Log: slog.New(slog.DiscardHandler), Retention: retention})
	if _, err := k.Tick(b.Context()); err != nil {
		b.Fatal(err)
	}
	for i := range subjects {
		if _, err := vault.Seal(b.Context(), fmt.Sprint(i), place, nil); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		clk.Advance(24 * time.Hour)
		if r, err := k.Tick(b.Context()); err != nil || r.Rewrapped != subjects {
			b.Fatal(r, err)
		}
	}
	b.ReportMetric(float64(subjects*b.N)/b.Elapsed().Seconds(), "keys/s")
}
