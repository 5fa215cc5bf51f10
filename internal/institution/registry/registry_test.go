package registry_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"samla/internal/company"
	"samla/internal/institution"
	"samla/internal/institution/registry"
	"samla/internal/strictjson"
)

// plain and other are two families that reach nothing.
type plain struct {
	Colour string `json:"colour"`
	closed *int
	deps   *institution.Deps
}

func (p *plain) Check() (faults strictjson.Faults) {
	if p.Colour == "grey" {
		faults.Add("/colour", "must be a colour")
	}
	return faults
}

func (p *plain) Open(d institution.Deps) (institution.Institution, error) {
	*p.deps = d
	switch p.Colour {
	case "faulty":
		return institution.Institution{}, strictjson.Faults{{Pointer: "/colour", Problem: "does not open"}}
	case "broken":
		return institution.Institution{}, errors.New("out of paint")
	}
	return institution.Institution{Close: func() { *p.closed++ }}, nil
}

type other struct {
	Size int `json:"size"`
}

func (*other) Check() strictjson.Faults { return nil }

func (*other) Open(institution.Deps) (institution.Institution, error) {
	return institution.Institution{Company: company.Company{Needs: []string{company.NeedsEmail}},
		Opener: struct{ institution.Opener }{}, Profile: institution.Profile{DailyLimit: 2}}, nil
}

// many opens an institution for each name.
type many struct {
	Names []string `json:"names"`
	bench *bench
}

func (*many) Check() strictjson.Faults { return nil }

func (*many) Open(institution.Deps) (institution.Institution, error) {
	panic("an entry of many is opened as one")
}

func (m *many) OpenAll(d institution.Deps, taken func(string) bool) (all []institution.Institution, err error) {
	m.bench.deps = d
	for _, name := range m.Names {
		if name == "faulty" {
			return nil, strictjson.Faults{{Pointer: "/names", Problem: "is faulty"}}
		}
		all = append(all, institution.Institution{Company: company.Company{ID: "se-x-" + name, DisplayName: name}, Retired: taken("se-" + name),
			Close: func() { m.bench.closed++ }})
	}
	return all, nil
}

// bench is a registry of the families, plain first.
type bench struct {
	registry.Registry
	closed int
	deps   institution.Deps
}

func newBench() *bench {
	b := &bench{}
	b.Registry = registry.Registry{
		{Name: "plain", New: func() institution.Config { return &plain{closed: &b.closed, deps: &b.deps} }},
		{Name: "other", New: func() institution.Config { return new(other) }},
		{Name: "many", New: func() institution.Config { return &many{bench: b} }},
	}
	return b
}

func write(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "banks.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// entry is one of a banks file, with further members.
func entry(company, more string) string {
	return `{"company":"` + company + `","displayName":"Bank","loginMethods":["EID"]` + more + `}`
}

func TestFile_OpensEachEntryByItsFamily(t *testing.T) {
	b := newBench()
	path := write(t, `{"banks":[`+entry("se-a", "")+`,`+entry("se-b", `,"family":"other","size":3`)+`]}`)
	file, err := b.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	set, err := file.Open(institution.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	all := set.All()
	if len(all) != 2 || all[0].Company.ID != "se-a" || all[1].Company.ID != "se-b" {
		t.Fatalf("got %+v", all)
	}
	for i, family := range []string{"plain", "other"} {
		if c := all[i].Company; all[i].Family != family || c.DisplayName != "Bank" || !slices.Equal(c.LoginMethods, []string{"EID"}) {
			t.Errorf("got %+v", all[i])
		}
	}
	if needs := all[0].Company.Needs; len(needs) != 0 || !all[1].Company.NeedsToKnow(company.NeedsEmail) {
		t.Error("what the family says of its company is lost")
	}
	if all[0].Company.PSD2 || !all[1].Company.PSD2 {
		t.Error("consents can be asked for where there is an Opener")
	}
	if p := all[1].Profile; p.DailyLimit != 2 || p.Parallel == 0 {
		t.Errorf("profile %+v", p)
	}
	if b.deps.Dir != filepath.Dir(path) || b.deps.Clock == nil || b.deps.Random == nil || b.deps.Log == nil {
		t.Errorf("opened with %+v", b.deps)
	}
	if set.Close(); b.closed != 1 {
		t.Errorf("closed %d times", b.closed)
	}
}

func TestRegistry_ReportsFaultsByPointer(t *testing.T) {
	for name, c := range map[string]struct {
		text     string
		pointers []string
	}{
		"not JSON":           {`{"banks":[`, []string{""}},
		"no banks":           {`{}`, []string{"/banks"}},
		"empty":              {`{"banks":[]}`, []string{"/banks"}},
		"unknown at the top": {`{"banks":[],"bank":[]}`, []string{"/bank"}},
		"not an object":      {`{"banks":[` + entry("se-a", "") + `,7]}`, []string{"/banks/1"}},
		"missing members":    {`{"banks":[{}]}`, []string{"/banks/0/company", "/banks/0/displayName", "/banks/0/loginMethods"}},
		"company":            {`{"banks":[` + entry("MyBank", "") + `]}`, []string{"/banks/0/company"}},
		"login method":       {`{"banks":[{"company":"se-a","displayName":"A","loginMethods":["EID","eid"]}]}`, []string{"/banks/0/loginMethods/1"}},
		"twice":              {`{"banks":[` + entry("se-a", "") + `,` + entry("se-a", `,"family":"other"`) + `]}`, []string{"/banks/1/company"}},
		"wrong types":        {`{"banks":[{"company":1,"loginMethods":"x","family":2,"colour":3}]}`, []string{"/banks/0/colour", "/banks/0/company", "/banks/0/family", "/banks/0/loginMethods"}},
		"family, null":       {`{"banks":[` + entry("se-a", `,"family":null`) + `]}`, []string{"/banks/0/family"}},
		"family, empty":      {`{"banks":[` + entry("se-a", `,"family":""`) + `]}`, []string{"/banks/0/family"}},
		"of another family":  {`{"banks":[` + entry("se-a", `,"size":1`) + `,` + entry("se-b", `,"family":"other","colour":"red"`) + `]}`, []string{"/banks/0/size", "/banks/1/colour"}},
		"family's own":       {`{"banks":[` + entry("SE", `,"colour":"grey"`) + `]}`, []string{"/banks/0/company", "/banks/0/colour"}},
		"not filled in":      {`{"banks":[` + entry("se-a", `,"colour":"<fill in: the colour>"`) + `]}`, []string{"/banks/0/colour"}},
		"every entry":        {`{"banks":[{"x":1},` + entry("se-a", `,"colour":"grey"`) + `,` + entry("X", `,"family":"third"`) + `]}`, []string{"/banks/0/x", "/banks/1/colour", "/banks/2/family", "/banks/2/company"}},
	} {
		_, err := newBench().Load(write(t, c.text))
		var faults strictjson.Faults
		if !errors.As(err, &faults) {
			t.Errorf("%s: got %v", name, err)
			continue
		}
		var got []string
		for _, f := range faults {
			got = append(got, f.Pointer)
			if f.File != "banks.json" {
				t.Errorf("%s: in file %q", name, f.File)
			}
		}
		if !slices.Equal(got, c.pointers) {
			t.Errorf("%s: got %q, want %q: %v", name, got, c.pointers, err)
		}
	}
}

func TestRegistry_NamesFamiliesWhenOneIsUnknown(t *testing.T) {
	_, err := newBench().Load(write(t, `{"banks":[`+entry("se-a", `,"family":"third"`)+`]}`))
	if want := `banks.json: /banks/0/family (se-a): is unknown: must be one of ["many" "other" "plain"]`; err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

// A fault names the company, if that is one in form: the position says little in a long file.
func TestRegistry_NamesTheCompanyOfAFault(t *testing.T) {
	for text, want := range map[string]string{
		entry("se-a", `,"size":1`):                 "banks.json: /banks/0/size (se-a): is unknown: check the spelling, or remove it",
		entry("se-a", `,"colour":"grey"`):          "banks.json: /banks/0/colour (se-a): must be a colour",
		entry("Bad Name", `,"colour":"grey"`):      "banks.json: /banks/0/colour: must be a colour",
		`{"company":7,"displayName":"Bank","x":1}`: "banks.json: /banks/0/x: is unknown: check the spelling, or remove it",
	} {
		_, err := newBench().Load(write(t, `{"banks":[`+text+`]}`))
		if err == nil || !slices.Contains(strings.Split(err.Error(), "\n"), want) {
			t.Errorf("%s: got %v", text, err)
		}
	}
}

func TestRegistry_ReportsMissingFile(t *testing.T) {
	if _, err := newBench().Load(filepath.Join(t.TempDir(), "none.json")); !errors.Is(err, os.ErrNotExist) || !strings.HasPrefix(err.Error(), "none.json: ") {
		t.Errorf("got %v", err)
	}
}

// All entries that do not open are reported, and those that did are closed again.
func TestFile_OpensAllOrNone(t *testing.T) {
	b := newBench()
	file, err := b.Load(write(t, `{"banks":[`+entry("se-a", "")+`,`+entry("se-b", `,"colour":"faulty"`)+`,`+entry("se-c", `,"colour":"broken"`)+`]}`))
	if err != nil {
		t.Fatal(err)
	}
	set, err := file.Open(institution.Deps{})
	if err == nil || set != nil || b.closed != 1 {
		t.Fatalf("got %v, closed %d, %v", set, b.closed, err)
	}
	for _, want := range []string{"banks.json: /banks/1/colour (se-b): does not open", "banks.json: /banks/2 (se-c): out of paint"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
}

// An entry of many opens each of them under an id of its own. Its own company is none of
// them, and it knows which companies other entries are.
func TestFile_OpensManyOfOneEntry(t *testing.T) {
	b := newBench()
	file, err := b.Load(write(t, `{"banks":[`+entry("se-gateway", `,"family":"many","names":["a","gateway","b"]`)+`,`+entry("se-a", "")+`]}`))
	if err != nil {
		t.Fatal(err)
	}
	set, err := file.Open(institution.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, i := range set.All() {
		ids = append(ids, i.Company.ID)
	}
	if want := []string{"se-a", "se-x-a", "se-x-b", "se-x-gateway"}; !slices.Equal(ids, want) {
		t.Fatalf("got %q", ids)
	}
	if i := set["se-x-b"]; i.Family != "many" || i.Company.DisplayName != "b" || !slices.Equal(i.Company.LoginMethods, []string{"EID"}) || i.Retired || i.Profile.Parallel == 0 {
		t.Errorf("%+v", i)
	}
	if set["se-x-b"].Entry != "se-gateway" || set["se-a"].Entry != "" {
		t.Errorf("entries %q and %q", set["se-x-b"].Entry, set["se-a"].Entry)
	}
	if i := set["se-x-a"]; !i.Retired || len(i.Company.LoginMethods) != 0 {
		t.Errorf("%+v", i)
	}
	if set["se-x-gateway"].Retired {
		t.Error("the entry itself counts as an institution")
	}
	if set.Close(); b.closed != 4 {
		t.Errorf("closed %d times", b.closed)
	}
}

func TestFile_RefusesOneInstitutionOfTwoEntries(t *testing.T) {
	for name, c := range map[string]struct{ entries, want string }{
		"two of many":   {entry("se-g", `,"family":"many","names":["a"]`) + `,` + entry("se-h", `,"family":"many","names":["a"]`), "/banks/1 (se-h): opens se-x-a"},
		"and one":       {entry("se-g", `,"family":"many","names":["a"]`) + `,` + entry("se-x-a", ""), "/banks/0 (se-g): opens se-x-a"},
		"one before it": {entry("se-x-a", "") + `,` + entry("se-g", `,"family":"many","names":["a"]`), "/banks/1 (se-g): opens se-x-a"},
		"faulty":        {entry("se-g", `,"family":"many","names":["b","faulty"]`), "/banks/0/names (se-g): is faulty"},
	} {
		file, err := newBench().Load(write(t, `{"banks":[`+c.entries+`]}`))
		if err != nil {
			t.Fatal(err)
		}
		if set, err := file.Open(institution.Deps{}); set != nil || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A command about one family does not need the others to be right. They still count for what
// is preferred.
func TestLoadOnly_LooksAtOneFamily(t *testing.T) {
	b := newBench()
	path := write(t, `{"banks":[`+entry("se-a", `,"colour":"<fill in: a colour>"`)+`,`+entry("se-b", `,"family":"other","size":"wrong"`)+`,`+
		entry("se-c", `,"family":"unknown"`)+`,`+entry("se-x", `,"family":"many","names":["a","b","d"]`)+`]}`)
	if _, err := b.Load(path); err == nil {
		t.Fatal("the whole file has no fault")
	}
	file, err := b.LoadOnly(path, "many")
	if err != nil {
		t.Fatal(err)
	}
	for company := range file.Configs() {
		if company != "se-x" {
			t.Errorf("it has %s", company)
		}
	}
	set, err := file.Open(institution.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	for id, retired := range map[string]bool{"se-x-a": true, "se-x-b": true, "se-x-d": false} {
		if i, found := set.Find(id); !found || i.Retired != retired {
			t.Errorf("%s: %t, retired %t", id, found, i.Retired)
		}
	}
	if len(set) != 3 {
		t.Errorf("%d institutions", len(set))
	}
	if _, err := b.LoadOnly(write(t, `{"banks":[`+entry("se-x", `,"family":"many","names":7`)+`]}`), "many"); err == nil {
		t.Error("a fault of the family is accepted")
	}
	if _, err := b.LoadOnly(write(t, `{"banks":[`+entry("se-a", `,"colour":"<fill in: a colour>"`)+`]}`), "plain"); err == nil {
		t.Error("an entry without a family is not of the first one")
	}
}
