package record

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestOriginals_FoundAnywhere(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body, text string
		kept       []string
		want       []string
	}{
		"a word":                      {`{"a":"Lindqvist"}`, `{"a":"lindqvist"}`, nil, []string{"lindqvist"}},
		"a word within another":       {`{"a":"Maja Linden"}`, `{"a":"xxLINDENyy"}`, nil, []string{"linden"}},
		"a number within another":     {`{"a":"no 48213"}`, `{"a":"9948213"}`, nil, []string{"48213"}},
		"a number of JSON":            {`{"a":48213.5}`, `{"a":148213.5}`, nil, []string{"48213", "48213.5"}},
		"a text of short words":       {`{"a":"Bo Ek"}`, `{"a":"x bo ek"}`, nil, []string{"bo ek"}},
		"an amount of short numbers":  {`{"a":"345.10"}`, `{"a":"-345.10 kr"}`, nil, []string{"345.10"}},
		"in an entity":                {`{"a":"Bergström"}`, `{"a":"bergstr&ouml;m"}`, nil, []string{"bergström"}},
		"in an address":               {`{"a":"Bergström"}`, `{"a":"/bergstr%C3%B6m"}`, nil, []string{"bergström"}},
		"in a body that is a text":    {`{"a":"Bergström"}`, `{"text":"{\"a\":\"bergstr\\u00f6m\"}"}`, nil, []string{"bergström"}},
		"of what is no JSON":          {`<p>Lindqvist</p>`, `{"text":"<p>lindqvist"}`, nil, []string{"lindqvist"}},
		"of a body with a mark":       {"\ufeff" + `{"a":"Bergstr\u00f6m"}`, `{"a":"bergström"}`, nil, []string{"bergström"}},
		"a word that was kept":        {`{"a":"Sparkonto"}`, `{"a":"sparkonto"}`, []string{"sparkonto"}, nil},
		"within a word that was kept": {`{"a":"konto"}`, `{"a":"sparkonto"}`, []string{"sparkonto"}, nil},
		"four signs":                  {`{"a":"Lind","b":4821}`, `{"a":"lind4821"}`, nil, nil},
		"a date":                      {`{"a":"2026-04-01"}`, `{"a":"2026-04-01"}`, nil, nil},
		"zeros":                       {`{"a":"00000","b":"000.00"}`, `{"a":"00000000.00"}`, nil, nil},
		"a short number of an address": {`{"a":"/v1/accounts?page=2"}`, `{"a":"/v1/accounts?page=2"}`,
			[]string{"v1", "accounts", "page"}, nil},
		"a number of an address": {`{"a":"/v1/accounts/4821"}`, `{"a":"/v1/accounts/4821"}`,
			[]string{"v1", "accounts"}, []string{"/v1/accounts/4821"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOriginals()
			o.add([]byte(c.body))
			got := o.found([]byte(c.text), setOf(strings.Join(c.kept, " ")))
			slices.Sort(got)
			if !slices.Equal(got, c.want) {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}

// TestOriginals_ChanceIsOnlyElsewhere: a short number may be in a case where it was not.
func TestOriginals_ChanceIsOnlyElsewhere(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{"12345": true, "-12345.678": true, "123456789": false, "bo ek": false, "12a45": false} {
		if got := mayBeChance(text); got != want {
			t.Errorf("%q may be by chance: %v", text, got)
		}
	}
	r := newReplacer(make([]byte, 32), 0, "")
	r.replaced("12345", "98765")
	r.replaced("50000.00", "25150000.00")
	r.replaced("100.00", "90100.00")
	for text, want := range map[string]bool{"12345": false, "50000": true, "50000.00": true, "100.00": true} {
		if r.stayed[text] != want {
			t.Errorf("%q stayed: %v", text, r.stayed[text])
		}
	}
}

// TestFactor_ChangesTheEndOfEachAmount: an amount is never the end of its replacement.
func TestFactor_ChangesTheEndOfEachAmount(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		factor := factorOf(rapid.IntRange(0, 399).Draw(t, "n"))
		amount := rapid.Int64Range(1, 1_000_000_000).Draw(t, "amount")
		for amount%10 == 0 {
			amount /= 10
		}
		if product := amount * factor; product%10 == amount%10 || factor < 100 || factor > 999 {
			t.Fatalf("%d becomes %d by %d", amount, product, factor)
		}
	})
}
