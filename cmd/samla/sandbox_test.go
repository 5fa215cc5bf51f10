package main

import (
	"strings"
	"testing"
)

// A second start with the same data would write the journals of the first, and move the port
// in the links of its banks.
func TestOnlyUser_KeepsASecondProcessOut(t *testing.T) {
	dir := t.TempDir()
	release, err := onlyUser(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := onlyUser(dir); err == nil || !strings.Contains(err.Error(), "another samla dev or samla sandbox uses the directory "+dir) {
		t.Errorf("a second one: %v", err)
	}
	release()
	if release, err = onlyUser(dir); err != nil {
		t.Fatalf("after the first has ended: %v", err)
	}
	release()
}
