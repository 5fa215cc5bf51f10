package jsontext_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
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

func TestParse_ReportsOffset(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{``, "at byte offset 0: the text ends too early"},
		{`{"externalId":"a"`, "at byte offset 17: the text ends too early"},
		{`{"externalId":"a"}}`, "at byte offset 18: text after the value"},
		{`{"externalId":"a",}`, "at byte offset 18: a key is expected"},
		{`{'externalId':"a"}`, "at byte offset 1: a key is expected"},
		{`{"externalId":"a","externalId":"b"}`, "at byte offset 18: the object has this key already"},
		{`{"externalId":"a","e\u0078ternalId":"b"}`, "at byte offset 18: the object has this key already"},
		{`{"externalId":"a","x":[{"y":{"z":1,"z":1}}]}`, "at byte offset 35: the object has this key already"},
		{"{\"externalId\":\"a\x00\"}", "at byte offset 16: a control character inside a string"},
		{"{\"externalId\":\"a\tb\"}", "at byte offset 16: a control character inside a string"},
		{"\x00{}", "at byte offset 0: a value is expected"},
		{"{\"externalId\":\"a\xff\"}", "at byte offset 16: not UTF-8"},
		{"\xef\xbb\xbf{}", "at byte offset 0: a value is expected"},
		{`{"externalId":"\ud800"}`, "at byte offset 15: half a surrogate pair"},
		{`{"externalId":"\x"}`, "at byte offset 16: an unknown escape"},
		{`{"externalId":01}`, "at byte offset 15: a comma or the closing bracket is expected"},
		{`{"externalId":nul}`, "at byte offset 17: a value is expected"},
		{strings.Repeat("[", 65) + strings.Repeat("]", 65), "at byte offset 64: nested too deeply"},
		{strings.Repeat(`{"a":`, 10000), "at byte offset 320: nested too deeply"},
	} {
		if _, err := jsontext.Parse(tc.text); err == nil || err.Error() != tc.want {
			t.Errorf("%.200q: got %v, want %s", tc.text, err, tc.want)
		}
	}
}
