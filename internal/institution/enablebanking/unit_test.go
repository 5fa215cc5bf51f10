package enablebanking

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"samla/internal/clock"
	"samla/internal/consent"
	"samla/internal/fact"
	"samla/internal/httpclient"
	"samla/internal/institution"
	"samla/internal/psu"
)

var now = time.Date(2026, 11, 18, 8, 0, 0, 0, time.UTC)

func valid() Config {
	return Config{ApplicationID: "cf589be3-3755-465b-a8df-a90a16a31403", KeyFile: "a.pem", Countries: []string{"SE"}}
}

func TestCheck_NamesWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"valid":                {func(*Config) {}, ""},
		"everything":           {func(c *Config) { c.BaseURL, c.PSUType, c.IDPart = "https://api.example/x", "business", "eb-b" }, ""},
		"no id":                {func(c *Config) { c.ApplicationID = "" }, "/applicationId"},
		"an id without a form": {func(c *Config) { c.ApplicationID = "1" }, "/applicationId"},
		"no key":               {func(c *Config) { c.KeyFile = "" }, "/keyFile"},
		"no country":           {func(c *Config) { c.Countries = nil }, "/countries"},
		"small letters":        {func(c *Config) { c.Countries = []string{"se"} }, "/countries/0"},
		"country twice":        {func(c *Config) { c.Countries = []string{"SE", "SE"} }, "/countries/1"},
		"plain http":           {func(c *Config) { c.BaseURL = "http://api.example" }, "/baseURL"},
		"other psu type":       {func(c *Config) { c.PSUType = "private" }, "/psuType"},
		"id part in capitals":  {func(c *Config) { c.IDPart = "EB" }, "/idPart"},
	} {
		config := valid()
		c.change(&config)
		got := ""
		for _, f := range config.Check() {
			got += f.Pointer
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestInstitutions_PreferOthersAndRetire(t *testing.T) {
	g := gateway(t)
	g.setDirectory(Directory{}.Renewed([]Entry{{Name: "Nordea", Country: "SE", Validity: 90 * 86400}, {Name: "SEB", Country: "SE", Validity: 1}, {Name: "SBAB", Country: "SE", Validity: 1}, {Name: "OP", Country: "FI", Validity: 1}}, now, "eb"))
	g.setDirectory(g.Directory().Renewed([]Entry{{Name: "Nordea", Country: "SE", Validity: 90 * 86400}, {Name: "SEB", Country: "SE", Validity: 1}}, now, "eb"))
	got := map[string]institution.Institution{}
	upkeep := 0
	for _, i := range g.Institutions(func(id string) bool { return id == "se-seb-psd2" }) {
		got[i.Company.ID] = i
		if i.Upkeep != nil {
			upkeep++
		}
	}
	if len(got) != 3 || upkeep != 1 {
		t.Fatalf("%d institutions, %d of them with upkeep", len(got), upkeep)
	}
	for id, retired := range map[string]bool{"se-eb-nordea": false, "se-eb-seb": true, "se-eb-sbab": true} {
		i := got[id]
		if i.Gone != (id == "se-eb-sbab") {
			t.Errorf("%s: gone %t", id, i.Gone)
		}
		if i.Retired != retired || (i.Opener == nil) != retired || i.ConsentReader == nil || i.Revoker == nil || i.Collector == nil || i.Completer == nil {
			t.Errorf("%s: retired %t, capabilities %v", id, i.Retired, i.Capabilities())
		}
	}
	if p := got["se-eb-nordea"].Profile; p.LongestConsent != 90 || !p.Redirects || p.QR != institution.QRNone || p.NamesSigner {
		t.Errorf("%+v", p)
	}
}

// gateway is one without a key.
func gateway(t *testing.T) *Gateway {
	t.Helper()
	g := &Gateway{config: valid().withDefaults("x"), clock: clock.NewManual(now)}
	g.setDirectory(Directory{})
	return g
}

func TestLoad_SaysWhatToDo(t *testing.T) {
	g := gateway(t)
	g.file = filepath.Join(t.TempDir(), "banks.json")
	if err := g.Load(); err == nil || !strings.Contains(err.Error(), "gateway enablebanking refresh") {
		t.Errorf("no file: %v", err)
	}
	if err := os.WriteFile(g.file, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := g.Load(); err == nil || !strings.Contains(err.Error(), "directoryFile") {
		t.Errorf("broken file: %v", err)
	}
	want := Directory{}.Renewed([]Entry{{Name: "A", Country: "SE", Methods: []Method{{Name: "m"}}}}, now, "eb")
	if err := want.Save(g.file); err != nil {
		t.Fatal(err)
	}
	if err := g.Load(); err != nil || !reflect.DeepEqual(g.Directory(), want) {
		t.Errorf("%+v, %v", g.Directory(), err)
	}
}

func TestPSUHeaders_AreAllOrNone(t *testing.T) {
	person := psu.Context{IPAddress: "192.0.2.1", UserAgent: "Agent\r\nX: y", Locale: "sv-SE", PersonalNumber: "198412099296"}
	for name, c := range map[string]struct {
		required []string
		person   psu.Context
		want     string
	}{
		"usual":             {[]string{"Psu-Ip-Address", "Psu-User-Agent"}, person, "Psu-Ip-Address=192.0.2.1 Psu-User-Agent=AgentX: y"},
		"other case":        {[]string{"psu-ip-address"}, person, "Psu-Ip-Address=192.0.2.1"},
		"language":          {[]string{"Psu-Ip-Address", "Psu-Accept-language"}, person, "Psu-Accept-Language=sv-SE Psu-Ip-Address=192.0.2.1"},
		"one not known":     {[]string{"Psu-Ip-Address", "Psu-Geo-Location"}, person, ""},
		"agent not known":   {[]string{"Psu-Ip-Address", "Psu-User-Agent"}, psu.Context{IPAddress: "192.0.2.1"}, ""},
		"none required":     {nil, person, "Psu-Ip-Address=192.0.2.1 Psu-User-Agent=AgentX: y"},
		"none, no agent":    {nil, psu.Context{IPAddress: "192.0.2.1"}, "Psu-Ip-Address=192.0.2.1"},
		"without a person":  {[]string{"Psu-Ip-Address"}, person.Unattended(), ""},
		"agent without one": {[]string{"Psu-User-Agent"}, psu.Context{UserAgent: "a"}, ""},
	} {
		h := Entry{RequiredHeaders: c.required}.psuHeaders(c.person)
		var got []string
		for name := range h {
			got = append(got, name+"="+h.Get(name))
		}
		slices.Sort(got)
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s: %q", name, s)
		}
	}
}

func TestRefusal_GoesByCode(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		call   call
		want   institution.ErrorKind
		reason institution.Reason
	}{
		{400, `{"error":"ASPSP_ERROR","detail":{"message":"x"}}`, call{operation: opRead}, institution.Unreachable, ""},
		{400, `{"error":"ASPSP_ERROR"}`, call{operation: opRead, long: true}, institution.Refused, ""},
		{500, `{"error":"EXPIRED_SESSION"}`, call{operation: opRead}, institution.ConsentOver, ""},
		{401, `{"error":"expired_session"}`, call{operation: opRead}, institution.ConsentOver, ""},
		{401, `{"error":"UNAUTHORIZED_ACCESS"}`, call{operation: opRead}, institution.CertificateRejected, institution.OurApplicationRejected},
		{401, ``, call{operation: opSession}, institution.CertificateRejected, institution.OurApplicationRejected},
		{401, `<html>`, call{operation: opSession}, institution.Unreachable, ""},
		{403, "\n<!DOCTYPE html><title>Just a moment</title>", call{operation: opRead}, institution.Unreachable, ""},
		{403, `{}`, call{operation: opRead}, institution.Refused, ""},
		{200, `<html>`, call{operation: opRead}, institution.MalformedResponse, ""},
		{404, `{}`, call{operation: opSession}, institution.Refused, ""},
		{404, `{"error":"SESSION_DOES_NOT_EXIST"}`, call{operation: opSession}, institution.ConsentGone, ""},
		{404, `{"error":"ACCOUNT_DOES_NOT_EXIST"}`, call{operation: opRead}, institution.NotCovered, ""},
		{403, `{"error":"ACCESS_DENIED"}`, call{operation: opRead}, institution.NotCovered, ""},
		{403, `{"error":"ACCESS_DENIED"}`, call{operation: opAuth}, institution.CertificateRejected, institution.OurApplicationRejected},
		{422, `{"error":"REDIRECT_URI_NOT_ALLOWED"}`, call{operation: opAuth}, institution.Refused, institution.ReturnNotRegistered},
		{429, `{"error":"ASPSP_RATE_LIMIT_EXCEEDED"}`, call{operation: opRead}, institution.AccessExceeded, ""},
		{429, `{"error":"ASPSP_RATE_LIMIT_EXCEEDED"}`, call{operation: opRead, attended: true}, institution.Busy, ""},
		{429, `{"error":"ASPSP_RATE_LIMIT_EXCEEDED"}`, call{operation: opSession}, institution.Busy, ""},
		{429, ``, call{operation: opRead}, institution.Busy, ""},
		{422, `{"error":"WRONG_SESSION_STATUS"}`, call{operation: opRead}, institution.SCARequired, ""},
		{400, `{"error":"ASPSP_PSU_ACTION_REQUIRED"}`, call{operation: opRead}, institution.PersonRefused, ""},
		{302, ``, call{operation: opRead}, institution.ForeignAddress, ""},
		{503, ``, call{operation: opRead}, institution.Unreachable, ""},
		{408, ``, call{operation: opRead}, institution.Unreachable, ""},
		{400, `{"error":"198412099296"}`, call{operation: opRead}, institution.Refused, ""},
	} {
		e := refusal(c.call, &httpclient.Response{Status: c.status, Header: http.Header{"X-Request-Id": {"4604aaaf-1"}, "Retry-After": {"7"}}, Body: []byte(c.body)}, now)
		if e.Kind != c.want || e.Reason != c.reason || e.HTTPStatus != c.status || e.RequestID != "4604aaaf-1" || e.RetryAfter != 7*time.Second || strings.Contains(e.Code, "19841") {
			t.Errorf("%d %s: %+v, want %s", c.status, c.body, e, c.want)
		}
	}
	for code, v := range verdicts {
		if v.form != (v.kind == institution.Refused && v.reason == "" && code != "WEBHOOK_URI_NOT_ALLOWED") {
			t.Errorf("%s: %+v", code, v)
		}
	}
}

func TestManner_IsKeptInDetail(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := manner{
			uid: rapid.SampledFrom([]string{"", "07cc67f4-45d6-494b-adac-09b5cbc7e2b5"}).Draw(t, "uid"), longest: rapid.Bool().Draw(t, "longest"), alone: rapid.Bool().Draw(t, "alone"),
			session: rapid.Bool().Draw(t, "session"), from: rapid.SampledFrom([]string{"", "2026-01-01"}).Draw(t, "from"), page: rapid.String().Draw(t, "page"),
			doubt: rapid.Bool().Draw(t, "doubt"), older: rapid.Bool().Draw(t, "older"),
		}
		if got := mannerOf(m.String()); got != m {
			t.Fatalf("%+v from %q of %+v", got, m.String(), m)
		}
	})
}

// Asking for less comes to an end, whatever the refusal, and asks for the same thing.
func TestInstead_ComesToAnEnd(t *testing.T) {
	b := gateway(t).bank(Entry{ID: "x", Validity: 1})
	rapid.Check(t, func(t *rapid.T) {
		q := institution.Question{
			Kind: rapid.SampledFrom([]string{askSession, askDetails, askBalances, askTransactions}).Draw(t, "kind"), Account: "h",
			From:   rapid.SampledFrom([]string{"", "2024-11-18", "2026-09-01", "2026-11-10"}).Draw(t, "from"),
			Detail: manner{uid: "u", longest: rapid.Bool().Draw(t, "longest"), older: rapid.Bool().Draw(t, "older")}.String(),
		}
		asked := map[institution.Question]bool{}
		for n := 0; ; n++ {
			if asked[q] || n > 8 {
				t.Fatalf("question %d: %+v", n, q)
			}
			asked[q] = true
			e := &institution.Error{Kind: rapid.SampledFrom(institution.ErrorKinds()).Draw(t, "error"), Code: rapid.SampledFrom([]string{"", psuHeaderMissing, psuHeaderInvalid, bankError}).Draw(t, "code")}
			next, ok := b.Instead(q, e, now)
			if !ok {
				return
			}
			if e.Kind.Transient() || next.Kind != q.Kind || next.Account != q.Account || next.From != q.From {
				t.Fatalf("%+v in place of %+v after %v", next, q, e)
			}
			q = next
		}
	})
}

func TestAskedBy_EndsWithTheLastDayOrTheLongestSession(t *testing.T) {
	b := gateway(t).bank(Entry{ID: "x", Validity: 90 * 86400})
	b.setDirectory(Directory{Banks: []Entry{{ID: "x", Validity: 90 * 86400}}})
	scope := consent.Scope{Balances: true, AccountIDs: []string{"SE3550000000054910000003"}}
	for _, c := range []struct{ last, want time.Time }{
		{now.AddDate(0, 0, 30), time.Date(2026, 12, 18, 23, 59, 59, 0, time.UTC)},
		{now.AddDate(0, 0, 180), now.Add(90*24*time.Hour - validityMargin)},
	} {
		a := b.askedBy(institution.OpenRequest{RequestID: "r", Scope: scope, ValidUntil: c.last})
		if !a.Until.Equal(c.want) {
			t.Errorf("until %s, want %s", a.Until, c.want)
		}
		id, err := a.id()
		got, ok := askedIn(id)
		if err != nil || !ok || !reflect.DeepEqual(got, a) {
			t.Errorf("%+v, %v", got, err)
		}
	}
	for _, id := range []consent.RemoteID{"", "asked.", "asked.e30", "4604aaaf-a3a3-4ce6-9b3a-1b7a53a0b0a1", "asked.!"} {
		if _, ok := askedIn(id); ok {
			t.Errorf("%q was read", string(id))
		}
	}
	if info, err := b.Consent(t.Context(), institution.Access{ConsentID: must(asked{Until: now}.id())}); err != nil || info.State != institution.ConsentExpired {
		t.Errorf("%+v, %v", info, err)
	}
	if got := accountIDOf("SE35 5000 0000 0549 1000 0003"); got.IBAN != "SE3550000000054910000003" || got.Other != nil {
		t.Errorf("%+v", got)
	}
	if got := accountIDOf("8327 9 123"); got.IBAN != "" || got.Other == nil || got.Other.Identification != "83279123" {
		t.Errorf("%+v", got)
	}
}

func must(id consent.RemoteID, err error) consent.RemoteID {
	if err != nil {
		panic(err)
	}
	return id
}

func TestMethodFor_TakesTheNumberInItsForm(t *testing.T) {
	bankID := func(template string) Method {
		return Method{Name: "m", PSUType: "personal", Credentials: []Credential{{Name: "c", Template: template}}}
	}
	for name, c := range map[string]struct {
		method Method
		want   string
	}{
		"twelve": {bankID(`^\d{12}$`), "198412099296"}, "ten": {bankID(`^\d{10}$`), "8412099296"}, "either": {bankID(`\d{10,12}`), "198412099296"},
		"user id": {bankID(`^[a-z]+$`), ""}, "no template": {bankID(""), ""}, "not RE2": {bankID(`^(?!1)\d{12}$`), ""},
		"hidden":      {Method{Name: "m", PSUType: "personal", Hidden: true, Credentials: []Credential{{Name: "c", Template: `\d{12}`}}}, ""},
		"business":    {Method{Name: "m", PSUType: "business", Credentials: []Credential{{Name: "c", Template: `\d{12}`}}}, ""},
		"no name":     {Method{PSUType: "personal", Credentials: []Credential{{Name: "c", Template: `\d{12}`}}}, ""},
		"two of them": {Method{Name: "m", PSUType: "personal", Credentials: []Credential{{Name: "c", Template: `\d{12}`}, {Name: "d"}}}, ""},
	} {
		if _, _, value, _ := (Entry{Methods: []Method{c.method}}).methodFor("personal", "198412099296"); value != c.want {
			t.Errorf("%s: %q", name, value)
		}
	}
}

func TestReadDetails_PutsNumbersWhereTheyBelong(t *testing.T) {
	read := func(members string) fact.Account {
		t.Helper()
		a := institution.Answer{Question: institution.Question{Kind: askDetails}, FetchedAt: now, Body: []byte(`{"identification_hash":"h",` + members + `}`)}
		r, err := readDetails(a, manner{uid: "u"})
		if err != nil || len(r.Facts.Accounts) != 1 || len(r.Questions) != 2 {
			t.Fatalf("%+v, %v", r, err)
		}
		return r.Facts.Accounts[0]
	}
	other := func(id, scheme string) string {
		return fmt.Sprintf(`"account_id":{"iban":null,"other":{"identification":%q,"scheme_name":%q}}`, id, scheme)
	}
	if a := read(`"account_id":{"iban":"se35 5000 0000 0549 1000 0003"},"all_account_ids":[{"identification":"50000000054910000003","scheme_name":"BBAN"},null]`); a.IBAN != "SE3550000000054910000003" || a.BBAN != "50000000054910000003" {
		t.Errorf("%+v", a)
	}
	if a := read(other("5412345678901234", "CPAN") + `,"cash_account_type":"CARD"`); a.MaskedPAN != "541234******1234" || !a.Card || a.Other != "" {
		t.Errorf("%+v", a)
	}
	if a := read(other("SE35***0003", "MIBN")); a.MaskedPAN != "SE35***0003" || a.IBAN != "" {
		t.Errorf("%+v", a)
	}
	if a := read(other("12345678901234567890123456", "PLKNR")); a.Other != "12345678901234567890123456" {
		t.Errorf("%+v", a)
	}
	if a := read(other("83279", "BBAN") + `,"currency":"xxx","cash_account_type":"OTHR","name":" Anna  A ","details":"Lön","credit_limit":{"currency":"SEK","amount":"10"}`); a.BBAN != "83279" ||
		a.Currency != "" || a.Type != "" || a.OwnerName != "Anna A" || a.DisplayName != "Lön" || a.Credit == nil {
		t.Errorf("%+v", a)
	}
	if _, err := readDetails(institution.Answer{Body: []byte(`{"uid":"1"}`)}, manner{}); institution.KindOf(err) != institution.MalformedResponse {
		t.Errorf("without a hash: %v", err)
	}
}

func TestReadTransactions_KeepsRowsOfTheAccountOnly(t *testing.T) {
	row := func(members string) string {
		return `{"transaction_amount":{"currency":"SEK","amount":"1.50"},` + members + `}`
	}
	rows := []string{
		row(`"credit_debit_indicator":"DBIT","status":"BOOK","booking_date":"2026-11-17","remittance_information":["A"," ","B"]`),
		row(`"credit_debit_indicator":"CRDT","status":"PDNG","value_date":"2026-11-17","bank_transaction_code":{"description":"Insättning"}`),
		row(`"credit_debit_indicator":"DBIT","status":"SCHD","booking_date":"2026-12-17"`), row(`"credit_debit_indicator":"DBIT","status":"RJCT"`), row(`"credit_debit_indicator":"DBIT","status":"CNCL"`),
		row(`"credit_debit_indicator":"DBIT","status":"OTHR","booking_date":"2026-11-16"`), row(`"credit_debit_indicator":"DBIT","status":"NEWS"`),
		row(`"status":"BOOK","booking_date":"2026-11-15"`), row(`"credit_debit_indicator":"DBIT","status":"BOOK","booking_date":"17/11/26"`),
		row(`"credit_debit_indicator":"DBIT","status":"BOOK","booking_date":"2026-01-01"`),
		`{"transaction_amount":{"currency":"SEK","amount":"x"},"credit_debit_indicator":"DBIT","status":"BOOK"}`,
		`{"transaction_amount":{"currency":"XXX","amount":"-2"},"credit_debit_indicator":"CRDT","status":"BOOK","booking_date":"2026-11-14","entry_reference":"0"}`, `null`,
	}
	a := institution.Answer{Question: institution.Question{Kind: askTransactions, Account: "h", From: "2026-11-01"}, FetchedAt: now,
		Body: []byte(`{"transactions":[` + strings.Join(rows, ",") + `],"continuation_key":null}`)}
	r, err := readTransactions(a, manner{uid: "u"})
	if err != nil || len(r.Questions) != 0 {
		t.Fatalf("%+v, %v", r, err)
	}
	got := r.Facts.Histories[0].Transactions
	var texts []string
	for _, row := range got {
		texts = append(texts, fmt.Sprintf("%s %t %d %s %s", row.Day().Format("01-02"), row.Booked, row.Direction, row.Amount.Value(), row.Text))
	}
	want := []string{
		"11-17 true 1 1.50 A B", "11-17 false 2 1.50 Insättning", "11-16 true 1 1.50 ", "01-01 false 1 1.50 ", "11-15 true 0 1.50 ", "01-01 true 1 1.50 ", "11-14 true 2 2 ",
	}
	if !slices.Equal(texts, want) {
		t.Errorf("got  %q\nwant %q", texts, want)
	}
	if last := got[len(got)-1]; last.Amount.Currency() != "" || last.EntryReference != "" {
		t.Errorf("%+v", last)
	}
	if s := fmt.Sprint(r.Deviations); s != "map[UNCLEAR_SIGN:1 UNKNOWN_VALUE:2 UNREADABLE_DATE:1 UNREADABLE_ROW:2]" {
		t.Errorf("deviations %s", s)
	}
	for _, body := range []string{`{}`, `{"transactions":null}`, `[]`} {
		if _, err := readTransactions(institution.Answer{Body: []byte(body)}, manner{}); institution.KindOf(err) != institution.MalformedResponse {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// The day of a balance is the bank's: it begins before that of UTC.
func TestReadBalances_OfTheDayOfTheBankAreNotAhead(t *testing.T) {
	entry := func(day string) string {
		return `{"balance_amount":{"currency":"SEK","amount":"1"},"balance_type":"ITBD","reference_date":"` + day + `"}`
	}
	r, err := readBalances(institution.Answer{FetchedAt: time.Date(2026, 11, 20, 23, 30, 0, 0, time.UTC),
		Body: []byte(`{"balances":[` + entry("2026-11-21") + "," + entry("2026-11-22") + `]}`)})
	if err != nil || len(r.Facts.Balances) != 2 || r.Facts.Balances[0].Ahead || !r.Facts.Balances[1].Ahead {
		t.Errorf("%+v, %v", r.Facts.Balances, err)
	}
}

// Whatever an answer is, Read returns a reading or an *institution.Error, the same each
// time, and asks about accounts that it has named.
func FuzzRead(f *testing.F) {
	for _, s := range []string{
		`{"status":"AUTHORIZED","accounts":["07cc67f4-45d6-494b-adac-09b5cbc7e2b5"],"accounts_data":[{"uid":"07cc67f4-45d6-494b-adac-09b5cbc7e2b5","identification_hash":"h","identification_hashes":["h"]}]}`,
		`{"account_id":{"iban":"SE3550000000054910000003"},"name":"A","cash_account_type":"CACC","currency":"SEK","identification_hash":"h","identification_hashes":["h"],"credit_limit":{"currency":"SEK","amount":"1"}}`,
		`{"balances":[{"name":"","balance_amount":{"currency":"SEK","amount":"-1.50"},"balance_type":"CLBD","reference_date":"2026-11-18"}]}`,
		`{"transactions":[{"transaction_amount":{"currency":"SEK","amount":"1.00"},"credit_debit_indicator":"DBIT","status":"BOOK","booking_date":"2026-11-18"}],"continuation_key":"k"}`,
		`{"transactions":[{"transaction_amount":null,"status":null}],"continuation_key":7}`, `{"aspsps":[{"name":"A","country":"SE","maximum_consent_validity":1}]}`, `[]`, `null`, `{"a"`,
	} {
		for kind := range 5 {
			f.Add([]byte(s), kind)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte, kind int) {
		questions := []institution.Question{
			{Kind: askSession, From: "2026-01-01"}, {Kind: askDetails, Detail: "uid=u"}, {Kind: askDetails, Detail: "uid=u session"}, {Kind: askBalances, Account: "h"}, {Kind: askTransactions, Account: "h", From: "2026-01-01"},
		}
		q := questions[((kind%5)+5)%5]
		b := &Bank{}
		a := institution.Answer{Question: q, Body: body, FetchedAt: now}
		r, err := b.Read(a)
		if again, errAgain := b.Read(a); !reflect.DeepEqual(r, again) || (err == nil) != (errAgain == nil) {
			t.Fatal("two readings differ")
		}
		if err != nil {
			if institution.KindOf(err) != institution.MalformedResponse {
				t.Fatal(err)
			}
			return
		}
		for _, next := range r.Questions {
			if next.Account != "" && next.Account != q.Account && (len(r.Facts.Accounts) != 1 || r.Facts.Accounts[0].Key != next.Account) {
				t.Fatalf("a question about an account that nobody named: %+v", next)
			}
			if text, err := json.Marshal(next); err != nil || len(text) == 0 {
				t.Fatal(err)
			}
		}
		for _, h := range r.Facts.Histories {
			for _, row := range h.Transactions {
				if row.Direction != fact.Unsaid && row.Amount.Sign() < 0 {
					t.Fatalf("an amount with a direction has a sign: %+v", row)
				}
			}
		}
		_, _ = readDirectory(body)
		_, _ = readApplication(body)
		_ = checkSession(body)
		_ = codeOf(body)
	})
}

// A server that starts without a bank of the gateway would not renew the list before its next
// start.
func TestOpenAll_NeedsABankOfTheCountries(t *testing.T) {
	dir := t.TempDir()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	if err := os.WriteFile(filepath.Join(dir, "a.pem"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	list := Directory{}.Renewed([]Entry{{Name: "A", Country: "SE", Methods: []Method{{Name: "m"}}}}, now, "eb")
	if err := list.Save(filepath.Join(dir, "x-banks.json")); err != nil {
		t.Fatal(err)
	}
	for country, want := range map[string]string{"SE": "", "NO": "/countries: the list of banks has none"} {
		c := valid()
		c.Countries = []string{country}
		all, err := c.OpenAll(institution.Deps{Clock: clock.NewManual(now), Company: "x", Dir: dir}.WithDefaults(), func(string) bool { return false })
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) || err == nil && len(all) != 1 {
			t.Errorf("%s: %d banks, %v", country, len(all), err)
		}
		for _, i := range all {
			i.Close()
		}
	}
}
