package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRead_NeedsALicenceText(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := component{name: "example.org/x", version: "v1.0.0", dir: dir}
	if err := c.read(); err == nil || !strings.Contains(err.Error(), "example.org/x v1.0.0") {
		t.Errorf("no text: %v", err)
	}
	put("LICENSE", "Ask me.")
	c.files = nil
	if err := c.read(); err == nil {
		t.Error("a text that is no known licence was accepted")
	}
	put("LICENSE", "Copyright 2026 A\n\n"+isc)
	put("licenses.go", "package x")
	c.files = nil
	if err := c.read(); err != nil || c.licences() != "ISC" || len(c.files) != 1 {
		t.Errorf("%q in %d files, %v", c.licences(), len(c.files), err)
	}
	var out strings.Builder
	write(&out, []component{c})
	if !strings.Contains(out.String(), "example.org/x v1.0.0: ISC\n") || !strings.Contains(out.String(), isc) {
		t.Errorf("written:\n%s", out.String())
	}
}

const isc = `Permission to use, copy, modify, and/or distribute this software for any
purpose with or without fee is hereby granted, provided that the above
copyright notice and this permission notice appear in all copies.

THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES
WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF
MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR
ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES
WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN
ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF
OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.`
