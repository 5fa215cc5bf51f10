package wire

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

// No body makes ReadBody panic or blame the server; what it lets through is
// JSON that passes again.
func FuzzReadBody(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, op := range bodied {
			body, flt := send(op, raw)
			if flt == nil {
				if again, flt := send(op, body); flt != nil || !bytes.Equal(again, body) {
					t.Errorf("%s: %q, then %q %v", op, raw, again, flt)
				}
				continue
			}
			switch flt.Code {
			case fault.MalformedJSON, fault.BodyTooLarge:
			case fault.InvalidParameter:
				if len(flt.Fields) == 0 || len(flt.Fields) > maxFields {
					t.Errorf("%s: %d fields", op, len(flt.Fields))
				}
			default:
				t.Errorf("%s: %q: %s", op, raw, flt.Code)
			}
		}
	})
}
