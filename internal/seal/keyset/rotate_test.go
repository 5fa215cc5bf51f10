package keyset_test

import (
	"bytes"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/seal"
	"samla/internal/seal/keyset"
)

// installed is a master key's file with a key directory; rings are its nodes.
type installed struct {
	file, dir string
	clk       *clock.Manual
}

func install(t *testing.T) installed {
	t.Helper()
	var b bytes.Buffer
	if err := keyset.GenerateMaster(&b); err != nil {
		t.Fatal(err)
	}
	return installed{written(t, 0o600, b.Bytes()), filepath.Join(t.TempDir(), "keys"), clock.NewManual(start)}
}

func (i installed) ring(t *testing.T) *keyset.Ring {
	t.Helper()
	reload := func() (*keyset.Master, error) { return keyset.LoadMaster(i.file, "") }
	m, err := reload()
	if err != nil {
		t.Fatal(err)
	}
	r, err := keyset.OpenRing(keyset.RingConfig{Dir: i.dir, Master: m, Reload: reload, Clock: i.clk})
	if err != nil {
		t.Fatal(err)
	}
	r.Begin()
	return r
}

// Nodes seal and open while the master key is rotated and epochs begin; none fails.
func TestRotate_WhileNodesWork(t *testing.T) {
	i, keys := install(t), newMemory()
	stop := make(chan struct{})
	var work sync.WaitGroup
	for range 4 {
		v := keyset.NewEpochs(i.ring(t), keys, i.clk)
		work.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				sealed, err := v.Seal(t.Context(), seal.System, systemPlace, []byte("x"))
				if err == nil {
					_, err = v.Open(t.Context(), seal.System, systemPlace, sealed)
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	operator := i.ring(t)
	old, err := os.ReadFile(i.file)
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if err := operator.Rotate(i.file, true); err != nil {
			t.Fatal(err)
		}
		i.clk.Advance(24 * time.Hour)
	}
	close(stop)
	work.Wait()
	v := keyset.NewEpochs(i.ring(t), keys, i.clk) // starts with the newest key
	sealNow(t, v)
	m, err := keyset.LoadMaster(written(t, 0o600, old), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keyset.OpenRing(keyset.RingConfig{Dir: i.dir, Master: m, Clock: i.clk}); err == nil {
		t.Error("the old master key still opens the directory")
	}
	if info, err := os.Stat(i.file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

// What the master key itself has wrapped still opens if the old keys are kept, and a
// rotation that was interrupted after any of its writes leaves a directory that opens.
func TestRotate_CanBeInterruptedAnywhere(t *testing.T) {
	i, keys := install(t), newMemory()
	r := i.ring(t)
	v := keyset.NewEpochs(r, keys, i.clk)
	var sealed [][]byte
	for range 3 {
		_, s := sealNow(t, v)
		sealed = append(sealed, s)
		i.clk.Advance(24 * time.Hour)
	}
	m, err := keyset.LoadMaster(i.file, "")
	if err != nil {
		t.Fatal(err)
	}
	legacy, err := vault(t, m, keys, i.clk).Seal(t.Context(), seal.System, systemPlace, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	check := func(when string) {
		t.Helper()
		v := keyset.NewEpochs(i.ring(t), keys, i.clk)
		for _, s := range append(sealed, legacy) {
			if _, err := v.Open(t.Context(), seal.System, systemPlace, s); err != nil {
				t.Errorf("%s: %v", when, err)
			}
		}
	}
	files, _ := filepath.Glob(filepath.Join(i.dir, "epoch-*.json"))
	before := map[string][]byte{}
	for _, f := range files {
		if before[f], err = os.ReadFile(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Rotate(i.file, false); err != nil {
		t.Fatal(err)
	}
	check("rotated")
	// The master key's file is written first, then the epoch keys in order: with the old
	// files from any of them on, it is as if the process had died there.
	for n := len(files) - 1; n >= 0; n-- {
		if err := os.WriteFile(files[n], before[files[n]], 0o600); err != nil {
			t.Fatal(err)
		}
		check("interrupted")
	}
	if err := r.Rotate(i.file, false); err != nil {
		t.Fatal(err)
	}
	check("rotated again")
}
