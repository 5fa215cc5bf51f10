package sandbox_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

// consentBody returns a body of POST consents with this access member.
func consentBody(access string) string {
	return strings.Replace(allAccounts, `{"allPsd2":"allAccounts"}`, access, 1)
}

func TestConsent_ValidatesBody(t *testing.T) {
	w := start(t, nil)
	p := w.tpp("se-demo-psd2")
	swap := func(from, to string) string {
		if !strings.Contains(allAccounts, from) {
			t.Fatalf("no %q", from)
		}
		return strings.Replace(allAccounts, from, to, 1)
	}
	const iban = `{"iban":"SE4550000000058398257466"}`
	for name, c := range map[string]struct{ body, code string }{
		"empty":              {"", "FORMAT_ERROR"},
		"not an object":      {"[]", "FORMAT_ERROR"},
		"two objects":        {allAccounts + "{}", "FORMAT_ERROR"},
		"unknown member":     {swap(`"recurringIndicator"`, `"extra":1,"recurringIndicator"`), "FORMAT_ERROR"},
		"no frequency":       {swap(`"frequencyPerDay":4,`, ""), "FORMAT_ERROR"},
		"no combined":        {swap(`,"combinedServiceIndicator":false`, ""), "FORMAT_ERROR"},
		"no access":          {swap(`"access":{"allPsd2":"allAccounts"},`, ""), "FORMAT_ERROR"},
		"string for boolean": {swap(`true`, `"true"`), "FORMAT_ERROR"},
		"frequency 0":        {swap(`4`, `0`), "FORMAT_ERROR"},
		"frequency 1.5":      {swap(`4`, `1.5`), "FORMAT_ERROR"},
		"no date":            {swap(`2026-07-01`, `2026-13-01`), "FORMAT_ERROR"},
		"yesterday":          {swap(`2026-07-01`, `2026-03-31`), "PERIOD_INVALID"},
		"one-off, 4 a day":   {swap(`true`, `false`), "PARAMETER_NOT_CONSISTENT"},
		"combined":           {swap(`"combinedServiceIndicator":false`, `"combinedServiceIndicator":true`), "SESSIONS_NOT_SUPPORTED"},
		"empty access":       {consentBody(`{}`), "FORMAT_ERROR"},
		"two variants":       {consentBody(`{"allPsd2":"allAccounts","accounts":[]}`), "FORMAT_ERROR"},
		"unknown value":      {consentBody(`{"allPsd2":"everything"}`), "FORMAT_ERROR"},
		"wrong IBAN":         {consentBody(`{"accounts":[{"iban":"SE4560000000058398257466"}]}`), "FORMAT_ERROR"},
		"no identification":  {consentBody(`{"accounts":[{"currency":"SEK"}]}`), "FORMAT_ERROR"},
		"two ids":            {consentBody(`{"accounts":[{"iban":"SE4550000000058398257466","bban":"1"}]}`), "FORMAT_ERROR"},
		"currency":           {consentBody(`{"accounts":[{"iban":"SE4550000000058398257466","currency":"kr"}]}`), "FORMAT_ERROR"},
		"half empty":         {consentBody(`{"accounts":[` + iban + `],"balances":[]}`), "FORMAT_ERROR"},
		"additional alone":   {consentBody(`{"allPsd2":"allAccounts","additionalInformation":{"ownerName":[]}}`), "FORMAT_ERROR"},
		"restricted names":   {consentBody(`{"accounts":[` + iban + `],"restrictedTo":["CACC"]}`), "FORMAT_ERROR"},
	} {
		a := p.call("POST", "consents", c.body, "Content-Type", "application/json")
		if a.status != 400 || a.text("tppMessages", 0, "code") != c.code {
			t.Errorf("%s: %d %s, want %s", name, a.status, a.body, c.code)
		}
	}
	p.call("POST", "consents", allAccounts, "PSU-IP-Address", "").wantError(400, "FORMAT_ERROR")
	p.call("POST", "consents", allAccounts, "PSU-ID", "196408833224").wantError(401, "PSU_CREDENTIALS_INVALID")
	if n := w.Stats().ConsentsCreated; n != 0 {
		t.Errorf("%d consents were created", n)
	}
}

// A repeated request with the same id and body returns the same consent; another body
// with that id is an error. The same applies to authorisations.
func TestConsent_CreationIsIdempotent(t *testing.T) {
	w := start(t, nil)
	p := w.tpp("se-demo-psd2")
	id := uuid.NewString()
	first := p.call("POST", "consents", allAccounts, "X-Request-ID", id).want(201)
	again := p.call("POST", "consents", allAccounts, "X-Request-ID", id).want(201)
	if first.text("consentId") != again.text("consentId") || string(first.body) != string(again.body) {
		t.Errorf("%s\n%s", first.body, again.body)
	}
	p.call("POST", "consents", strings.Replace(allAccounts, "07-01", "07-02", 1), "X-Request-ID", id).wantError(400, "FORMAT_ERROR")
	path := "consents/" + first.text("consentId") + "/authorisations"
	id = uuid.NewString()
	one := p.call("POST", path, `{}`, "X-Request-ID", id).want(201)
	two := p.call("POST", path, `{}`, "X-Request-ID", id).want(201)
	if one.text("authorisationId") == "" || one.text("authorisationId") != two.text("authorisationId") {
		t.Errorf("%s\n%s", one.body, two.body)
	}
	p.call("POST", path, `{"authenticationMethodId":"bankid"}`, "X-Request-ID", id).wantError(400, "FORMAT_ERROR")
	p.call("POST", path, `{}`).wantError(409, "STATUS_INVALID") // another one is open
	if n := len(p.call("GET", path, "").want(200).list("authorisationIds")); n != 1 {
		t.Errorf("%d authorisations", n)
	}
	s := w.Stats()
	if s.ConsentsCreated != 1 || s.DistinctRequests != 1 || s.DuplicateConsents != 0 || s.Banks["se-demo-psd2"].ConsentReplays != 1 {
		t.Errorf("%+v", s)
	}
	p.approve(one, maja)
	if got := p.call("POST", "consents", allAccounts, "X-Request-ID", first.header.Get("X-Request-ID")).text("consentStatus"); got != "valid" {
		t.Errorf("a late replay returns %q", got)
	}
}

// The bank shortens validUntil to its maximum and returns the shortened date.
func TestConsent_ShortensValidUntil(t *testing.T) {
	w := start(t, nil)
	for bank, want := range map[string]string{"se-demo-psd2": "2026-09-28", "se-sandbox-short": "2026-05-01"} {
		p := w.tpp(bank)
		id := p.call("POST", "consents", strings.Replace(allAccounts, "2026-07-01", "9999-12-31", 1)).want(201).text("consentId")
		got := p.call("GET", "consents/"+id, "").want(200)
		if got.text("validUntil") != want || got.text("lastActionDate") != "2026-04-01" || got.text("consentStatus") != "received" {
			t.Errorf("%s: %s", bank, got.body)
		}
	}
}

// ibans lists the person's accounts by name.
func (p *tpp) ibans(person string) map[string]string {
	p.Helper()
	id := p.consent(allAccounts, person)
	out := map[string]string{}
	for _, a := range p.call("GET", "accounts", "", "Consent-ID", id).want(200).list("accounts") {
		m := a.(map[string]any)
		out[m["name"].(string)], _ = m["iban"].(string)
	}
	return out
}

func TestConsent_GrantsOnlyOwnedAccounts(t *testing.T) {
	w := start(t, nil)
	p := w.tpp("se-demo-psd2")
	own, foreign := p.ibans(maja)["Privatkonto"], p.ibans(ester)["Buffert"]
	access := fmt.Sprintf(`{"accounts":[{"iban":%q},{"iban":%q}],"balances":[{"iban":%q}]}`, own, foreign, own)
	id := p.consent(consentBody(access), maja)
	granted := p.call("GET", "consents/"+id, "").want(200)
	if n := len(granted.list("access", "accounts")); n != 1 {
		t.Errorf("granted %d accounts: %s", n, granted.body)
	}
	list := p.call("GET", "accounts", "", "Consent-ID", id).want(200)
	if len(list.list("accounts")) != 1 || list.text("accounts", 0, "_links", "balances", "href") == "" || list.at("accounts", 0, "_links", "transactions") != nil {
		t.Errorf("%s", list.body)
	}
	account := list.text("accounts", 0, "resourceId")
	p.call("GET", "accounts/"+account+"/balances", "", "Consent-ID", id).want(200)
	p.call("GET", "accounts/"+account+"/transactions?bookingStatus=booked&dateFrom=2026-03-01", "", "Consent-ID", id).wantError(401, "CONSENT_INVALID")

	// The signer owns none of the listed accounts: the authorisation fails.
	created := p.call("POST", "consents", consentBody(fmt.Sprintf(`{"accounts":[{"iban":%q}]}`, foreign))).want(201)
	auth := p.call("POST", "consents/"+created.text("consentId")+"/authorisations", `{}`).want(201)
	p.approve(auth, maja)
	end := p.call("GET", auth.text("_links", "scaStatus", "href"), "").want(200)
	if end.text("scaStatus") != "failed" || end.text("hintCode") != "nothingToGrant" {
		t.Errorf("%s", end.body)
	}
}

func TestConsent_SupportsAllAccessVariants(t *testing.T) {
	w := start(t, nil)
	p := w.tpp("se-demo-psd2")
	for name, c := range map[string]struct {
		access                        string
		accounts                      int
		balances, transactions, owner bool
	}{
		"all":                 {`{"allPsd2":"allAccounts"}`, 2, true, true, false},
		"all with owner":      {`{"allPsd2":"allAccountsWithOwnerName"}`, 2, true, true, true},
		"offered":             {`{"accounts":[],"balances":[],"transactions":[]}`, 2, true, true, false},
		"offered, owner":      {`{"accounts":[],"additionalInformation":{"ownerName":[]}}`, 2, false, false, true},
		"offered, balances":   {`{"balances":[]}`, 2, true, false, false},
		"list":                {`{"availableAccounts":"allAccounts"}`, 2, false, false, false},
		"list with balance":   {`{"availableAccountsWithBalance":"allAccountsWithOwnerName"}`, 2, true, false, true},
		"savings only":        {`{"allPsd2":"allAccounts","restrictedTo":["SVGS"]}`, 1, true, true, false},
		"offered, restricted": {`{"accounts":[],"restrictedTo":["CACC"]}`, 1, false, false, false},
	} {
		id := p.consent(consentBody(c.access), ester)
		list := p.call("GET", "accounts", "", "Consent-ID", id).want(200)
		first, _ := list.at("accounts", 0).(map[string]any)
		links, _ := first["_links"].(map[string]any)
		_, named := first["ownerName"]
		_, several := first["ownerNames"]
		if len(list.list("accounts")) != c.accounts || (links["balances"] != nil) != c.balances ||
			(links["transactions"] != nil) != c.transactions || (named || several) != c.owner {
			t.Errorf("%s: %s", name, list.body)
		}
		if status := p.call("GET", "accounts?withBalance=true", "", "Consent-ID", id).status; (status == 200) != c.balances {
			t.Errorf("%s: withBalance answers %d", name, status)
		}
	}
}

// A consent is valid until the end of its last day, and a one-off consent for an hour.
func TestConsent_Expires(t *testing.T) {
	w := start(t, nil)
	p := w.tpp("se-demo-psd2")
	id := p.consent(strings.Replace(allAccounts, "2026-07-01", "2026-04-02", 1), maja)
	once := p.consent(strings.NewReplacer("true", "false", `"frequencyPerDay":4`, `"frequencyPerDay":1`).Replace(allAccounts), tim)
	w.clock.Set(startTime.Add(61 * time.Minute))
	p.call("GET", "accounts", "", "Consent-ID", once).wantError(401, "CONSENT_EXPIRED")
	w.clock.Set(time.Date(2026, 4, 2, 23, 59, 59, 0, time.UTC))
	p.call("GET", "accounts", "", "Consent-ID", id).want(200)
	w.clock.Advance(time.Second)
	p.call("GET", "accounts", "", "Consent-ID", id).wantError(401, "CONSENT_EXPIRED")
	if got := p.call("GET", "consents/"+id+"/status", "").text("consentStatus"); got != "expired" {
		t.Errorf("status %s", got)
	}
}

// A newer recurring consent of the same person ends the older one when it becomes
// valid, not before. Consents of other persons and one-off consents do not.
func TestConsent_NewerEndsOlder(t *testing.T) {
	w := start(t, nil)
	p := w.tpp("se-demo-psd2")
	status := func(id string) string { return p.call("GET", "consents/"+id+"/status", "").text("consentStatus") }
	older := p.consent(allAccounts, maja)
	p.consent(allAccounts, ester)
	p.consent(strings.NewReplacer("true", "false", `"frequencyPerDay":4`, `"frequencyPerDay":1`).Replace(allAccounts), maja)
	p.call("POST", "consents", allAccounts).want(201)
	if got := status(older); got != "valid" {
		t.Errorf("before the newer consent is valid: %s", got)
	}
	newer := p.consent(allAccounts, maja)
	if status(older) != "terminatedByTpp" || status(newer) != "valid" {
		t.Errorf("older %s, newer %s", status(older), status(newer))
	}
	p.call("GET", "accounts", "", "Consent-ID", older).wantError(401, "CONSENT_INVALID")
}
