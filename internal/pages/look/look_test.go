package look_test

import (
	"compress/gzip"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"
	"unicode/utf8"

	"samla/internal/pages/look"
	"samla/internal/words"
)

// all shows every component once.
const all = `{{define "all"}}<h1>{{t "slip.title" "asker" .Asker}}</h1>
<p>{{tn "perm.left" 3}} {{tn "perm.left" 1}} {{date .At}} {{clock .At}} {{daymonth .At}} {{machine .At}} {{number 12345}} {{lang}}</p>
{{template "look/relay" .Relay}}{{template "look/button" .Button}}{{template "look/button" .Link}}
{{template "look/chip" (dict "Kind" "warn" "Icon" "clock" "Text" "x")}}{{template "look/note" (dict "Kind" "good" "Icon" "check" "Text" "x" "Focus" true)}}{{template "look/say" "x"}}
{{template "look/search" (dict "Address" "/s" "Label" "x" "Value" "y" "Found" "1")}}
<ul class="rows">{{range .Rows}}{{template "look/row" .}}{{end}}</ul>
<form>{{template "look/problem" .Problems}}{{template "look/field" .Field}}</form>
{{range .QR}}{{template "look/qr" .}}{{end}}{{template "look/todo" .Todo}}{{template "look/work" .Work}}{{template "look/quote" (dict "Institution" "I" "Text" .Asker)}}
<dl>{{template "look/stat" .Stat}}</dl>{{template "look/timeline" .Events}}{{template "look/table" .Table}}{{range .Charts}}{{.}}{{end}}{{end}}
{{define "out"}}<a class="btn btn-text" href="/out">{{t "perm.signout"}}</a>{{end}}
{{define "bad"}}{{t "no.text"}}{{end}}{{define "worse"}}{{t "c.you" "nobody" "x"}}{{end}}`

const attack = `"><script>alert(1)</script>`

func data() map[string]any {
	nan := math.NaN()
	chart := look.Chart{ID: "c1", Title: attack, Desc: "d", Ticks: []look.Tick{{At: 1, Label: attack}, {At: 30, Label: "30", Limit: true}}, Marks: []look.Mark{{0, "a"}, {0.5, "b"}, {1, "c"}},
		Band: &look.Band{From: 0.9, To: 1, Label: "since"}}
	return map[string]any{"Asker": attack, "At": time.Date(2027, 5, 25, 12, 2, 0, 0, time.UTC), "Relay": look.NewRelay("You", "Op", attack, 2, true),
		"Button": look.Button{Kind: "main", Text: attack, Icon: "erase", Name: "n", Value: attack, Hidden: "h", DescribedBy: "d"}, "Link": look.Button{Kind: "side", Text: "x", Address: "javascript:alert(1)"},
		"Rows":     []look.Row{{ID: "a", Title: "Ålvbanken", Sub: "x", SubKind: "warn", SubIcon: "warn", Address: "/a"}, {ID: "b", Title: "B", Kind: "radio", Name: "n", Value: "v", Checked: true, ElementID: "r"}, {ID: "c", Title: "C", Off: true}},
		"Problems": look.Problems{Items: []look.Problem{{"f", attack}}}, "Field": look.Field{ID: "f", Name: "f", Label: "l", Hint: "h", Error: attack, Mode: "numeric", MaxLength: 6, Value: attack, Required: true, Class: "code"},
		"QR": []look.QR{{Alt: "a", Path: "M0 0h1v1z", Side: 49}, {Alt: "a", PNG: "data:image/png;base64,AAAA"}, {Stale: "s"}}, "Todo": []string{"a", "b"},
		"Work":   []look.Work{{"a", "done", "s", "4"}, {"b", "now", "s", ""}, {"c", "wait", "s", ""}, {"d", "skip", "s", ""}},
		"Stat":   look.Stat{Label: "l", Figure: "3", Unit: "s", Versus: "v", Worse: true, Link: "/x", LinkText: "look"},
		"Events": []look.Event{{At: "2026-11-26T13:20:58Z", Shown: "13:20", Icon: "person", What: attack, Who: "Person", Whose: "person", Why: "w", Gap: "+ 1 s", Slow: true, Kind: "bad"}},
		"Table":  look.Table{Caption: "c", Heads: []look.Head{{"A", false}, {"B", true}}, Rows: nil},
		"Charts": []any{look.Spark{Label: attack, Values: []float64{1, nan, 0.2, 0.1}, Low: 0.5, High: 1, BadFrom: 2}.HTML(), look.Shares([4]int{3, 0, 1, 0}), look.Bar("f-bank", 0.5), look.Strip("s", []string{"f-good", "f-bad"}),
			chart.Lines([]look.Series{{"p50", "p50", []float64{1, 2, nan, 3}}}, 0.3, 30, true), chart.Columns([][4]int{{1, 2, 3, 4}, {90, 0, 0, 0}}, 60)}}
}

func kit(t *testing.T, layout string) *look.Kit {
	t.Helper()
	k, err := look.New(look.Options{Files: fstest.MapFS{"all.html": {Data: []byte(all)}}, Layout: layout, Operator: "Exempeldrift AB", Help: "/permissions"})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func page() look.Page {
	return look.Page{Content: "all", View: "all", Title: "T", Data: data(), Brand: "Pärmen", Tile: true, Action: "out", Steps: &look.Steps{Now: 2}, Languages: "/go?a=1", Refresh: 5, RefreshTo: "/x", Theme: "dark",
		Slip: &look.Slip{Title: attack, Why: "w", Rows: []look.SlipRow{{Term: "t", Facts: []string{"a", "b"}, Fine: "f", Detail: []string{"d"}, Link: "https://x.test/", LinkTo: "l"}, {Term: "t", Facts: []string{"a"}, Strong: true}}, Stub: "s", Mini: "m"},
		Nav:  []look.NavItem{{Label: "Now", Address: "/", Current: true, Count: 3}}}
}

func TestKit_RendersEveryComponent(t *testing.T) {
	for _, layout := range []string{"people", "console"} {
		k := kit(t, layout)
		for _, l := range words.Languages {
			body, err := k.HTML(page(), l, false)
			if err != nil {
				t.Fatalf("%s %s: %v", layout, l, err)
			}
			sound(t, string(body))
			if strings.Contains(string(body), "<script>alert") || strings.Contains(string(body), `href="javascript:`) {
				t.Errorf("%s %s: a text is not escaped", layout, l)
			}
			if !strings.Contains(string(body), `<html lang="`+string(l)+`" data-theme="dark">`) {
				t.Errorf("%s %s: the language is not said", layout, l)
			}
		}
	}
}

// sound fails for what a page must not have: inline style or script, requests to other
// hosts, ids that are twice, labels and descriptions that lead nowhere, a second h1,
// elements that are not closed.
func sound(t *testing.T, body string) {
	t.Helper()
	ids, refs := map[string]int{}, []string{}
	headings, mains := 0, 0
	z := tokens(body)
	for {
		token, err := z.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, body) // not closed, or not in order
		}
		element, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		switch element.Name.Local {
		case "style":
			t.Error("a style element")
		case "h1":
			headings++
		case "main":
			mains++
		}
		for _, a := range element.Attr {
			switch name := a.Name.Local; {
			case name == "style" || strings.HasPrefix(name, "on"):
				t.Errorf("%s has %s", element.Name.Local, name)
			case name == "id":
				ids[a.Value]++
			case name == "aria-labelledby" || name == "aria-describedby" || name == "for":
				refs = append(refs, strings.Fields(a.Value)...)
			case (name == "src" || name == "href" && element.Name.Local == "link") && !strings.HasPrefix(a.Value, "/") && !strings.HasPrefix(a.Value, "data:"):
				t.Errorf("%s loads %s", element.Name.Local, a.Value)
			}
		}
	}
	if headings != 1 || mains != 1 {
		t.Errorf("%d h1, %d main", headings, mains)
	}
	for id, n := range ids {
		if n > 1 && !strings.HasPrefix(id, "qr-") && !strings.HasPrefix(id, "c1-") { // the test shows three panels and two charts
			t.Errorf("the id %s is there %d times", id, n)
		}
	}
	for _, ref := range refs {
		if ids[ref] == 0 && ref != "d" {
			t.Errorf("nothing has the id %s", ref)
		}
	}
	if strings.Contains(body, "%!") || strings.Contains(body, "ZgotmplZ\" alt") || strings.Contains(body, "<no value>") {
		t.Errorf("a value is missing in\n%s", body)
	}
}

// tokens reads HTML as XML that leaves void elements open.
func tokens(body string) *xml.Decoder {
	d := xml.NewDecoder(strings.NewReader(body))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	return d
}

func TestKit_TellsWhatIsWrong(t *testing.T) {
	k := kit(t, "people")
	for _, name := range []string{"bad", "worse", "nothing"} {
		if _, err := k.HTML(look.Page{Content: name}, words.English, false); err == nil {
			t.Errorf("%s was made", name)
		}
	}
	if _, err := look.New(look.Options{Layout: "other"}); err == nil {
		t.Error("a layout that there is not")
	}
}

func TestKit_AnswersWithAPartOrThePage(t *testing.T) {
	k := kit(t, "people")
	for accept, whole := range map[string]bool{"text/html,*/*;q=0.8": true, "text/html; fragment": false, "text/html;fragment": false, "": true, "application/json; fragment": true} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Accept", accept)
		w := httptest.NewRecorder()
		if err := k.Render(w, r, page()); err != nil {
			t.Fatal(err)
		}
		body := w.Body.String()
		if strings.HasPrefix(body, "<!doctype html>") != whole || !strings.Contains(body, `id="view"`) || !strings.Contains(w.Header().Get("Vary"), "Accept") {
			t.Errorf("%q: %.60s, Vary %s", accept, body, w.Header().Get("Vary"))
		}
	}
}

func TestKit_FindsTheLanguage(t *testing.T) {
	k := kit(t, "people")
	for _, test := range []struct{ target, cookie, accept, known, want string }{
		{"/", "", "sv", "", "sv"}, {"/?lang=en", "samla-lang=sv", "sv", "", "en"}, {"/", "samla-lang=fi", "sv", "", "fi"}, {"/", "", "fi", "", "en"}, {"/", "", "sv", "da", "da"},
		{"/?lang=xx", "", "sv", "", "sv"},
	} {
		r := httptest.NewRequest("GET", test.target, nil)
		r.Header.Set("Accept-Language", test.accept)
		if test.cookie != "" {
			r.Header.Set("Cookie", test.cookie)
		}
		if got := k.Language(r, test.known); string(got) != test.want {
			t.Errorf("%+v: %s", test, got)
		}
		w := httptest.NewRecorder()
		look.KeepLanguage(w, r, true)
		if kept := len(w.Result().Cookies()) == 1; kept != strings.Contains(test.target, "lang=en") {
			t.Errorf("%+v: cookies %v", test, w.Result().Cookies())
		}
	}
}

func TestAssets_AreKeptForEver(t *testing.T) {
	for _, name := range []string{"people.css", "console.css", "look.js", "qrcode.js"} {
		address := look.Assets.Address(name)
		for _, encoding := range []string{"", "gzip, br"} {
			r := httptest.NewRequest("GET", address, nil)
			r.Header.Set("Accept-Encoding", encoding)
			w := httptest.NewRecorder()
			look.Assets.ServeHTTP(w, r)
			var body io.Reader = w.Body
			if w.Header().Get("Content-Encoding") == "gzip" {
				var err error
				if body, err = gzip.NewReader(w.Body); err != nil {
					t.Fatal(err)
				}
			} else if encoding != "" {
				t.Errorf("%s is not compressed", name)
			}
			text, err := io.ReadAll(body)
			plain, packed := look.Assets.Size(name)
			if err != nil || w.Code != 200 || len(text) != plain || packed > plain/2 || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") || w.Header().Get("Content-Type") == "" {
				t.Errorf("%s: %d, %d bytes of %d, %v, %v", name, w.Code, len(text), plain, w.Header(), err)
			}
			if strings.HasSuffix(name, ".css") && (strings.Contains(string(text), "url(") || strings.Contains(string(text), "@import") || strings.Count(string(text), "{") != strings.Count(string(text), "}")) {
				t.Errorf("%s asks for more, or is not closed", name)
			}
		}
		w := httptest.NewRecorder()
		look.Assets.ServeHTTP(w, httptest.NewRequest("GET", look.AssetPath+name, nil))
		if w.Code != http.StatusOK || w.Header().Get("Cache-Control") != "no-cache" {
			t.Errorf("%s without its hash: %d, %v", name, w.Code, w.Header())
		}
		for _, wrong := range []string{name, address + "x", look.AssetPath, look.AssetPath + "../look.go"} {
			w := httptest.NewRecorder()
			look.Assets.ServeHTTP(w, httptest.NewRequest("GET", "http://x.test/"+wrong, nil))
			if w.Code != http.StatusNotFound {
				t.Errorf("%s: %d", wrong, w.Code)
			}
		}
	}
	if _, packed := look.Assets.Size("people.css"); packed > 9<<10 {
		t.Errorf("the style sheet of people has %d bytes in gzip", packed)
	}
}

func TestSecure(t *testing.T) {
	h := http.Header{}
	look.Secure(h)
	if csp := h.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'; style-src 'self'; script-src 'self';") || !strings.HasSuffix(csp, "frame-ancestors 'none'") || strings.Contains(csp, "unsafe") || h.Get("X-Frame-Options") != "DENY" {
		t.Error(h)
	}
	h = http.Header{}
	look.Secure(h, "https://host.test", "https://b.test")
	if !strings.HasSuffix(h.Get("Content-Security-Policy"), "frame-ancestors https://host.test https://b.test") || h.Get("X-Frame-Options") != "" {
		t.Error(h)
	}
}

// Texts need 4.5 to 1, controls and marks 3 (WCAG 2.2, 1.4.3 and 1.4.11).
func TestTokens_Contrast(t *testing.T) {
	r := httptest.NewRequest("GET", look.Assets.Address("people.css"), nil)
	w := httptest.NewRecorder()
	look.Assets.ServeHTTP(w, r)
	css := w.Body.String()
	light, rest, _ := strings.Cut(css, "@media (prefers-color-scheme: dark)")
	dark, _, _ := strings.Cut(rest, ":root[data-theme")
	token := regexp.MustCompile(`--([a-z0-9-]+): #([0-9A-F]{6});`)
	for name, part := range map[string]string{"light": light, "dark": dark} {
		colours := map[string]float64{}
		for _, m := range token.FindAllStringSubmatch(part, -1) {
			colours[m[1]] = luminance(t, m[2])
		}
		if len(colours) < 25 {
			t.Fatalf("%s: %d colours", name, len(colours))
		}
		for _, pair := range []struct {
			least float64
			fore  string
			back  string
		}{
			{3, "edge", "paper card sunk"}, {3, "focus", "paper card sunk pine-soft"}, {3, "who-bank who-samla who-person who-client calm", "card"},
			{4.5, "ink ink-2 pine ink-3", "paper card sunk"}, {4.5, "on-pine", "pine pine-strong"}, {4.5, "on-pine-soft", "pine-soft"},
			{4.5, "bad", "card bad-soft"}, {4.5, "warn", "card warn-soft"}, {4.5, "info", "card info-soft"}, {4.5, "ink", "pine-soft bad-soft warn-soft info-soft"},
		} {
			for fore := range strings.FieldsSeq(pair.fore) {
				for back := range strings.FieldsSeq(pair.back) {
					a, b := colours[fore], colours[back]
					if a == 0 && b == 0 {
						t.Errorf("%s: %s or %s is no token", name, fore, back)
					}
					if ratio := (max(a, b) + 0.05) / (min(a, b) + 0.05); ratio < pair.least {
						t.Errorf("%s: %s on %s has %.2f of %.1f", name, fore, back, ratio, pair.least)
					}
				}
			}
		}
	}
}

// luminance is the relative luminance of WCAG 2.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	var sum float64
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		v, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(v) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}

func TestCharts_LeaveGaps(t *testing.T) {
	nan := math.NaN()
	spark := string(look.Spark{Label: "s", Values: []float64{1, nan, 1, 0.5}, Low: 0.5, High: 1}.HTML())
	if !strings.Contains(spark, `d="M2 3M76.7 3L114 25"`) || !strings.Contains(spark, `cx="114" cy="25"`) {
		t.Error(spark)
	}
	if empty := string(look.Spark{Values: []float64{nan, nan}, High: 1}.HTML()); strings.Contains(empty, "circle") || strings.Contains(empty, "NaN") {
		t.Error(empty)
	}
	cut := string(look.Chart{ID: "x"}.Columns([][4]int{{214, 9, 0, 0}, {1, 0, 0, 0}}, 60))
	if !strings.Contains(cut, ">223</text>") || strings.Count(cut, `class="cut"`) != 1 {
		t.Error(cut)
	}
	if shares := string(look.Shares([4]int{})); strings.Contains(shares, "rect") {
		t.Error(shares)
	}
	if one := string(look.Shares([4]int{0, 0, 5, 0})); !strings.Contains(one, `class="f-person" x="0" width="71"`) {
		t.Error(one)
	}
}

func TestCharts_KeepLabelsApart(t *testing.T) {
	nan := math.NaN()
	drawn := string(look.Chart{ID: "x"}.Lines([]look.Series{{Class: "p50", Label: "half", Values: []float64{1, 5}}, {Class: "p95", Label: "most", Values: []float64{1, 5}}, {Class: "p99", Label: "none", Values: []float64{nan, nan}}}, 0, 10, false))
	if !strings.Contains(drawn, `y="127">half<`) || !strings.Contains(drawn, `y="112">most<`) || strings.Contains(drawn, "none") {
		t.Error(drawn)
	}
}

func TestInitials(t *testing.T) {
	for name, want := range map[string]string{"Pärmen": "Pä", "demobanken": "De", "Ålvbanken": "Ål", "7-sparbanken": "7s", "": "–", "A": "A", "ÖB AB": "Öb"} {
		if got := look.Initials(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func FuzzKit_EscapesWhatOthersWrite(f *testing.F) {
	f.Add("Pärmen", "för att visa")
	f.Add(attack, "'onload=")
	k, err := look.New(look.Options{Files: fstest.MapFS{"all.html": {Data: []byte(all)}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name, why string) {
		p := page()
		p.Brand, p.Title, p.Slip.Title, p.Slip.Why = name, why, name, why
		d := data()
		d["Asker"] = why
		p.Data = d
		if !utf8.ValidString(name) || !utf8.ValidString(why) || strings.ContainsFunc(name+why, func(r rune) bool { return r < ' ' || r >= 0xfffe && r <= 0xffff }) {
			t.Skip("no XML, which the test reads")
		}
		body, err := k.HTML(p, words.Swedish, false)
		if err != nil {
			t.Fatal(err)
		}
		scripts := 0
		z := tokens(string(body))
		for token, err := z.Token(); !errors.Is(err, io.EOF); token, err = z.Token() {
			if err != nil {
				t.Fatal(err)
			}
			element, _ := token.(xml.StartElement)
			if element.Name.Local == "script" {
				scripts++
			}
			for _, a := range element.Attr {
				if strings.HasPrefix(a.Name.Local, "on") || a.Name.Local == "style" {
					t.Fatalf("%s has %s", element.Name.Local, a.Name.Local)
				}
			}
		}
		if scripts != 1 {
			t.Fatalf("%d scripts", scripts)
		}
	})
}
