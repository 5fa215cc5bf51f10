package loose_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"samla/internal/institution"
	"samla/internal/institution/loose"
)

type body struct {
	A    loose.Text             `json:"a"`
	List loose.List[loose.Text] `json:"list"`
	In   struct {
		B loose.Text `json:"b"`
	} `json:"in"`
}

func TestDecode_LosesOnlyWhatIsOfAnotherType(t *testing.T) {
	for text, want := range map[string]body{
		"\xef\xbb\xbf {\"a\":\"x\"}":                        {A: "x"},
		`{"a":1.50,"list":["b",true,null,{},["c"]],"in":7}`: {A: "1.50", List: loose.List[loose.Text]{"b", "true", "", "", ""}},
		`{"a":{"x":1},"list":"b","in":{"b":"c"}}`: {In: struct {
			B loose.Text `json:"b"`
		}{"c"}},
		`{"a":null,"list":[]}`: {List: loose.List[loose.Text]{}},
		"{\"a\":\"x\xff\"}":    {A: "x\uFFFD"},
	} {
		var got body
		if err := loose.Decode([]byte(text), &got); err != nil || got.A != want.A || len(got.List) != len(want.List) || (got.List == nil) != (want.List == nil) || got.In != want.In {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
}

func TestDecode_RefusesWhatIsNoObject(t *testing.T) {
	many := `{"list":[` + strings.Repeat("1,", loose.MaxElements) + `1]}`
	for _, text := range []string{"", "[]", "null", "<html>", `{"a":`, many} {
		var got body
		err := loose.Decode([]byte(text), &got)
		if institution.KindOf(err) != institution.MalformedResponse {
			t.Errorf("%.20s: %v", text, err)
		}
	}
	if err := loose.Decode([]byte("[]"), &body{}); !errors.Is(err, loose.ErrNoObject) {
		t.Errorf("got %v", err)
	}
}

func TestText_IsADayOrATime(t *testing.T) {
	for text, want := range map[loose.Text]string{
		"2026-11-18": "2026-11-18", " 2026-11-18T23:30:00Z": "2026-11-19", "2026-11-18T23:30:00+01:00": "2026-11-18",
		"2026-11-18T23:30:00": "2026-11-18", "2026-11-18 10:00": "2026-11-18", "9999-12-31T23:59:59Z": "0001-01-01", "0001-01-01T00:00:00Z": "0001-01-01",
		"": "0001-01-01", "9999-12-31": "0001-01-01", "0000-00-00": "0001-01-01", "18/11/2026": "not", "2026-02-30": "not", "20261118": "not",
	} {
		day, ok := text.Day()
		got := day.Format(time.DateOnly)
		if !ok {
			got = "not"
		}
		if got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	if at := loose.Text("2026-11-18T01:00:00.5+01:00").Time(); !at.Equal(time.Date(2026, 11, 18, 0, 0, 0, 5e8, time.UTC)) {
		t.Errorf("got %s", at)
	}
	if !loose.Text("2026-11-18").Time().IsZero() || loose.Text("SE35 5000 0000").Compact() != "SE3550000000" {
		t.Error("a day is a time, or a number is not compact")
	}
}
