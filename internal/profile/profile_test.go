package profile_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"samla/internal/clock"
	"samla/internal/institution"
	"samla/internal/institution/families"
	"samla/internal/institution/registry"
	"samla/internal/profile"
	"samla/internal/sandbox/pki"
	"samla/internal/strictjson"
	"samla/profiles"
)

func familyNames() []string {
	var names []string
	for _, f := range families.All() {
		names = append(names, f.Name)
	}
	return names
}

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	raw, err := profiles.Files.ReadFile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", document); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestProfiles_FollowTheirSchema(t *testing.T) {
	s := schema(t)
	names, err := fs.Glob(profiles.Files, "*-*.json")
	if err != nil || len(names) < 30 || len(names) != len(profile.All()) {
		t.Fatalf("%d files, %d profiles: %v", len(names), len(profile.All()), err)
	}
	for _, name := range names {
		raw, err := profiles.Files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := s.Validate(document); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSchema_RefusesFaultyProfiles(t *testing.T) {
	s := schema(t)
	raw, err := profiles.Files.ReadFile("se-nordea.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(p map[string]any){
		"a fact without a mark":   func(p map[string]any) { delete(p["facts"].([]any)[0].(map[string]any), "mark") },
		"a fact without a source": func(p map[string]any) { delete(p["facts"].([]any)[0].(map[string]any), "source") },
		"another mark":            func(p map[string]any) { p["facts"].([]any)[0].(map[string]any)["mark"] = "X" },
		"an unknown capability":   func(p map[string]any) { p["capabilities"].(map[string]any)["payments"] = p["bic"] },
		"an unknown member":       func(p map[string]any) { p["certificate"] = "x" },
		"an entry of no family":   func(p map[string]any) { p["entry"] = map[string]any{}; delete(p, "family") },
		"a source of no form":     func(p map[string]any) { p["bic"].(map[string]any)["source"] = []any{"the internet"} },
	} {
		var p map[string]any
		if err := json.Unmarshal(raw, &p); err != nil {
			t.Fatal(err)
		}
		change(p)
		if s.Validate(p) == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// A fact is worth what its source is worth, so each source can be found.
func TestProfiles_CiteWhatExists(t *testing.T) {
	sections := map[string]string{}
	for _, name := range []string{"docs/reference/families.md", "docs/reference/banks.md"} {
		raw, err := os.ReadFile(filepath.Join("..", "..", name))
		if err != nil {
			t.Fatal(err)
		}
		sections[name] = string(raw)
	}
	exists := func(source string) bool {
		if name, number, cited := strings.Cut(source, " "); cited {
			return regexp.MustCompile(`(?m)^###? ` + regexp.QuoteMeta(number) + `\.? `).MatchString(sections[name])
		}
		_, table, _ := strings.Cut(sections["docs/reference/families.md"], "| Key | Source |")
		table, _, _ = strings.Cut(table, "\n---")
		return regexp.MustCompile(`[|·] ` + source + `(:| |\b)`).MatchString(table)
	}
	if exists("N9") || exists("docs/reference/families.md"+" 99") || !exists("Y2") || !exists("docs/reference/banks.md 11.2") {
		t.Fatal("the test does not see what exists")
	}
	for _, p := range profile.All() {
		var sources []string
		for _, f := range p.Facts {
			sources = append(sources, f.Source...)
		}
		for _, c := range p.Capabilities {
			sources = append(sources, c.Source...)
		}
		for _, v := range p.Via {
			sources = append(sources, v.Source...)
			if g, found := profile.Find(v.Gateway); !found || g.Kind != "gateway" {
				t.Errorf("%s: the gateway %s has no profile", p.Company, v.Gateway)
			}
		}
		if p.BIC != nil {
			sources = append(sources, p.BIC.Source...)
		}
		if p.Unreached != nil {
			sources = append(sources, p.Unreached.Source...)
			if p.Entry != nil {
				t.Errorf("%s can be added, and is not reached", p.Company)
			}
		}
		for _, s := range sources {
			if !exists(s) {
				t.Errorf("%s cites %s, which does not exist", p.Company, s)
			}
		}
	}
}

// Every value of an entry follows of a fact, and every pointer of a fact and of a need
// finds something.
func TestProfiles_EntriesFollowOfFacts(t *testing.T) {
	for _, p := range profile.All() {
		if p.Entry == nil {
			continue
		}
		leaves := leavesOf(t, p.Entry)
		var set []string
		for _, f := range p.Facts {
			set = append(set, f.Sets...)
		}
		for _, at := range leaves {
			if !slices.ContainsFunc(set, func(s string) bool { return at == s || strings.HasPrefix(at, s+"/") }) {
				t.Errorf("%s: no fact says %s", p.Company, at)
			}
		}
		for _, n := range p.Needs {
			set = append(set, n.At)
		}
		for _, s := range set {
			if !slices.ContainsFunc(leaves, func(at string) bool { return at == s || strings.HasPrefix(at, s+"/") }) {
				t.Errorf("%s: the entry has no %s", p.Company, s)
			}
		}
	}
}

func leavesOf(t *testing.T, entry []byte) []string {
	t.Helper()
	var v any
	if err := json.Unmarshal(entry, &v); err != nil {
		t.Fatal(err)
	}
	var leaves []string
	var walk func(at string, v any)
	walk = func(at string, v any) {
		m, isObject := v.(map[string]any)
		for name, each := range m {
			walk(at+"/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(name), each)
		}
		if !isObject {
			leaves = append(leaves, at)
		}
	}
	walk("", v)
	return leaves
}

// What is shipped works with this program: each entry of a family that it has is read and
// opened by the registry, once what the profile says that it needs is there, and no sooner.
func TestProfiles_EntriesAreReadByTheRegistry(t *testing.T) {
	dir := operatorFiles(t)
	tried := 0
	for _, p := range profile.All() {
		if p.Entry == nil || !slices.Contains(familyNames(), p.Family) {
			continue
		}
		tried++
		file, err := profile.Add(nil, p)
		if err != nil {
			t.Fatal(err)
		}
		var faults strictjson.Faults
		if _, err = load(t, dir, file); err != nil && !errors.As(err, &faults) {
			t.Fatalf("%s: %v", p.Company, err)
		}
		var unfilled []string
		for _, f := range faults {
			unfilled = append(unfilled, strings.TrimPrefix(f.Pointer, "/banks/0"))
		}
		slices.Sort(unfilled)
		if want := profile.Unfilled(p.Entry); !slices.Equal(unfilled, want) {
			t.Errorf("%s as it is added lacks %v, want %v: %v", p.Company, unfilled, want, err)
		}
		for _, n := range p.Needs {
			if n.Sample != "" {
				file = replace(t, file, n.At, n.Sample)
			}
		}
		loaded, err := load(t, dir, file)
		if err != nil {
			t.Errorf("%s: %v", p.Company, err)
			continue
		}
		set, err := loaded.Open(institution.Deps{})
		if err != nil {
			t.Errorf("%s: %v", p.Company, err)
			continue
		}
		set.Close()
	}
	if tried < 8 {
		t.Errorf("%d entries", tried)
	}
}

func load(t *testing.T, dir string, file []byte) (*registry.File, error) {
	t.Helper()
	path := filepath.Join(dir, "banks.json")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	return families.All().Load(path)
}

// operatorFiles returns a folder with the files that the needs of profiles name.
func operatorFiles(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if _, err := pki.Open(dir, clock.System().Now, nil); err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(filepath.Join(dir, pki.QSEALKeyFile))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"nordea-key.pem": key, "obie-key.pem": key, "enablebanking.pem": key, "eu-enable-banking-banks.json": []byte(`{"banks":[{"id":"se-eb-nordea","name":"Nordea","country":"SE"}]}`), "nordea.secret": []byte("secret"), "swedbank.secret": []byte("secret"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// replace sets a value of the only entry of a file.
func replace(t *testing.T, file []byte, at, value string) []byte {
	t.Helper()
	var f struct {
		Banks []map[string]any `json:"banks"`
	}
	if err := json.Unmarshal(file, &f); err != nil {
		t.Fatal(err)
	}
	into := f.Banks[0]
	names := strings.Split(at[1:], "/")
	for _, name := range names[:len(names)-1] {
		into = into[name].(map[string]any)
	}
	into[names[len(names)-1]] = value
	out, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Whatever an operator has to fill in is a need that says what it is.
func TestProfiles_NeedsAreWhatIsNotFilledIn(t *testing.T) {
	for _, p := range profile.All() {
		for _, at := range profile.Unfilled(p.Entry) {
			i := slices.IndexFunc(p.Needs, func(n profile.Need) bool { return n.At == at })
			if i < 0 || p.Needs[i].Sample == "" {
				t.Errorf("%s: %s is not filled in and no need with a sample", p.Company, at)
			}
		}
	}
}

func TestProfiles_HoldNoSecret(t *testing.T) {
	for _, p := range profile.All() {
		for _, word := range []string{"PRIVATE KEY", "BEGIN CERTIFICATE", "password", "-----"} {
			if bytes.Contains(p.Entry, []byte(word)) {
				t.Errorf("%s has %q", p.Company, word)
			}
		}
	}
}

const page = "../../docs/coverage.md"

func TestCoverage_IsCurrent(t *testing.T) {
	want := profile.Coverage(familyNames())
	if os.Getenv("SAMLA_WRITE_COVERAGE") != "" {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil || string(got) != want {
		t.Errorf("docs/coverage.md is not current: make coverage writes it (%v)", err)
	}
}

func TestAdd_KeepsTheFileAndRefusesASecondEntry(t *testing.T) {
	p := profile.Profile{Company: "se-x", Name: "X & Y", Family: "xs2a", LoginMethods: []string{"A"}, Entry: []byte(`{ "baseURL": "https://x.example", "headers": { "a": "b" } }`)}
	first, err := profile.Add(nil, p)
	if err != nil {
		t.Fatal(err)
	}
	var f struct{ Banks []map[string]any }
	if err := json.Unmarshal(first, &f); err != nil || len(f.Banks) != 1 || f.Banks[0]["displayName"] != "X & Y" || f.Banks[0]["baseURL"] != "https://x.example" {
		t.Errorf("%s %v", first, err)
	}
	if !bytes.Contains(first, []byte("X & Y")) || !bytes.HasSuffix(first, []byte("}\n")) {
		t.Errorf("not for people: %s", first)
	}
	if _, err := profile.Add(first, p); err == nil {
		t.Error("the entry was overwritten")
	}
	other := p
	other.Company, other.Entry = "se-y", []byte(`{}`)
	second, err := profile.Add(first, other)
	if err != nil || !bytes.HasPrefix(second, bytes.TrimSuffix(first, []byte("\n  ]\n}\n"))) {
		t.Errorf("the first entry has changed: %s %v", second, err)
	}
	for _, file := range []string{`[]`, `{}`, `{"banks":{}}`, `{"banks":[],"more":1}`, `{"banks":[`, `{"banks":null}`} {
		if _, err := profile.Add([]byte(file), p); err == nil {
			t.Errorf("%s was extended", file)
		}
	}
	if _, err := profile.Add([]byte("\ufeff{\"banks\": []}"), p); err != nil {
		t.Errorf("a byte order mark: %v", err)
	}
}

func TestSure_IsTheWeakestMark(t *testing.T) {
	fact := func(m profile.Mark, sets ...string) profile.Fact { return profile.Fact{Mark: m, Sets: sets} }
	for name, c := range map[string]struct {
		p    profile.Profile
		want profile.Mark
	}{
		"nothing known":                    {profile.Profile{}, "U"},
		"capabilities":                     {profile.Profile{Capabilities: map[profile.Capability]profile.Claim{"cards": {Mark: "S"}, "consent": {Mark: "T"}, "history": {Mark: "V"}}}, "T"},
		"what is unknown does not count":   {profile.Profile{Capabilities: map[profile.Capability]profile.Claim{"cards": {Mark: "S"}, "consent": {Value: "unknown", Mark: "U"}}}, "S"},
		"the facts of the entry":           {profile.Profile{Entry: []byte(`{}`), Facts: []profile.Fact{fact("V", "/a"), fact("S", "/b"), fact("U")}}, "S"},
		"the weakest of them":              {profile.Profile{Entry: []byte(`{}`), Facts: []profile.Fact{fact("U", "/a"), fact("S", "/b")}}, "U"},
		"capabilities beside an entry":     {profile.Profile{Entry: []byte(`{}`), Facts: []profile.Fact{fact("S", "/a")}, Capabilities: map[profile.Capability]profile.Claim{"cards": {Mark: "U"}}}, "S"},
		"an entry that no fact speaks for": {profile.Profile{Entry: []byte(`{}`), Facts: []profile.Fact{fact("S")}}, "U"},
	} {
		if got := c.p.Sure(); got != c.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestToday_SaysWhatCanBeDone(t *testing.T) {
	via := []profile.Via{{Gateway: "eu-g", Mark: "T"}}
	for name, c := range map[string]struct {
		p           profile.Profile
		short, long string
	}{
		"an entry of a family":     {profile.Profile{Family: "xs2a", Entry: []byte(`{}`)}, "can be added", ""},
		"a family that is missing": {profile.Profile{Family: "obie", Entry: []byte(`{}`)}, "not yet", "this program does not have the family obie"},
		"a family without entry":   {profile.Profile{Family: "xs2a"}, "not yet", "too little is known for an entry of the family xs2a"},
		"a gateway":                {profile.Profile{Via: via}, "no", "no family reaches it; the gateway eu-g reaches it (third party)"},
		"both":                     {profile.Profile{Family: "obie", Via: via}, "not yet", "this program does not have the family obie; the gateway eu-g reaches it (third party)"},
		"a reason":                 {profile.Profile{Unreached: &profile.Claim{Value: "its own API"}}, "no", "no family reaches it: its own API"},
		"nothing":                  {profile.Profile{}, "no", "no family reaches it"},
	} {
		if short, long := c.p.Today([]string{"xs2a"}); short != c.short || long != c.long {
			t.Errorf("%s: %q, %q", name, short, long)
		}
	}
}

func TestDoubtful_AreTheFactsOfTheEntryThatTheBankHasNotSaid(t *testing.T) {
	fact := func(about string, m profile.Mark, sets ...string) profile.Fact {
		return profile.Fact{About: about, Mark: m, Sets: sets}
	}
	p := profile.Profile{Facts: []profile.Fact{fact("tried", "V", "/a"), fact("seen", "S", "/b"), fact("third", "T", "/c"), fact("unconfirmed", "U", "/d"), fact("beside", "U")}}
	var got []string
	for _, f := range p.Doubtful() {
		got = append(got, f.About)
	}
	if want := []string{"third", "unconfirmed"}; !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

func TestUnfilled_FindsWhatIsNotFilledIn(t *testing.T) {
	got := profile.Unfilled([]byte(`{"a":"<fill in: x>","b":{"c/d":["y","<fill in>"]},"e":"fill in","f":7}`))
	if want := []string{"/a", "/b/c~1d/1"}; !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

// The members of a profile take the places of those that an entry has; the others stay, in
// their order.
func TestPut_FillsInAnEntry(t *testing.T) {
	p := profile.Profile{Company: "se-a", Name: "A", Family: "f", LoginMethods: []string{"M"}, Entry: json.RawMessage(`{"key": "k", "list": ["SE"]}`)}
	for name, test := range map[string]struct {
		file    string
		methods bool
		want    string
	}{
		"none yet": {``, false, `{"banks":[{"company":"se-a","displayName":"A","family":"f","loginMethods":["M"],"key":"k","list":["SE"]}]}`},
		"one": {`{"banks":[{"company":"se-b"},{"company":"se-a","displayName":"Mine","key":"<fill in: x>","own":{"z":1,"a":2},"loginMethods":["N"]}]}`, false,
			`{"banks":[{"company":"se-b"},{"company":"se-a","displayName":"Mine","key":"k","own":{"z":1,"a":2},"loginMethods":["N"],"list":["SE"]}]}`},
		"methods": {`{"banks":[{"loginMethods":["N"],"company":"se-a"}]}`, true, `{"banks":[{"loginMethods":["M"],"company":"se-a","key":"k","list":["SE"]}]}`},
	} {
		got, err := profile.Put([]byte(test.file), p, test.methods)
		var compact bytes.Buffer
		if err != nil || json.Compact(&compact, got) != nil || compact.String() != test.want {
			t.Errorf("%s: %v\n%s", name, err, got)
		}
		if e := profile.EntryOf(got, "se-a"); !bytes.Contains(e, []byte(`"k"`)) || profile.EntryOf(got, "se-c") != nil {
			t.Errorf("%s: the entry is %s", name, e)
		}
	}
	if _, err := profile.Put([]byte(`{"banks":[7],"x":1}`), p, false); err == nil {
		t.Error("a file of another form is changed")
	}
}
