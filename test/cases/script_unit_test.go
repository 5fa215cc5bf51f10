package cases

import (
	"net/http"
	"net/url"
	"testing"
)

// ask is the request of these tests.
const ask = "GET /v1/accounts/a1/transactions"

// choices asks a script for these queries in turn and returns the texts of its answers;
// "404" stands for none.
func choices(t *testing.T, answers []answer, header http.Header, queries ...string) (texts []string) {
	t.Helper()
	s := newScript(answers)
	for _, query := range queries {
		q, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		a, earlier, ok := s.choose(request{ask: ask, query: q, header: header, now: startTime})
		if !ok {
			texts = append(texts, "404")
			continue
		}
		texts = append(texts, a.content(earlier))
	}
	return texts
}

// text is an answer with this body.
func text(body string, conditions map[string]string) answer {
	return answer{Ask: ask, If: conditions, Text: &body}
}

func TestScript_ChoosesByConditions(t *testing.T) {
	for _, c := range []struct {
		name, condition, query string
		want                   bool
	}{
		{"absent", "", "b=1", true},
		{"absent, but it is there", "", "page=1", false},
		{"absent, but it is there without a value", "", "page", false},
		{"present", "*", "page=1", true},
		{"present without a value", "*", "page", true},
		{"present, but it is not", "*", "", false},
		{"a value", "2", "page=2", true},
		{"another value", "2", "page=3", false},
		{"a value after decoding", "a/b==|1 x", "page=a%2Fb%3D%3D%7C1%20x", true},
		{"an older date", "older than 91 days", "page=2025-12-30", true},
		{"a date 91 days ago", "older than 91 days", "page=2025-12-31", false},
		{"no date", "older than 91 days", "page=x", false},
		{"no date at all", "older than 91 days", "", false},
		{"another number of days", "older than 10 days", "page=2026-03-21", true},
	} {
		got := choices(t, []answer{text("yes", map[string]string{"page": c.condition})}, nil, c.query)[0] == "yes"
		if got != c.want {
			t.Errorf("%s: %t", c.name, got)
		}
	}
}

func TestScript_PrefersMoreConditions(t *testing.T) {
	plain, one := text("plain", nil), text("one", map[string]string{"page": "*"})
	two := text("two", map[string]string{"page": "*"})
	two.IfHeader = map[string]string{"Accept": "application/json"}
	all := []answer{one, plain, two}
	matching, other := http.Header{"Accept": {"application/json"}}, http.Header{"Accept": {"text/html"}}
	for _, c := range []struct {
		header http.Header
		query  string
		want   string
	}{
		{matching, "page=1", "two"}, {other, "page=1", "one"}, {nil, "page=1", "one"}, {matching, "", "plain"},
	} {
		if got := choices(t, all, c.header, c.query)[0]; got != c.want {
			t.Errorf("%v %q: got %s, want %s", c.header, c.query, got, c.want)
		}
	}
}

func TestScript_GivesAnswersInOrderAndRepeatsTheLast(t *testing.T) {
	all := []answer{text("1", nil), text("2", nil), text("page", map[string]string{"page": "*"}), text("3", nil)}
	got := choices(t, all, nil, "", "page=1", "", "page=1", "", "")
	for i, want := range []string{"1", "page", "2", "page", "3", "3"} {
		if got[i] != want {
			t.Fatalf("got %v, differs at %d", got, i)
		}
	}
}

func TestScript_AnswersOnlyWhatIsAsked(t *testing.T) {
	other := answer{Ask: "POST /v1/accounts/a1/transactions"}
	if got := choices(t, []answer{other}, nil, "")[0]; got != "404" {
		t.Errorf("got %s", got)
	}
}

// Earlier answers are counted over all queries of a request: an endless list has a new
// query for each page.
func TestScript_CountsEarlierAnswersAndEnds(t *testing.T) {
	s := newScript([]answer{{Ask: ask, Endless: "more {n}"}, text("first", map[string]string{"first": "*"})})
	var last string
	for i := range endlessAnswers + 2 {
		q := url.Values{"page": {string(rune('a' + i%26))}}
		if i == 0 {
			q.Set("first", "1")
		}
		a, earlier, ok := s.choose(request{ask: ask, query: q})
		if !ok || earlier != i {
			t.Fatalf("answer %d: %t, %d earlier ones", i, ok, earlier)
		}
		if last = a.content(earlier); i > 0 && (last == "more {n}") != (i < endlessAnswers) {
			t.Fatalf("answer %d: %s", i, last)
		}
	}
}

func TestAnswer_BodyIsTextOrJSON(t *testing.T) {
	empty := ""
	for _, c := range []struct {
		name string
		a    answer
		want string
	}{
		{"JSON", answer{Body: []byte(`{"a": 1.50}`)}, `{"a": 1.50}`},
		{"text in place of JSON", answer{Body: []byte(`{}`), Text: &empty}, ""},
		{"nothing", answer{}, ""},
	} {
		if got := c.a.content(0); got != c.want {
			t.Errorf("%s: %s", c.name, got)
		}
	}
	if got, err := latin1("Lön"); err != nil || string(got) != "L\xf6n" {
		t.Errorf("%x, %v", got, err)
	}
	if _, err := latin1("€"); err == nil {
		t.Error("a letter that ISO-8859-1 does not have is written")
	}
}

func TestParse_RefusesWhatItDoesNotPlay(t *testing.T) {
	for _, c := range []struct{ text, problem string }{
		{`{"input": {"do": ["collect"]}}`, ""},
		{`{"input": {"do": ["dance"]}}`, "step"},
		{`{"input": {"bank": [{"ask": "GET /", "iff": {}}]}}`, "member of an answer"},
		{`{"want": {"balances": []}}`, "member of want"},
	} {
		if _, err := parse([]byte(c.text)); (err == nil) != (c.problem == "") {
			t.Errorf("%s: %v", c.text, err)
		}
	}
}
