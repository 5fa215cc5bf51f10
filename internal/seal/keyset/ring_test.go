package keyset_test

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/durable"
	"samla/internal/seal"
	"samla/internal/seal/keyset"
)

func ring(t *testing.T, dir string, m *keyset.Master, clk clock.Clock) *keyset.Ring {
	t.Helper()
	r, err := keyset.OpenRing(keyset.RingConfig{Dir: dir, Master: m, Clock: clk})
	if err != nil {
		t.Fatal(err)
	}
	r.Begin()
	return r
}

// epochOf returns the epoch of what is sealed now for System, and the sealed bytes.
func sealNow(t *testing.T, v *keyset.Vault) (seal.EpochID, []byte) {
	t.Helper()
	sealed, err := v.Seal(t.Context(), seal.System, systemPlace, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	id, _ := seal.EpochOf(sealed)
	return id, sealed
}

func opens(t *testing.T, v *keyset.Vault, sealed []byte) {
	t.Helper()
	if plain, err := v.Open(t.Context(), seal.System, systemPlace, sealed); err != nil || string(plain) != "x" {
		t.Errorf("%q, %v", plain, err)
	}
}

func TestRing_HasAKeyForEachDay(t *testing.T) {
	dir, m, clk, keys := filepath.Join(t.TempDir(), "keys"), master(t), clock.NewManual(start), newMemory()
	v := keyset.NewEpochs(ring(t, dir, m, clk), keys, clk)
	first, sealed := sealNow(t, v)
	if _, err := v.Seal(t.Context(), "u", place, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if id, _ := seal.EpochOf(keys.keys["u"]); first != "20260401T000000Z" || id != first {
		t.Errorf("epochs %q and %q", first, id)
	}
	clk.Advance(15 * time.Hour)
	if id, _ := sealNow(t, v); id != first {
		t.Errorf("another epoch on the same day: %q", id)
	}
	clk.Advance(time.Hour)
	second, _ := sealNow(t, v)
	if second != "20260402T000000Z" {
		t.Errorf("on the next day: %q", second)
	}
	opens(t, v, sealed)
	// Another node, and one that starts later, read the same files.
	opens(t, keyset.NewEpochs(ring(t, dir, m, clk), keys, clk), sealed)
	wrapped, err := v.Rewrap("u", keys.keys["u"])
	if id, _ := seal.EpochOf(wrapped); err != nil || id != second {
		t.Errorf("wrapped again under %q, %v", id, err)
	}
	for _, name := range []string{"epoch-20260401T000000Z.json", "epoch-20260402T000000Z.json"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}

// Before the ring has begun everything is as the release before writes it, and what
// that has written opens afterwards.
func TestRing_WritesAsBeforeUntilItBegins(t *testing.T) {
	m, clk, keys := master(t), clock.NewManual(start), newMemory()
	r, err := keyset.OpenRing(keyset.RingConfig{Dir: t.TempDir() + "/keys", Master: m, Clock: clk})
	if err != nil {
		t.Fatal(err)
	}
	now, before := keyset.NewEpochs(r, keys, clk), vault(t, m, keys, clk)
	for _, subject := range []string{"u", seal.System} {
		sealed, err := now.Seal(t.Context(), subject, systemPlace, []byte("x"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := before.Open(t.Context(), subject, systemPlace, sealed); err != nil {
			t.Errorf("%s: the release before does not open it: %v", subject, err)
		}
	}
	_, old := sealNow(t, before)
	r.Begin()
	opens(t, now, old)
	if id, _ := sealNow(t, now); id == "" {
		t.Error("still under the master key")
	}
}

func TestRing_OpensNothingAfterTheKeyIsDestroyed(t *testing.T) {
	dir, m, clk, keys := t.TempDir()+"/keys", master(t), clock.NewManual(start), newMemory()
	r := ring(t, dir, m, clk)
	v := keyset.NewEpochs(r, keys, clk)
	id, sealed := sealNow(t, v)
	other := ring(t, dir, m, clk)
	if err := r.Destroy(id); err != nil {
		t.Fatal(err)
	}
	if err := other.Forget(); err != nil { // another node
		t.Fatal(err)
	}
	for name, v := range map[string]*keyset.Vault{"this": v, "other": keyset.NewEpochs(other, keys, clk), "new": keyset.NewEpochs(ring(t, dir, m, clk), keys, clk)} {
		if _, err := v.Open(t.Context(), seal.System, systemPlace, sealed); !errors.Is(err, seal.ErrDecryption) || !errors.Is(err, seal.ErrEpochDestroyed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRing_NodesShareOneKeyOfAnEpoch(t *testing.T) {
	dir, m, clk := t.TempDir()+"/keys", master(t), clock.NewManual(start)
	var vaults [8]*keyset.Vault
	for i := range vaults {
		vaults[i] = keyset.NewEpochs(ring(t, dir, m, clk), newMemory(), clk)
	}
	var sealed [len(vaults)][]byte
	var all sync.WaitGroup
	for i, v := range vaults {
		all.Go(func() {
			var err error
			if sealed[i], err = v.Seal(t.Context(), seal.System, systemPlace, []byte("x")); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for i := range sealed {
		opens(t, vaults[(i+1)%len(vaults)], sealed[i])
	}
}

func TestRing_RefusesADirectoryOrAFileOfOthers(t *testing.T) {
	dir, m, clk := t.TempDir()+"/keys", master(t), clock.NewManual(start)
	r := ring(t, dir, m, clk)
	sealNow(t, keyset.NewEpochs(r, newMemory(), clk))
	open := func(m *keyset.Master) error {
		_, err := keyset.OpenRing(keyset.RingConfig{Dir: dir, Master: m, Clock: clk})
		return err
	}
	if err := open(master(t)); !errors.Is(err, seal.ErrDecryption) {
		t.Errorf("another master key: %v", err)
	}
	if err := errors.Join(r.Own("a"), r.Own("a")); err != nil {
		t.Error(err)
	}
	if r.Own("b") == nil {
		t.Error("a directory of another installation was accepted")
	}
	file := filepath.Join(dir, "epoch-20260401T000000Z.json")
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := open(m); !errors.Is(err, durable.ErrMode) {
		t.Errorf("a file that others can read: %v", err)
	}
	if err := errors.Join(os.Chmod(file, 0o600), os.WriteFile(file, []byte(`{"epoch":`), 0o600)); err != nil {
		t.Fatal(err)
	}
	if open(m) == nil {
		t.Error("a damaged file was accepted")
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := open(m); !errors.Is(err, durable.ErrMode) {
		t.Errorf("a directory that others can read: %v", err)
	}
}

// If the directory does not answer when an epoch ends, the last key serves on.
func TestRing_BridgesADirectoryThatDoesNotAnswer(t *testing.T) {
	dir, m, clk := t.TempDir()+"/keys", master(t), clock.NewManual(start)
	v := keyset.NewEpochs(ring(t, dir, m, clk), newMemory(), clk)
	first, _ := sealNow(t, v)
	if err := os.Rename(dir, dir+".away"); err != nil {
		t.Fatal(err)
	}
	clk.Advance(24 * time.Hour)
	if id, _ := sealNow(t, v); id != first {
		t.Errorf("sealed under %q", id)
	}
	clk.Advance(24 * time.Hour)
	if _, err := v.Seal(t.Context(), seal.System, systemPlace, nil); err == nil {
		t.Error("sealed under a key of two days ago")
	}
	if err := os.Rename(dir+".away", dir); err != nil {
		t.Fatal(err)
	}
	if id, _ := sealNow(t, v); id != "20260403T000000Z" {
		t.Errorf("sealed under %q", id)
	}
}

func TestVault_RefusesAPlaceWhereSystemIsNotSealedAgain(t *testing.T) {
	v := vault(t, master(t), newMemory(), clock.NewManual(start))
	if _, err := v.Seal(t.Context(), seal.System, place, nil); err == nil {
		t.Error("was sealed")
	}
}

// The mount of the key directory goes away, and an empty directory is in its place. That
// destroys no key: what is known goes on, and nothing is sealed under a key that would be
// lost when the mount is back.
func TestRing_OutlastsTheLossOfItsDirectory(t *testing.T) {
	for name, empty := range map[string]bool{"nothing is there": false, "an empty directory is there": true} {
		t.Run(name, func(t *testing.T) {
			dir, m, clk, keys := filepath.Join(t.TempDir(), "keys"), master(t), clock.NewManual(start), newMemory()
			r := ring(t, dir, m, clk)
			if err := r.Own("a"); err != nil {
				t.Fatal(err)
			}
			v := keyset.NewEpochs(r, keys, clk)
			first, sealed := sealNow(t, v)
			later := ring(t, dir, m, clk) // knows a key only when it has read it
			if err := later.Own("a"); err != nil {
				t.Fatal(err)
			}
			clk.Advance(24 * time.Hour)
			_, unknown := sealNow(t, v)

			err := os.Rename(dir, dir+"-away")
			if empty {
				err = errors.Join(err, os.Mkdir(dir, 0o700))
			}
			if err != nil {
				t.Fatal(err)
			}
			if r.Forget() == nil {
				t.Error("forgets what it cannot list")
			}
			opens(t, v, sealed)
			opens(t, v, unknown)
			if _, err := keyset.NewEpochs(later, keys, clk).Open(t.Context(), seal.System, systemPlace, unknown); err == nil || errors.Is(err, seal.ErrDecryption) {
				t.Errorf("an unknown key is said to be destroyed: %v", err)
			}
			clk.Advance(24 * time.Hour)
			id, then := sealNow(t, v)
			if left, err := os.ReadDir(dir); id == first || empty && (err != nil || len(left) > 0) {
				t.Errorf("sealed under %q, %d new files, %v", id, len(left), err)
			}

			if empty {
				err = os.Remove(dir)
			}
			if err = errors.Join(err, os.Rename(dir+"-away", dir)); err != nil {
				t.Fatal(err)
			}
			for _, at := range [][]byte{sealed, unknown, then} {
				opens(t, keyset.NewEpochs(later, keys, clk), at)
			}
			if id, _ := sealNow(t, v); id != "20260403T000000Z" {
				t.Errorf("sealed under %q", id)
			}
		})
	}
}
