package keyset_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"samla/internal/clock"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/seal"
	"samla/internal/seal/keyset"
)

var (
	start = time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)
	place = seal.Place{Table: "consents", Column: "sealed", Row: "0199"}
	// systemPlace is one at which System may seal.
	systemPlace = seal.Place{Table: "duties", Column: "sealed", Row: "0199"}
)

// memory implements seal.Keys with a map. AddDataKey calls before, if it is set,
// before it does anything.
type memory struct {
	mu        sync.Mutex
	keys      map[string][]byte
	destroyed map[string]bool
	reads     int
	before    func()
}

func newMemory() *memory { return &memory{keys: map[string][]byte{}, destroyed: map[string]bool{}} }

func (m *memory) DataKey(_ context.Context, subject string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reads++
	if m.destroyed[subject] {
		return nil, seal.ErrKeyDestroyed
	}
	return m.keys[subject], nil
}

func (m *memory) AddDataKey(_ context.Context, subject string, wrapped []byte) ([]byte, error) {
	if m.before != nil {
		m.before()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.destroyed[subject] {
		return nil, seal.ErrKeyDestroyed
	}
	if m.keys[subject] == nil {
		m.keys[subject] = bytes.Clone(wrapped)
	}
	return m.keys[subject], nil
}

func (m *memory) destroy(subject string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.keys, subject)
	m.destroyed[subject] = true
}

func master(t testing.TB) *keyset.Master {
	t.Helper()
	m, err := keyset.NewMaster()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func vault(t testing.TB, m *keyset.Master, keys seal.Keys, clk clock.Clock) *keyset.Vault {
	t.Helper()
	v, err := keyset.New(m, keys, clk)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestVault_OpensOnlyForTheSameSubjectAndPlace(t *testing.T) {
	v := vault(t, master(t), newMemory(), clock.NewManual(start))
	name := rapid.StringMatching(`[a-z]{0,4}`)
	subjects := rapid.OneOf(rapid.StringMatching(`[a-z]{1,4}`), rapid.Just(seal.System))
	rapid.Check(t, func(rt *rapid.T) {
		type where struct {
			subject string
			at      seal.Place
		}
		draw := func(label string) where {
			w := where{subjects.Draw(rt, label+" subject"), seal.Place{
				Table: name.Draw(rt, label+" table"), Column: name.Draw(rt, label+" column"), Row: name.Draw(rt, label+" row"),
			}}
			if w.subject == seal.System {
				c := rapid.SampledFrom(seal.SystemColumns()).Draw(rt, label+" place")
				w.at.Table, w.at.Column = c.Table, c.Column
			}
			return w
		}
		w := draw("sealed")
		plain := rapid.SliceOfN(rapid.Byte(), 0, 80).Draw(rt, "plain")
		sealed, err := v.Seal(t.Context(), w.subject, w.at, plain)
		if err != nil {
			rt.Fatal(err)
		}
		if got, err := v.Open(t.Context(), w.subject, w.at, sealed); err != nil || !bytes.Equal(got, plain) {
			rt.Fatalf("did not open: %v", err)
		}
		if other := draw("opened"); other != w {
			if _, err := v.Open(t.Context(), other.subject, other.at, sealed); !errors.Is(err, seal.ErrDecryption) {
				rt.Fatalf("opened elsewhere: %v", err)
			}
		}
		changed := bytes.Clone(sealed)
		changed[rapid.IntRange(0, len(changed)-1).Draw(rt, "byte")] ^= byte(rapid.IntRange(1, 255).Draw(rt, "bits"))
		if _, err := v.Open(t.Context(), w.subject, w.at, changed); !errors.Is(err, seal.ErrDecryption) {
			rt.Fatalf("opened after a change: %v", err)
		}
		cut := sealed[:rapid.IntRange(0, len(sealed)-1).Draw(rt, "length")]
		if _, err := v.Open(t.Context(), w.subject, w.at, cut); !errors.Is(err, seal.ErrDecryption) {
			rt.Fatalf("opened after a cut: %v", err)
		}
	})
}

// The parts of the two places, written one after the other, are the same text.
func TestVault_KeepsThePartsOfAPlaceApart(t *testing.T) {
	v := vault(t, master(t), newMemory(), clock.NewManual(start))
	sealed, err := v.Seal(t.Context(), "u", seal.Place{Table: "ab", Column: "c", Row: "d"}, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Open(t.Context(), "u", seal.Place{Table: "a", Column: "bc", Row: "d"}, sealed); !errors.Is(err, seal.ErrDecryption) {
		t.Error(err)
	}
}

// A consent that belongs to neither a user nor a collection has the empty
// subject. It must not be sealed under the master key, which is never destroyed.
func TestVault_RefusesAnEmptySubject(t *testing.T) {
	keys := newMemory()
	v := vault(t, master(t), keys, clock.NewManual(start))
	for name, subject := range map[string]string{"consent": consent.Consent{}.Subject(), "collection": collection.Collection{}.Subject()} {
		if sealed, err := v.Seal(t.Context(), subject, place, []byte("x")); !errors.Is(err, seal.ErrNoSubject) || sealed != nil {
			t.Errorf("%s: sealed %d bytes, error %v", name, len(sealed), err)
		}
		if plain, err := v.Open(t.Context(), subject, place, []byte("x")); !errors.Is(err, seal.ErrNoSubject) || plain != nil {
			t.Errorf("%s: opened %q, error %v", name, plain, err)
		}
	}
	if len(keys.keys) != 0 {
		t.Error("a data key was made")
	}
}

func TestVault_SystemHasNoDataKey(t *testing.T) {
	keys := newMemory()
	v := vault(t, master(t), keys, clock.NewManual(start))
	sealed, err := v.Seal(t.Context(), seal.System, systemPlace, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Open(t.Context(), seal.System, systemPlace, sealed); err != nil {
		t.Error(err)
	}
	if len(keys.keys) != 0 || keys.reads != 0 {
		t.Errorf("%d data keys, %d reads", len(keys.keys), keys.reads)
	}
}

// What is in a database now must stay readable: bytes that were sealed when
// seal.System was the empty string, and bytes of a user with the wrapped key.
func TestVault_OpensWhatEarlierVersionsSealed(t *testing.T) {
	const (
		masterKey = `{"primaryKeyId":3385929553,"key":[{"keyData":{"typeUrl":"type.googleapis.com/google.crypto.tink.AesGcmKey",` +
			`"value":"GiAsIAK68BYymESOiROuguwIljLv7HppPNX45kG4yKrFDw==","keyMaterialType":"SYMMETRIC"},` +
			`"status":"ENABLED","keyId":3385929553,"outputPrefixType":"TINK"}]}`
		dataKey = "Eo0BAcnRL1HTX2pV7ndmqmtBnonf3CwpGghGrw81DiPK6nYWY2zo59vptdyLa+KBuLP0yKV1UYdeodavQlAvyTHBUDR5ST0KPrd8" +
			"sWQHCpHweXgz5hORgs24WN+DOi6sQkWX1U60IMFgFwmoFfh49JBKNLl4TQrJ2SM7KmA14Myy9pDXg06OHFQP7dR9uwtL"
		sealedForSystem = "AcnRL1HCKTmldUu5l9o0dFXPnrFx8Rnx1PB2LnkPG6pjhjR3Z3ya"
		sealedForUser   = "AY4ZGefq9r8SioAAzzoaxyEgWPe+giBsQ6QdCAAeiMC6jZeEkQ=="
	)
	decode := func(s string) []byte {
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	m, err := keyset.LoadMaster("", base64.StdEncoding.EncodeToString([]byte(masterKey)))
	if err != nil {
		t.Fatal(err)
	}
	keys := newMemory()
	keys.keys["user"] = decode(dataKey)
	v := vault(t, m, keys, clock.NewManual(start))
	for _, c := range []struct {
		subject, want, sealed string
		at                    seal.Place
	}{
		{seal.System, "system", sealedForSystem, seal.Place{Table: "signing_keys", Column: "sealed", Row: "0199"}},
		{"user", "user", sealedForUser, seal.Place{Table: "consents", Column: "sealed", Row: "0199"}},
	} {
		if plain, err := v.Open(t.Context(), c.subject, c.at, decode(c.sealed)); err != nil || string(plain) != c.want {
			t.Errorf("subject %q: opened %q, error %v", c.subject, plain, err)
		}
	}
}

func TestVault_OpenMakesNoKey(t *testing.T) {
	keys := newMemory()
	v := vault(t, master(t), keys, clock.NewManual(start))
	if _, err := v.Open(t.Context(), "u", place, []byte("x")); !errors.Is(err, seal.ErrDecryption) {
		t.Error(err)
	}
	if len(keys.keys) != 0 {
		t.Error("a key was made")
	}
}

func TestVault_OpensNothingOfAnotherMasterKey(t *testing.T) {
	keys, clk := newMemory(), clock.NewManual(start)
	v := vault(t, master(t), keys, clk)
	other := vault(t, master(t), keys, clk)
	for _, subject := range []string{"u", seal.System} {
		sealed, err := v.Seal(t.Context(), subject, systemPlace, []byte("x"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := other.Open(t.Context(), subject, systemPlace, sealed); !errors.Is(err, seal.ErrDecryption) {
			t.Errorf("subject %q: %v", subject, err)
		}
	}
	if _, err := other.Seal(t.Context(), "u", systemPlace, []byte("x")); !errors.Is(err, seal.ErrDecryption) {
		t.Errorf("sealed under a key it cannot unwrap: %v", err)
	}
}

func TestVault_DoesNotUnwrapTheKeyOfAnotherSubject(t *testing.T) {
	keys := newMemory()
	v := vault(t, master(t), keys, clock.NewManual(start))
	sealed, err := v.Seal(t.Context(), "a", place, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	keys.keys["b"] = keys.keys["a"]
	if _, err := v.Open(t.Context(), "b", place, sealed); !errors.Is(err, seal.ErrDecryption) {
		t.Error(err)
	}
}

func TestMaster_RotatedOpensWhatWasSealedBefore(t *testing.T) {
	keys, clk, old := newMemory(), clock.NewManual(start), master(t)
	before := vault(t, old, keys, clk)
	rotated, err := old.Rotated()
	if err != nil {
		t.Fatal(err)
	}
	after := vault(t, rotated, keys, clk)
	for _, subject := range []string{"u", seal.System} {
		sealed, err := before.Seal(t.Context(), subject, systemPlace, []byte("x"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := after.Open(t.Context(), subject, systemPlace, sealed); err != nil {
			t.Errorf("subject %q: %v", subject, err)
		}
	}
	// The new primary key wraps, so the old keyset cannot open it.
	sealed, err := after.Seal(t.Context(), seal.System, systemPlace, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := before.Open(t.Context(), seal.System, systemPlace, sealed); !errors.Is(err, seal.ErrDecryption) {
		t.Error(err)
	}
}

func TestVault_RefusesADestroyedKey(t *testing.T) {
	keys, clk := newMemory(), clock.NewManual(start)
	v := vault(t, master(t), keys, clk)
	sealed, err := v.Seal(t.Context(), "u", place, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	expect := func(when string) {
		t.Helper()
		if _, err := v.Open(t.Context(), "u", place, sealed); !errors.Is(err, seal.ErrKeyDestroyed) {
			t.Errorf("%s: open: %v", when, err)
		}
		if _, err := v.Seal(t.Context(), "u", place, nil); !errors.Is(err, seal.ErrKeyDestroyed) {
			t.Errorf("%s: seal: %v", when, err)
		}
	}
	keys.destroy("u")
	clk.Advance(time.Minute) // another node destroyed it: known within a minute
	expect("after a minute")

	if sealed, err = v.Seal(t.Context(), "w", place, []byte("x")); err != nil {
		t.Fatal(err)
	}
	keys.destroy("w")
	v.Evict("w")
	if _, err := v.Open(t.Context(), "w", place, sealed); !errors.Is(err, seal.ErrKeyDestroyed) {
		t.Errorf("after Evict: %v", err)
	}
}

func TestVault_UsesTheKeyThatAnotherNodeStoredFirst(t *testing.T) {
	m, keys, clk := master(t), newMemory(), clock.NewManual(start)
	winner, loser := vault(t, m, keys, clk), vault(t, m, keys, clk)
	var won []byte
	keys.before = func() {
		keys.before = nil
		var err error
		if won, err = winner.Seal(t.Context(), "u", place, []byte("first")); err != nil {
			t.Error(err)
		}
	}
	lost, err := loser.Seal(t.Context(), "u", place, []byte("second"))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []*keyset.Vault{winner, loser} {
		for _, sealed := range [][]byte{won, lost} {
			if _, err := v.Open(t.Context(), "u", place, sealed); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestVault_ConcurrentFirstCallsShareOneKey(t *testing.T) {
	m, keys, clk := master(t), newMemory(), clock.NewManual(start)
	nodes := []*keyset.Vault{vault(t, m, keys, clk), vault(t, m, keys, clk)}
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			v := nodes[i%2]
			if i%4 == 0 { // an Open that finds no key must not fail a Seal that shares its look-up
				if _, err := v.Open(t.Context(), "u", place, []byte("no")); !errors.Is(err, seal.ErrDecryption) {
					t.Error(err)
				}
			}
			sealed, err := v.Seal(t.Context(), "u", place, []byte{byte(i)})
			if err != nil {
				t.Error(err)
				return
			}
			if got, err := nodes[(i+1)%2].Open(t.Context(), "u", place, sealed); err != nil || got[0] != byte(i) {
				t.Error(got, err)
			}
		})
	}
	wg.Wait()
}

func TestVault_CachesAKey(t *testing.T) {
	keys := newMemory()
	v := vault(t, master(t), keys, clock.NewManual(start))
	sealed, _ := v.Seal(t.Context(), "u", place, []byte("x"))
	reads := keys.reads
	for range 100 {
		if _, err := v.Open(t.Context(), "u", place, sealed); err != nil {
			t.Fatal(err)
		}
	}
	if keys.reads != reads {
		t.Errorf("%d more reads", keys.reads-reads)
	}
}

func BenchmarkOpenCached(b *testing.B) {
	v := vault(b, master(b), newMemory(), clock.System())
	sealed, _ := v.Seal(b.Context(), "u", place, make([]byte, 300))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Open(b.Context(), "u", place, sealed); err != nil {
			b.Fatal(err)
		}
	}
}
