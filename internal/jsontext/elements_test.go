package jsontext_test

import (
	"strings"
	"testing"

	"samla/internal/jsontext"
)

func TestHasManyElements_CountsElementsOfLists(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		many bool
	}{
		"few":                    {"[1" + strings.Repeat(",1", 10) + "]", false},
		"many":                   {"[1" + strings.Repeat(",1", 100_000) + "]", true},
		"many in lists of lists": {"[[1]" + strings.Repeat(",[1]", 100_000) + "]", true},
		"members":                {`{"a":1` + strings.Repeat(`,"a":1`, 100_000) + "}", false},
		"a text with commas":     {`["` + strings.Repeat(",", 200_000) + `"]`, false},
		"after an escaped quote": {`["\"` + strings.Repeat(",", 200_000) + `"]`, false},
		"deep":                   {strings.Repeat("[", 100_000), true},
		"not valid":              {"[1" + strings.Repeat(",", 100_000), true},
	} {
		if got := jsontext.HasManyElements([]byte(c.text), 100_000); got != c.many {
			t.Errorf("%s: %t", name, got)
		}
	}
}
