package jsontext_test

import (
	"testing"

	"samla/internal/jsontext"
)

func TestLoose_ReadsTextsNumbersAndBooleans(t *testing.T) {
	for value, want := range map[string]string{
		`"a"`: "a", `"\u00e5\n"`: "å\n", `""`: "", `-12.50`: "-12.50", `7e3`: "7e3", `true`: "true", `false`: "false",
		`null`: "", `{"a":1}`: "", `["a"]`: "", "\"a\xffb\"": "a\uFFFDb", ``: "",
	} {
		if got := jsontext.Loose([]byte(value)); got != want {
			t.Errorf("%s: %q", value, got)
		}
	}
}
