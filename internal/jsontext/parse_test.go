package jsontext_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"samla/internal/jsontext"
)

// drawJSON draws any value.
func drawJSON(t *rapid.T, depth int) any {
	switch n := rapid.IntRange(0, 6).Draw(t, "kind"); {
	case n == 0:
		return nil
	case n == 1:
		return rapid.Bool().Draw(t, "bool")
	case n == 2:
		return json.Number(fmt.Sprint(rapid.Float64().Draw(t, "number")))
	case n <= 4 || depth == 0:
		return rapid.String().Draw(t, "string")
	case n == 5:
		out := []any{}
		for range rapid.IntRange(0, 4).Draw(t, "len") {
			out = append(out, drawJSON(t, depth-1))
		}
		return out
	default:
		out := map[string]any{}
		for range rapid.IntRange(0, 4).Draw(t, "len") {
			out[rapid.String().Draw(t, "key")] = drawJSON(t, depth-1)
		}
		return out
	}
}

func TestParse_ReadsWhatEncodingJSONWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := drawJSON(t, 5)
		raw, err := json.MarshalIndent(v, "", rapid.SampledFrom([]string{"", "\t"}).Draw(t, "indent"))
		if err != nil {
			t.Skip(err)
		}
		got, serr := jsontext.Parse(string(raw))
		if serr != nil || !reflect.DeepEqual(got, v) {
			t.Fatalf("%s: %v %v", raw, got, serr)
		}
	})
}

// Parse accepts nothing that encoding/json refuses, and reads the same.
func FuzzParse(f *testing.F) {
	for _, s := range []string{`{"a":1,"a":2}`, `"\ud83d\ude00\ud83d"`, "[1e9,-0.0,{}]", "{\"\xff\":0}", `{"Company":"x"}`, "[[[[", ` {"a":[null,true,"\u00e5"]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, serr := jsontext.Parse(string(raw))
		if serr != nil {
			if serr.Offset < 0 || serr.Offset > len(raw) {
				t.Errorf("%q: offset %d", raw, serr.Offset)
			}
			return
		}
		var want any
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.UseNumber()
		if err := dec.Decode(&want); err != nil || !json.Valid(raw) || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %v, want %v (%v)", raw, got, want, err)
		}
	})
}
