package cases

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func mustDecode(t rapid.TB, text string) any {
	t.Helper()
	v, err := decode([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestPattern_Fits(t *testing.T) {
	const image = "iVBORw0KGgo="
	for _, c := range []struct {
		pattern, value string
		fits           bool
	}{
		{`"a"`, `"a"`, true}, {`"a"`, `"b"`, false}, {`"a"`, `1`, false}, {`"a"`, `null`, false},
		{`1`, `1.0`, true}, {`1`, `2`, false}, {`1`, `"1"`, false}, {`true`, `true`, true}, {`true`, `false`, false}, {`false`, `null`, false},
		{`"-100.00 SEK"`, `{"amount": -100.0, "currency": "SEK"}`, true},
		{`"-100.00 SEK"`, `{"amount": 100.0, "currency": "SEK"}`, false},
		{`"-100.00 SEK"`, `{"amount": -100.0, "currency": "EUR"}`, false},
		{`"-100.00 SEK"`, `{"amount": -100.001, "currency": "SEK"}`, false},
		{`"-100.00 SEK"`, `{"amount": "-100.00", "currency": "SEK"}`, false},
		{`"-100.00 SEK"`, `null`, false},
		{`"99999999999999999999.99 SEK"`, `{"amount": 99999999999999999999.98, "currency": "SEK"}`, false},
		{`"text"`, `{"amount": 1, "currency": "SEK"}`, false},
		{`"2026-03-30"`, `"2026-03-30"`, true}, {`"2026-03-30"`, `"2026-03-30T23:59:59Z"`, true}, {`"2026-03-30"`, `"2026-03-31"`, false},
		{`"2026-03"`, `"2026-03-30"`, false},
		{`null`, `null`, true}, {`null`, `""`, false}, {`null`, `[]`, false},
		{`{"a": null}`, `{}`, true}, {`{"a": null}`, `{"a": null}`, true}, {`{"a": null}`, `{"a": 0}`, false},
		{`{"a": 1}`, `{"a": 1, "b": 2}`, true}, {`{"a": 1, "b": 2}`, `{"a": 1}`, false}, {`{}`, `null`, false}, {`{}`, `[]`, false},
		{`{"a": {"b": "c"}}`, `{"a": {"b": "d"}}`, false},
		{`[]`, `[]`, true}, {`[]`, `null`, false}, {`[]`, `[1]`, false}, {`[1]`, `[]`, false},
		{`[1, 2]`, `[2, 1]`, true}, {`[1, 1]`, `[1, 2]`, false}, {`[1, 2]`, `[1, 1]`, false},
		// The first pattern fits both elements and must leave the one that the second needs.
		{`[{"a": 1}, {"a": 1, "b": 2}]`, `[{"a": 1, "b": 2}, {"a": 1}]`, true},
		{`{"oneOf": ["a", null]}`, `"a"`, true}, {`{"oneOf": ["a", null]}`, `null`, true}, {`{"oneOf": ["a", null]}`, `"b"`, false},
		{`{"not": "a"}`, `"b"`, true}, {`{"not": "a"}`, `"a"`, false}, {`{"not": null}`, `null`, false}, {`{"not": null}`, `0`, true},
		{`{"contains": ["a", "b"]}`, `"cba"`, true}, {`{"contains": ["a", "b"]}`, `"ca"`, false}, {`{"contains": ["a"]}`, `null`, false},
		{`{"png": true}`, `"` + image + `"`, true}, {`{"png": true}`, `"aGVq"`, false}, {`{"png": true}`, `"` + strings.TrimRight(image, "=") + `"`, false}, {`{"png": true}`, `null`, false},
		{`{"contains": ["a"], "b": 1}`, `{"contains": ["a"], "b": 1}`, true},
	} {
		got := misfit("want", mustDecode(t, c.pattern), mustDecode(t, c.value))
		if (got == "") != c.fits {
			t.Errorf("%s and %s: %q", c.pattern, c.value, got)
		}
	}
}

func TestPattern_NamesThePlace(t *testing.T) {
	got := misfit("want", mustDecode(t, `{"a": [{"b": "c"}]}`), mustDecode(t, `{"a": [{"b": "d"}]}`))
	if !strings.Contains(got, `want.a[0].b: want "c", got "d"`) {
		t.Error(got)
	}
}

// A list in the order of its patterns takes a time that grows with its length, not with the
// square: the lists of recorded cases have ten thousand elements.
func TestPattern_ComparesEachElementOnceInOrder(t *testing.T) {
	list := make([]any, 2000)
	for i := range list {
		list[i] = map[string]any{"a": fmt.Sprint(i)}
	}
	if n := testing.AllocsPerRun(1, func() {
		if m := misfit("want", list, list); m != "" {
			t.Error(m)
		}
	}); n > 100*float64(len(list)) {
		t.Errorf("%.0f allocations for %d elements", n, len(list))
	}
}

// Each value fits itself as a pattern, its lists in any order.
func TestPattern_FitsItself(t *testing.T) {
	value := rapid.SliceOf(rapid.MapOf(rapid.SampledFrom([]string{"a", "b", "c"}), rapid.SampledFrom([]any{"x", "y", true, nil, json.Number("1.50")})))
	rapid.Check(t, func(rt *rapid.T) {
		drawn := value.Draw(rt, "value")
		list, shuffled := make([]any, len(drawn)), make([]any, len(drawn))
		for i, v := range drawn {
			o := map[string]any{}
			for name, member := range v {
				o[name] = member
			}
			list[i] = o
		}
		for i, j := range rapid.Permutation(indexes(len(list))).Draw(rt, "order") {
			shuffled[i] = list[j]
		}
		if m := misfit("want", list, shuffled); m != "" {
			rt.Fatal(m)
		}
	})
}

func indexes(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}
