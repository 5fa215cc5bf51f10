package journal_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"samla/internal/sandbox/journal"

	"github.com/google/go-cmp/cmp"
)

type line struct {
	Name string `json:"name"`
}

// reopen opens the journal as a restart would. It returns the entries that were read
// and the open file.
func reopen(t *testing.T, path string) ([]line, *journal.File[line]) {
	t.Helper()
	var got []line
	f, err := journal.Open(path, func(l line) { got = append(got, l) }, func(yield func(line) bool) {
		slices.Values(got)(yield)
	})
	if err != nil {
		t.Fatal(err)
	}
	return got, f
}

func write(t *testing.T, f *journal.File[line], names ...string) {
	t.Helper()
	for _, name := range names {
		if err := f.Write(line{name}); err != nil {
			t.Fatal(err)
		}
	}
}

// The file is not closed between the starts, as after a kill.
func TestJournal_KeepsEntriesAfterKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	got, f := reopen(t, path)
	if len(got) != 0 {
		t.Errorf("a new file contains %v", got)
	}
	write(t, f, "a", "b")
	_, f = reopen(t, path)
	write(t, f, "c")
	half, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := half.WriteString(`{"name":"d"}`); err != nil { // without the newline
		t.Fatal(err)
	}
	if err := half.Close(); err != nil {
		t.Fatal(err)
	}
	got, f = reopen(t, path)
	if diff := cmp.Diff([]line{{"a"}, {"b"}, {"c"}}, got); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("%d files in the directory, want 1", len(left))
	}
}

func TestOpen_ReplacesLinesByState(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	if err := os.WriteFile(path, []byte("{\"name\":\"old\"}\n{\"name\":\"older\"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := journal.Open(path, func(line) {}, slices.Values([]line{{"only"}}))
	if err != nil {
		t.Fatal(err)
	}
	write(t, f, "new")
	if got, _ := os.ReadFile(path); string(got) != "{\"name\":\"only\"}\n{\"name\":\"new\"}\n" {
		t.Errorf("the file contains %q", got)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

func TestJournal_ReturnsErrors(t *testing.T) {
	dir := t.TempDir()
	none := slices.Values([]line{})
	if _, err := journal.Open(filepath.Join(dir, "no", "folder"), func(line) {}, none); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing directory: %v", err)
	}
	path := filepath.Join(dir, "j")
	broken := "{\"name\":\"a\"}\n{\"name\":\"198412099296\"\n{\"name\":\"b\"}\n"
	if err := os.WriteFile(path, []byte(broken), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := journal.Open(path, func(line) {}, none)
	if err == nil || strings.Contains(err.Error(), "19841209") || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("invalid line: %v", err)
	}
	if got, _ := os.ReadFile(path); string(got) != broken {
		t.Error("a file that cannot be parsed was replaced")
	}
	_, f := reopen(t, filepath.Join(dir, "other"))
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := f.Write(line{"late"}); !errors.Is(err, os.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	}
	if f.Close() == nil {
		t.Error("Close does not return the error of Write")
	}
	var nothing *journal.File[line]
	if nothing.Write(line{}) != nil || nothing.Close() != nil {
		t.Error("a nil File returns an error")
	}
}

// Whatever the input, the entries that were read can be written and read again
// unchanged.
func FuzzRead(f *testing.F) {
	f.Add([]byte("{\"name\":\"a\"}\n{\"name\":\"b\"}"))
	f.Add([]byte("\n"))
	f.Add([]byte("null\n[]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var first, second []line
		_ = journal.Read(bytes.NewReader(data), func(l line) { first = append(first, l) })
		var out bytes.Buffer
		if err := journal.Snapshot(&out, slices.Values(first)); err != nil {
			t.Fatal(err)
		}
		if err := journal.Read(&out, func(l line) { second = append(second, l) }); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(first, second) {
			t.Errorf("%v became %v", first, second)
		}
	})
}
