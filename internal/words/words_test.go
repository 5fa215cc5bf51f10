package words_test

import (
	"html/template"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"samla/internal/words"
)

func TestTexts_AreTheSameInEveryLanguage(t *testing.T) {
	english := words.In(words.English)
	if n := len(english.Keys()); n < 400 {
		t.Fatalf("there are %d texts", n)
	}
	for _, l := range words.Languages {
		texts := words.In(l)
		if texts.Language != l {
			t.Fatalf("%s has the texts of %s", l, texts.Language)
		}
		if !slices.Equal(texts.Keys(), english.Keys()) {
			t.Errorf("%s: the keys are not those of English: %v", l, difference(texts.Keys(), english.Keys()))
		}
		for _, key := range texts.Keys() {
			want, got := slices.Sorted(slices.Values(english.Placeholders(key))), slices.Sorted(slices.Values(texts.Placeholders(key)))
			if !slices.Equal(want, got) {
				t.Errorf("%s %s: placeholders %v, in English %v", l, key, got, want)
			}
			text := texts.Say(key, words.Values{})
			if text == "" || text != strings.TrimSpace(text) || strings.ContainsAny(text, "<>&†`|\n\t") || strings.Contains(text, "  ") {
				t.Errorf("%s %s: %q", l, key, text)
			}
		}
	}
}

func difference(a, b []words.Key) []words.Key {
	var only []words.Key
	for _, k := range a {
		if !slices.Contains(b, k) {
			only = append(only, k)
		}
	}
	for _, k := range b {
		if !slices.Contains(a, k) {
			only = append(only, k)
		}
	}
	return only
}

var placeholder = regexp.MustCompile(`\{[^}]*\}?|\}`)

// A placeholder that Values does not have would stay in braces on every page.
func TestTexts_HaveOnlyPlaceholdersThatThereAre(t *testing.T) {
	for _, l := range words.Languages {
		for _, key := range words.In(l).Keys() {
			var v words.Values
			for _, name := range words.In(l).Placeholders(key) {
				if !v.Set(name, "1") {
					t.Errorf("%s %s: there is no placeholder %q", l, key, name)
				}
			}
			if left := placeholder.FindString(words.In(l).Say(key, v)); left != "" {
				t.Errorf("%s %s: %s stays", l, key, left)
			}
		}
	}
	if (&words.Values{}).Set("name", "x") {
		t.Error("a placeholder that there is not was set")
	}
}

// Every status, reason and error that is shown has texts (docs/reference/api.md 4, 5).
func TestTexts_CoverWhatIsShown(t *testing.T) {
	texts := words.In(words.Swedish)
	for _, reason := range []string{"AUTHENTICATION_TIMEOUT", "AUTHENTICATION_CANCELLED", "AUTHENTICATION_CONFLICT", "AUTHENTICATION_MISMATCH",
		"AUTHENTICATION_FAILED", "CONSENT_REJECTED", "BANK_UNAVAILABLE", "BANK_ERROR", "INTERNAL_ERROR"} {
		for _, part := range []words.Key{".title", ".body"} {
			if key := "ce." + words.Key(reason) + part; !texts.Has(key) || strings.HasPrefix(texts.Say(key, words.Values{}), "[") {
				t.Errorf("%s is not there", key)
			}
		}
	}
	for _, key := range texts.Keys() {
		if one, ok := strings.CutSuffix(string(key), ".one"); ok && !texts.Has(words.Key(one+".other")) {
			t.Errorf("%s has no .other", key)
		}
	}
	if texts.Has("ce.NOTHING.title") || texts.Say("no.such", words.Values{}) != "[no.such]" {
		t.Error("a key that there is not has a text")
	}
}

func TestSay_FillsPlaceholders(t *testing.T) {
	sv, en := words.In(words.Swedish), words.In(words.English)
	for _, test := range []struct{ got, want string }{
		{en.Say("slip.stop.text", words.Values{Institution: "Demobanken"}), "Any time on My permissions, or at Demobanken"},
		{en.Say("perm.today.of", words.Values{N: 0, M: 4}), "0 of at most 4 times"},
		{en.Say("slip.who.asker", words.Values{AskerLegal: "Acme"}), "Acme, {orgno}"},
		{en.Say("perm.at", words.Values{Institution: "{asker}", Asker: "x"}), "at {asker}"},
		{en.Count("acct.go", 1, words.Values{}), "Share 1 account"},
		{en.Count("acct.go", 12345, words.Values{}), "Share 12,345 accounts"},
		{sv.Count("acct.go", 12345, words.Values{}), "Dela 12\u00a0345 konton"},
		{sv.Count("acct.go", 0, words.Values{}), "Dela 0 konton"},
		{words.In("xx").Say("c.you", words.Values{}), "You"},
	} {
		if test.got != test.want {
			t.Errorf("%q, want %q", test.got, test.want)
		}
	}
}

// What a client calls itself is escaped by the template that shows it.
func TestSay_IsEscapedByTemplates(t *testing.T) {
	page := template.Must(template.New("").Parse(`<p title="{{.}}">{{.}}</p>`))
	var b strings.Builder
	if err := page.Execute(&b, words.In(words.English).Say("slip.title", words.Values{Asker: `"><script>`})); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "<script") {
		t.Error(b.String())
	}
}

func TestFormats(t *testing.T) {
	at := time.Date(2027, 5, 2, 9, 5, 0, 0, time.UTC)
	for l, want := range map[words.Language]string{words.Swedish: "2 maj 2027 09.05 -1234", words.English: "2 May 2027 09:05 -1,234", words.Norwegian: "2. mai 2027 09:05 -1234",
		words.Danish: "2. maj 2027 09.05 -1234", words.Finnish: "2. toukokuuta 2027 09.05 -1234"} {
		texts := words.In(l)
		if got := texts.Date(at) + " " + texts.Clock(at) + " " + texts.Number(-1234); got != want {
			t.Errorf("%s: %q, want %q", l, got, want)
		}
	}
	if got := words.In(words.Danish).Number(1234567); got != "1.234.567" {
		t.Error(got)
	}
}

func TestBytes_AreWrittenAsTheLanguageDoes(t *testing.T) {
	for n, want := range map[int]string{0: "1\u00a0kB", 400: "1\u00a0kB", 12_499: "12\u00a0kB", 999_400: "999\u00a0kB", 1_000_000: "1,0\u00a0MB", 1_250_000: "1,3\u00a0MB", 12_345_678_901: "12\u00a0345,7\u00a0MB"} {
		if got := words.In(words.Swedish).Bytes(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
	if got := words.In(words.English).Bytes(1_960_000); got != "2.0\u00a0MB" {
		t.Errorf("%q", got)
	}
}

func TestZoneName_IsTheCity(t *testing.T) {
	for name, want := range map[string]string{"Europe/Stockholm": "Stockholm", "America/Argentina/Buenos_Aires": "Buenos Aires", "UTC": "UTC"} {
		zone, err := time.LoadLocation(name)
		if err != nil || words.ZoneName(zone) != want {
			t.Errorf("%s: %q, %v", name, words.ZoneName(zone), err)
		}
	}
}

func TestOffer_Picks(t *testing.T) {
	for _, test := range []struct {
		offer   words.Offer
		header  string
		choices []string
		want    words.Language
	}{
		{words.Edited, "", nil, words.English},
		{words.Edited, "sv-SE,sv;q=0.9,en;q=0.8", nil, words.Swedish},
		{words.Edited, "en;q=0.5, sv;q=0.7", nil, words.Swedish},
		{words.Edited, "sv;q=0, en;q=0.1", nil, words.English},
		{words.Edited, "fi, da;q=0.9, sv;q=0.2", nil, words.Swedish}, // fi and da are not offered
		{words.Edited, "fi", nil, words.English},
		{words.Languages, "fi", nil, words.Finnish},
		{words.Languages, "no", nil, words.Norwegian},
		{words.Languages, "nn-NO, sv;q=2, *", nil, words.Norwegian},
		{words.Edited, "sv", []string{"", "fi"}, words.Finnish}, // chosen
		{words.Edited, "sv", []string{"xx", "en"}, words.English},
		{words.Edited, "de;q=x,sv;q=0.3", []string{"../sv"}, words.Swedish},
	} {
		if got := test.offer.Pick(test.header, test.choices...); got != test.want {
			t.Errorf("%v %q %v: %s, want %s", test.offer, test.header, test.choices, got, test.want)
		}
	}
	names := map[string]bool{}
	for _, l := range words.Languages {
		names[l.Name()] = true
	}
	if len(names) != len(words.Languages) {
		t.Errorf("names %v", names)
	}
}

func BenchmarkSay(b *testing.B) {
	texts, v := words.In(words.Swedish), words.Values{Asker: "Pärmen", Institution: "Demobanken"}
	for b.Loop() {
		_ = texts.Say("bank.lead", v)
	}
}
