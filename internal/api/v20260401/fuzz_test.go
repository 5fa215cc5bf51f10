package v20260401_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"samla/internal/fault"
)

func seed(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	for _, s := range []string{`{"a":1,"a":2}`, "{\"\xff\":0}", `{"Company":"x"}`, "[[[["} {
		f.Add([]byte(s))
	}
}

// ReadBody never panics and never reports a fault of the server, and it accepts the
// bodies that it returns.
func FuzzReadBody(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, op := range withBody {
			body, flt := read(op, string(raw))
			if flt == nil {
				if again, flt := read(op, string(body)); flt != nil || !bytes.Equal(again, body) {
					t.Errorf("%s: %q, then %q %v", op, raw, again, flt)
				}
				continue
			}
			switch flt.Code {
			case fault.MalformedJSON, fault.BodyTooLarge:
			case fault.InvalidParameter:
				if len(flt.Fields) == 0 || len(flt.Fields) > 50 {
					t.Errorf("%s: %d fields", op, len(flt.Fields))
				}
			default:
				t.Errorf("%s: %q: %s", op, raw, flt.Code)
			}
		}
	})
}
