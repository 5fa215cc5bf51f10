// Package browser walks the pages for persons in a real Chromium.
package browser

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The packages that tools/deps.sh installs.
const workspace = "../../bin/browser"

// driver is a running Chromium. Each page that is opened by another name has cookies of its
// own, as another browser does.
type driver struct {
	t      *testing.T
	in     io.WriteCloser
	out    *bufio.Reader
	stderr *bytes.Buffer
	prefix string // of the names of pages
}

// newDriver starts Chromium. The test is skipped if it, or its packages, are not installed,
// or fails if SAMLA_TEST_REQUIRE_BROWSER is set.
func newDriver(t *testing.T) *driver {
	t.Helper()
	want, err := os.ReadFile("js/package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	lacks := func(what string) {
		t.Helper()
		if os.Getenv("SAMLA_TEST_REQUIRE_BROWSER") != "" {
			t.Fatal(what)
		}
		t.Skip(what)
	}
	if got, err := os.ReadFile(filepath.Join(workspace, "node_modules", "installed.json")); err != nil || !bytes.Equal(got, want) {
		lacks("the packages of test/browser/js are not installed: run tools/deps.sh")
	}
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		lacks("chromium is not installed: run tools/deps.sh")
	}
	script, err := os.ReadFile("js/driver.mjs")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(workspace, "driver.mjs"), script, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", "driver.mjs")
	cmd.Dir, cmd.Env = workspace, append(os.Environ(), "SAMLA_CHROMIUM="+chromium)
	d := &driver{t: t, stderr: &bytes.Buffer{}}
	cmd.Stderr = d.stderr
	if d.in, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	d.out = bufio.NewReader(out)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = d.in.Close()
		_ = cmd.Wait()
	})
	return d
}

// do runs a command of js/driver.mjs and decodes its value.
func (d *driver) do(command map[string]any, value any) {
	d.t.Helper()
	line, err := json.Marshal(command)
	if err != nil {
		d.t.Fatal(err)
	}
	if _, err := d.in.Write(append(line, '\n')); err != nil {
		d.t.Fatalf("the driver has ended: %v\n%s", err, d.stderr)
	}
	answer, err := d.out.ReadBytes('\n')
	if err != nil {
		d.t.Fatalf("the driver has ended: %v\n%s", err, d.stderr)
	}
	var got struct {
		Value json.RawMessage
		Error string
	}
	if err := json.Unmarshal(answer, &got); err != nil {
		d.t.Fatalf("the driver says %s", answer)
	}
	if got.Error != "" {
		d.t.Fatalf("%s: %s", line, got.Error)
	}
	if value != nil {
		if err := json.Unmarshal(got.Value, value); err != nil {
			d.t.Fatalf("the driver says %s", answer)
		}
	}
}

// page is a browser with one page.
type page struct {
	*driver
	name string
}

func (d *driver) page(name string) page { return page{d, d.prefix + "/" + name} }

func (p page) open(url string) {
	p.t.Helper()
	p.do(map[string]any{"do": "open", "page": p.name, "url": url}, nil)
}

func (p page) click(what string) {
	p.t.Helper()
	p.do(map[string]any{"do": "click", "page": p.name, "what": what}, nil)
}

func (p page) fill(what, text string) {
	p.t.Helper()
	p.do(map[string]any{"do": "fill", "page": p.name, "what": what, "text": text}, nil)
}

func (p page) text(what string) (text string) {
	p.t.Helper()
	p.do(map[string]any{"do": "text", "page": p.name, "what": what}, &text)
	return text
}

func (p page) attribute(what, name string) (value string) {
	p.t.Helper()
	p.do(map[string]any{"do": "attribute", "page": p.name, "what": what, "name": name}, &value)
	return value
}

// waitFor waits until an element is there.
func (p page) waitFor(what string) {
	p.t.Helper()
	p.do(map[string]any{"do": "waitFor", "page": p.name, "what": what}, nil)
}

// waitURL waits until the address begins with a text.
func (p page) waitURL(text string) {
	p.t.Helper()
	p.do(map[string]any{"do": "waitURL", "page": p.name, "text": text}, nil)
}

func (p page) url() (url string) {
	p.t.Helper()
	p.do(map[string]any{"do": "url", "page": p.name}, &url)
	return url
}

func (p page) back() {
	p.t.Helper()
	p.do(map[string]any{"do": "back", "page": p.name}, nil)
}

func (p page) reload() {
	p.t.Helper()
	p.do(map[string]any{"do": "reload", "page": p.name}, nil)
}

// block keeps the page from reaching addresses with a text.
func (p page) block(text string) {
	p.t.Helper()
	p.do(map[string]any{"do": "block", "page": p.name, "text": text}, nil)
}
