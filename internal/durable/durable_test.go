package durable_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"samla/internal/durable"
)

func TestCreate_LeavesAnExistingFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := durable.Create(path, []byte("first")); err != nil {
		t.Fatal(err)
	}
	if err := durable.Create(path, []byte("second")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second file: %v", err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "first" {
		t.Errorf("%q, %v", b, err)
	}
	if err := durable.Replace(path, []byte("third")); err != nil {
		t.Fatal(err)
	}
	b, err := durable.Read(path, 100)
	if err != nil || string(b) != "third" {
		t.Errorf("%q, %v", b, err)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("files are left: %v, %v", entries, err)
	}
}

func TestRead_RefusesWhatOthersCanRead(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	for _, mode := range []os.FileMode{0o640, 0o604, 0o660, 0o610} {
		if err := os.WriteFile(path, []byte("x"), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := durable.Read(path, 100); !errors.Is(err, durable.ErrMode) {
			t.Errorf("%o: %v", mode, err)
		}
	}
	if err := os.Chmod(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	if err := durable.Private(dir); !errors.Is(err, durable.ErrMode) {
		t.Errorf("a directory that others can read: %v", err)
	}
}

func TestLock_IsExclusive(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first, err := durable.Lock(path, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := durable.Lock(path, false); !errors.Is(err, durable.ErrLocked) {
		t.Errorf("a second lock: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := durable.Lock(path, false)
	if err != nil {
		t.Fatal(err)
	}
	second.Close()
}

func TestErase_OverwritesAndRemoves(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := durable.Create(path, bytes.Repeat([]byte("secret"), 10)); err != nil {
		t.Fatal(err)
	}
	again, err := os.Open(path) // the content of the file that was removed
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if err := durable.Erase(path); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file is there: %v", err)
	}
	left := make([]byte, 100)
	if n, _ := again.Read(left); bytes.Contains(left[:n], []byte("secret")) {
		t.Error("the content was not overwritten")
	}
	if err := durable.Erase(path); err != nil {
		t.Errorf("a file that is gone: %v", err)
	}
}
