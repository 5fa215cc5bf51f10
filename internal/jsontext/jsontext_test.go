package jsontext_test

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"

	"samla/internal/jsontext"
)

func TestAppendString_ReadsBackAsEncodingJSONWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))
		if rapid.Bool().Draw(t, "text") {
			s = rapid.String().Draw(t, "string")
		}
		var got, want string
		if err := json.Unmarshal(jsontext.AppendString(nil, s), &got); err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		encoded, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(encoded, &want); err != nil || got != want {
			t.Errorf("%q reads back as %q, want %q", s, got, want)
		}
	})
}

func TestAppendMembers_MakeAnObject(t *testing.T) {
	b := jsontext.AppendMember(nil, `{"a":`, "x\"\n\x01é")
	b = jsontext.AppendNonEmpty(b, `,"b":`, "")
	b = jsontext.AppendNonEmpty(b, `,"c":`, "y")
	b = jsontext.AppendTimeMember(b, `,"d":`, time.Date(2026, 4, 1, 9, 0, 0, 987654321, time.FixedZone("", 7200)))
	if got, want := string(append(b, '}')), `{"a":"x\"\n\u0001é","c":"y","d":"2026-04-01T07:00:00.987Z"}`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestEscapeToken_IsReversible(t *testing.T) {
	if got := jsontext.EscapeToken("a/b~c~1"); got != "a~1b~0c~01" {
		t.Errorf("got %s", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.String().Draw(t, "name")
		if got := jsontext.UnescapeToken(jsontext.EscapeToken(name)); got != name {
			t.Errorf("%q became %q", name, got)
		}
	})
}

func TestMarshal_EscapesNothingForHTML(t *testing.T) {
	got, err := jsontext.Marshal(map[string]string{"a": "<&>\n"})
	if want := `{"a":"<&>\n"}`; err != nil || string(got) != want {
		t.Errorf("%s, %v instead of %s", got, err, want)
	}
	if _, err := jsontext.Marshal(func() {}); err == nil {
		t.Error("a function is marshalled")
	}
}

func TestTime_IsUTCWithMilliseconds(t *testing.T) {
	for _, tc := range []struct {
		at   time.Time
		want string
	}{
		{time.Date(2026, 6, 11, 9, 21, 44, 512_000_000, time.UTC), "2026-06-11T09:21:44.512Z"},
		{time.Date(2026, 6, 11, 9, 21, 44, 512_999_999, time.UTC), "2026-06-11T09:21:44.512Z"},
		{time.Date(2026, 1, 1, 0, 30, 0, 0, time.FixedZone("CET", 3600)), "2025-12-31T23:30:00.000Z"},
	} {
		if got := jsontext.Time(tc.at); got != tc.want || string(jsontext.AppendTime([]byte("x"), tc.at)) != "x"+tc.want {
			t.Errorf("got %s, want %s", got, tc.want)
		}
	}
}
