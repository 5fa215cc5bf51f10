package keyset_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	tink "github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/mac"

	"samla/internal/clock"
	"samla/internal/seal"
	"samla/internal/seal/keyset"
)

func written(t *testing.T, mode os.FileMode, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "master")
	if err := os.WriteFile(path, b, mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // past the umask
		t.Fatal(err)
	}
	return path
}

func TestLoadMaster_ReadsFileAndText(t *testing.T) {
	var text bytes.Buffer
	if err := keyset.GenerateMaster(&text); err != nil {
		t.Fatal(err)
	}
	h, err := insecurecleartextkeyset.Read(tink.NewJSONReader(bytes.NewReader(text.Bytes())))
	if err != nil {
		t.Fatal(err)
	}
	var binary bytes.Buffer
	if err := insecurecleartextkeyset.Write(h, tink.NewBinaryWriter(&binary)); err != nil {
		t.Fatal(err)
	}
	var sealed []byte
	for i, load := range []func() (*keyset.Master, error){
		func() (*keyset.Master, error) { return keyset.LoadMaster(written(t, 0o600, text.Bytes()), "") },
		func() (*keyset.Master, error) { return keyset.LoadMaster(written(t, 0o400, binary.Bytes()), "") },
		func() (*keyset.Master, error) {
			return keyset.LoadMaster("", base64.StdEncoding.EncodeToString(text.Bytes())+"\n")
		},
		func() (*keyset.Master, error) {
			return keyset.LoadMaster("", base64.StdEncoding.EncodeToString(binary.Bytes()))
		},
	} {
		m, err := load()
		if err != nil {
			t.Fatalf("%d: %v", i, err)
		}
		v := vault(t, m, newMemory(), clock.NewManual(start))
		if sealed == nil {
			if sealed, err = v.Seal(t.Context(), seal.System, systemPlace, []byte("x")); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := v.Open(t.Context(), seal.System, systemPlace, sealed); err != nil {
			t.Errorf("%d: not the same key: %v", i, err)
		}
	}
}

func TestLoadMaster_RefusesAFileThatOthersCanRead(t *testing.T) {
	var text bytes.Buffer
	if err := keyset.GenerateMaster(&text); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o660, 0o644, 0o610} {
		if _, err := keyset.LoadMaster(written(t, mode, text.Bytes()), ""); !errors.Is(err, keyset.ErrFileMode) {
			t.Errorf("%o: %v", mode, err)
		}
	}
}

func TestLoadMaster_RefusesInvalidInput(t *testing.T) {
	var other bytes.Buffer
	h, err := tink.NewHandle(mac.HMACSHA256Tag256KeyTemplate())
	if err != nil {
		t.Fatal(err)
	}
	if err := insecurecleartextkeyset.Write(h, tink.NewJSONWriter(&other)); err != nil {
		t.Fatal(err)
	}
	const secret = "c2VjcmV0LXNlY3JldA"
	for name, load := range map[string]func() (*keyset.Master, error){
		"both":      func() (*keyset.Master, error) { return keyset.LoadMaster("a", "b") },
		"no file":   func() (*keyset.Master, error) { return keyset.LoadMaster(filepath.Join(t.TempDir(), "x"), "") },
		"directory": func() (*keyset.Master, error) { return keyset.LoadMaster(t.TempDir(), "") },
		"empty":     func() (*keyset.Master, error) { return keyset.LoadMaster(written(t, 0o600, nil), "") },
		"noise":     func() (*keyset.Master, error) { return keyset.LoadMaster(written(t, 0o600, []byte(secret)), "") },
		"json":      func() (*keyset.Master, error) { return keyset.LoadMaster(written(t, 0o600, []byte(`{"`+secret)), "") },
		"text":      func() (*keyset.Master, error) { return keyset.LoadMaster("", secret+"!") },
		"mac":       func() (*keyset.Master, error) { return keyset.LoadMaster(written(t, 0o600, other.Bytes()), "") },
	} {
		m, err := load()
		if err == nil || m != nil {
			t.Errorf("%s: was accepted", name)
		} else if strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error repeats the key", name)
		}
	}
	if _, err := keyset.LoadMaster("", ""); !errors.Is(err, keyset.ErrNoMasterKey) {
		t.Error(err)
	}
}

func TestMaster_PrintsNoKey(t *testing.T) {
	m := master(t)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(verb, m); got != "keyset.Master" {
			t.Errorf("%s prints %q", verb, got)
		}
	}
}

func FuzzLoadMaster(f *testing.F) {
	var text bytes.Buffer
	if err := keyset.GenerateMaster(&text); err != nil {
		f.Fatal(err)
	}
	f.Add(text.Bytes())
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := keyset.LoadMaster("", base64.StdEncoding.EncodeToString(b))
		if err == nil {
			vault(t, m, newMemory(), clock.NewManual(start))
		}
	})
}
