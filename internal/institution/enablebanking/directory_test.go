package enablebanking

import (
	"reflect"
	"regexp"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"samla/internal/institution"
)

func TestNewID_IsMadeOfCountryAndName(t *testing.T) {
	taken := map[string]bool{}
	for _, c := range []struct{ country, name, want string }{
		{"SE", "Nordea", "se-eb-nordea"}, {"FI", "Nordea", "fi-eb-nordea"}, {"SE", "Länsförsäkringar", "se-eb-lansforsakringar"},
		{"SE", "ICA Banken", "se-eb-ica-banken"}, {"NO", "SpareBank 1 Østlandet", "no-eb-sparebank-1-ostlandet"}, {"DK", "Sydbank A/S", "dk-eb-sydbank-a-s"},
		{"DE", "Sparkasse Köln & Bonn", "de-eb-sparkasse-koln-bonn"}, {"GR", "Τράπεζα", ""}, {"SE", "Nordea ", ""}, {"SE", "NORDEA", ""},
	} {
		got := newID(Entry{Name: c.name, Country: c.country}, "eb", taken)
		if c.want != "" && got != c.want || taken[got] || !regexp.MustCompile(`^[a-z]{2}(-[a-z0-9]+)+$`).MatchString(got) {
			t.Errorf("%s %s: %q, want %q", c.country, c.name, got, c.want)
		}
		taken[got] = true
	}
}

// A bank keeps its id whatever comes and goes beside it, and the order of the list does not
// matter.
func TestRenewed_KeepsIDs(t *testing.T) {
	names := []string{"Nordea", "nordea", "NORDEA", "Nordéa", "SEB", "Τράπεζα", "银行", "SEB "}
	rapid.Check(t, func(t *rapid.T) {
		var d Directory
		ids := map[string]string{}
		at := now
		for range rapid.IntRange(1, 6).Draw(t, "renewals") {
			var list []Entry
			for _, n := range rapid.SliceOfN(rapid.SampledFrom(names), 0, 6).Draw(t, "names") {
				list = append(list, Entry{Name: n, Country: rapid.SampledFrom([]string{"SE", "FI"}).Draw(t, "country"), Validity: 1})
			}
			at = at.Add(24 * time.Hour)
			shuffled := slices.Clone(list)
			slices.Reverse(shuffled)
			next := d.Renewed(list, at, "eb")
			if again := d.Renewed(shuffled, at, "eb"); !reflect.DeepEqual(next, again) {
				t.Fatalf("%+v\n%+v", next, again)
			}
			d = next
			used := map[string]bool{}
			for _, e := range d.Banks {
				key := e.Country + "/" + e.Name
				if used[e.ID] || ids[key] != "" && ids[key] != e.ID {
					t.Fatalf("%s: %s, before %s", key, e.ID, ids[key])
				}
				used[e.ID], ids[key] = true, e.ID
				if gone := !slices.ContainsFunc(list, func(l Entry) bool { return l.Name == e.Name && l.Country == e.Country }); gone == e.Gone.IsZero() {
					t.Fatalf("%s: gone %t at %s", key, gone, e.Gone)
				}
			}
		}
	})
}

func TestRenewed_ForgetsWhatIsLongGone(t *testing.T) {
	d := Directory{}.Renewed([]Entry{{Name: "A", Country: "SE"}, {Name: "B", Country: "SE"}}, now, "eb")
	d = d.Renewed([]Entry{{Name: "B", Country: "SE"}}, now.AddDate(0, 0, 1), "eb")
	if len(d.Banks) != 2 || d.Banks[0].Gone.IsZero() {
		t.Fatalf("%+v", d)
	}
	if d = d.Renewed([]Entry{{Name: "B", Country: "SE"}}, now.AddDate(2, 0, 0), "eb"); len(d.Banks) != 1 {
		t.Errorf("%+v", d)
	}
}

func TestReadDirectory_IsLenient(t *testing.T) {
	list, err := readDirectory([]byte(`{"aspsps":[
		{"name":"A","country":"se","psu_types":["personal",null],"auth_methods":[{"name":"m","psu_type":"personal","approach":"REDIRECT","hidden_method":false,"credentials":[{"name":"c","required":true,"template":"x"}]}],"maximum_consent_validity":15552000,"beta":true,"required_psu_headers":["Psu-Ip-Address",""],"group":{"name":"G"},"new":1},
		{"name":"B","country":"SE","auth_methods":null,"psu_types":"personal","maximum_consent_validity":"7776000","beta":null,"group":null},
		{"name":"","country":"SE","maximum_consent_validity":1},{"name":"C","country":"Sweden","maximum_consent_validity":1},
		{"name":"D","country":"SE"},{"name":"E","country":"SE","maximum_consent_validity":-1},7]}`))
	if err != nil || len(list) != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	a := list[0]
	if a.Country != "SE" || !a.Beta || a.Group != "G" || len(a.RequiredHeaders) != 1 || len(a.Methods) != 1 || a.Methods[0].Credentials[0].Template != "x" || list[1].Validity != 7776000 {
		t.Errorf("%+v", list)
	}
	for _, body := range []string{`{}`, `{"aspsps":{}}`, `[]`, `<html>`} {
		if _, err := readDirectory([]byte(body)); institution.KindOf(err) != institution.MalformedResponse {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestWants_FollowsTheFilter(t *testing.T) {
	e := Entry{Name: "A", Country: "SE", PSUTypes: []string{"personal"}, Beta: true, Group: "G"}
	for name, c := range map[string]struct {
		change func(*Config)
		want   bool
	}{
		"all":            {func(*Config) {}, true},
		"country":        {func(c *Config) { c.Countries = []string{"FI"} }, false},
		"named":          {func(c *Config) { c.Banks = []string{"A"} }, true},
		"another named":  {func(c *Config) { c.Banks = []string{"B"} }, false},
		"group":          {func(c *Config) { c.Groups = []string{"G"} }, true},
		"another group":  {func(c *Config) { c.Groups = []string{"H"} }, false},
		"named or group": {func(c *Config) { c.Banks, c.Groups = []string{"B"}, []string{"G"} }, true},
		"group without":  {func(c *Config) { c.Groups, c.Without = []string{"G"}, []string{"A"} }, false},
		"without":        {func(c *Config) { c.Without = []string{"A"} }, false},
		"no beta":        {func(c *Config) { c.NoBeta = true }, false},
		"business":       {func(c *Config) { c.PSUType = "business" }, false},
	} {
		config := valid().withDefaults("x")
		c.change(&config)
		if got := config.wants(e); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
