package main

import (
	"bytes"
	"strings"
	"testing"
)

// Scripts keep an API key in SAMLA_KEY: it is not taken for the name of a file.
func TestSourceCheck_LeavesTheAPIKeyAlone(t *testing.T) {
	t.Setenv("SAMLA_KEY", "samla_0123456789")
	var out, log bytes.Buffer
	err := run(t.Context(), []string{"source", "check", "http://source.example", "--secret", "x"}, &out, &log)
	if err == nil || !strings.Contains(err.Error(), "the URL must be https") {
		t.Errorf("got %v", err)
	}
}
