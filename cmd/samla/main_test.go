package main

import (
	"bytes"
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
