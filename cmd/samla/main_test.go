package main

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What people type by habit is understood.
func TestRun_UnderstandsHabits(t *testing.T) {
	for args, want := range map[string]string{
		"help":              "Usage: samla <command>",
		"help source check": "Usage: samla source check <url>",
		"--version":         "2025-01-01, 2026-04-01",
	} {
		var out, log bytes.Buffer
		if err := run(t.Context(), strings.Fields(args), &out, &log); err != nil || !strings.Contains(out.String(), want) {
			t.Errorf("samla %s: %v, printed %q", args, err, out.String())
		}
	}
	for _, args := range []string{"", "version --version", "halp"} {
		if err := run(t.Context(), strings.Fields(args), new(bytes.Buffer), new(bytes.Buffer)); err == nil {
			t.Errorf("samla %s was accepted", args)
		}
	}
}

// A day is told how to be written, not how Go reads it.
func TestRun_SaysHowADayIsWritten(t *testing.T) {
	for _, args := range []string{"audit export --from yesterday", "audit export --to 2026-02-30", "renormalize --since 27/11/2026"} {
		err := run(t.Context(), strings.Fields(args), new(bytes.Buffer), new(bytes.Buffer))
		if err == nil || !strings.Contains(err.Error(), "is no day: write it as 2026-11-27") {
			t.Errorf("samla %s: %v", args, err)
		}
	}
}

func TestDev_SaysWhatToDoIfItsAddressIsTaken(t *testing.T) {
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	err = run(t.Context(), []string{"dev", "--data", t.TempDir(), "--listen", l.Addr().String()}, new(bytes.Buffer), new(bytes.Buffer))
	if err == nil || !strings.Contains(err.Error(), "pass --listen with another one") {
		t.Error(err)
	}
}

// A master key is never overwritten: what it encrypted could not be read any more.
func TestMasterKey_IsNotOverwritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "master.json")
	create := func() error {
		return run(t.Context(), []string{"master-key", file}, new(bytes.Buffer), new(bytes.Buffer))
	}
	if err := create(); err != nil {
		t.Fatal(err)
	}
	first, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := create(); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("got %v", err)
	}
	if second, err := os.ReadFile(file); err != nil || !bytes.Equal(first, second) {
		t.Errorf("the key changed, or %v", err)
	}
}
