package opaque_test

import (
	"crypto/rand"
	"testing"

	"samla/internal/sandbox/opaque"
)

func TestKey_OpensOnlyWhatItHasSealed(t *testing.T) {
	ours, err := opaque.New(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, _ := opaque.New(rand.Reader)
	type window struct{ A, B int }
	sealed, got := ours.Seal(window{1, 2}), window{}
	if !ours.Open(sealed, &got) || got != (window{1, 2}) {
		t.Errorf("%+v", got)
	}
	for name, text := range map[string]string{"another key's": other.Seal(window{1, 2}), "empty": "", "short": sealed[:10], "longer": sealed + "AA", "changed": "A" + sealed[1:], "no base64": "&"} {
		if text != sealed && ours.Open(text, &got) {
			t.Errorf("%s is opened", name)
		}
	}
}
