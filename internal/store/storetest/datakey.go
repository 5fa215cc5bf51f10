package storetest

import (
	"errors"
	"testing"

	"samla/internal/seal"
	"samla/internal/store"
)

func testDataKeys(_ *testing.T, f fixture) {
	subject, never := newID(), newID()
	got, err := f.s.DataKey(f.ctx, subject)
	check(f, "no key yet", got, err, nil)
	for _, offered := range []string{"first", "second"} {
		got, err = f.s.AddDataKey(f.ctx, subject, []byte(offered))
		check(f, "the first key stays", string(got), err, "first")
	}
	got, err = f.s.DataKey(f.ctx, subject)
	check(f, "stored", string(got), err, "first")
	for _, s := range []string{subject, never, subject} {
		f.write(func(tx store.Tx) error { return tx.DestroyDataKey(f.ctx, s, start) })
		if got, err := f.s.DataKey(f.ctx, s); !errors.Is(err, seal.ErrKeyDestroyed) || got != nil {
			f.Errorf("a destroyed key: %q, %v", got, err)
		}
		if got, err := f.s.AddDataKey(f.ctx, s, []byte("third")); !errors.Is(err, seal.ErrKeyDestroyed) || got != nil {
			f.Errorf("a new key after the destruction: %q, %v", got, err)
		}
	}
	for _, none := range []string{"", seal.System} {
		if got, err := f.s.DataKey(f.ctx, none); !errors.Is(err, seal.ErrNoSubject) || got != nil {
			f.Errorf("DataKey of %q: %q, %v", none, got, err)
		}
		if got, err := f.s.AddDataKey(f.ctx, none, []byte("key")); !errors.Is(err, seal.ErrNoSubject) || got != nil {
			f.Errorf("AddDataKey of %q: %q, %v", none, got, err)
		}
		if err := f.s.Write(f.ctx, func(tx store.Tx) error { return tx.DestroyDataKey(f.ctx, none, start) }); !errors.Is(err, seal.ErrNoSubject) {
			f.Errorf("DestroyDataKey of %q: %v", none, err)
		}
	}
}

func testDataKeyRace(t *testing.T, f fixture) {
	subject := newID()
	var stored [16]string
	together(len(stored), func(i int) {
		got, err := f.s.AddDataKey(f.ctx, subject, []byte{byte('a' + i)})
		if err != nil {
			t.Error(err)
		}
		stored[i] = string(got)
	})
	for _, got := range stored {
		if got != stored[0] || got == "" {
			t.Fatalf("callers were given different keys: %q", stored)
		}
	}
}
