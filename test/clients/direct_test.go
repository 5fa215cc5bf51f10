package clients

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"samla/test/qrscan"
)

// direct is a client of 2026-04-01 as docs/reference/api.md 9.1 describes it.
type direct struct {
	w         *env
	base, key string
	// look shows the person a screen.
	look func(screen string, image, token string)
}

// answered is an answer without success: the client keeps the status and the raw text.
type answered struct {
	status int
	text   string
}

func (a answered) Error() string { return fmt.Sprintf("status %d: %s", a.status, a.text) }

// call sends a request and parses the JSON body of its answer.
func (c *direct) call(method, path string, body, out any) error {
	var text bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&text).Encode(body); err != nil {
			return err
		}
	}
	r, err := http.NewRequestWithContext(c.w.ctx, method, c.base+path, &text)
	if err != nil {
		return err
	}
	// The client writes this name in lower case, and the content type on every call.
	r.Header["authorization-token"] = []string{c.key}
	r.Header["Insurely-version"] = []string{"2026-04-01"}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	var parsed any
	if err := json.Unmarshal(raw, &parsed); err != nil {
		return fmt.Errorf("status %d: no JSON: %w: %s", res.StatusCode, err, raw)
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return answered{res.StatusCode, string(raw)}
	}
	return json.Unmarshal(raw, out)
}

// row is what it reads of a company.
type row struct {
	Company, CompanyDisplayName string
	Functional                  bool
	LoginMethods                []string
}

// companies returns the functional rows with a method of BankID.
func (c *direct) companies() (list []row, err error) {
	var all []row
	err = c.call(http.MethodGet, "/companies/availability", nil, &all)
	for _, r := range all {
		if r.Functional && strings.Contains(strings.Join(r.LoginMethods, " "), "BANKID") {
			list = append(list, r)
		}
	}
	return list, err
}

// choose returns the login method of its choice.
func (c *direct) choose(methods []string) string {
	for _, wanted := range []string{"SWEDISH_MOBILE_BANKID_OTHER_DEVICE", "SWEDISH_MOBILE_BANKID_OTHER_DEVICE_MOCK",
		"SWEDISH_MOBILE_BANKID_ANY_DEVICE", "SWEDISH_MOBILE_BANKID"} {
		for _, m := range methods {
			if m == wanted {
				return m
			}
		}
	}
	return methods[0]
}

// status is what it reads of a status: two keys of extraInformation, whatever else is there.
type status struct {
	ID, Status       string
	ExtraInformation struct {
		QR    string `json:"SWEDISH_BANKID_QRCODE"`
		Token string `json:"SWEDISH_MOBILE_BANKID_AUTOSTART_TOKEN"`
	}
}

func (c *direct) start(company row, number string) (s status, err error) {
	parameters := []object{{"type": "SWEDISH_BANKID", "personalNumber": number}}
	err = c.call(http.MethodPost, "/collections", object{"company": company.Company, "loginMethod": c.choose(company.LoginMethods), "parameters": parameters}, &s)
	return s, err
}

// follow polls every two seconds, whatever the server recommends, until the collection is
// done. It returns the last status, and whether that is an error to the client.
func (c *direct) follow(s status) (end string, failed bool, err error) {
	image, token := "", ""
	for {
		if qr := s.ExtraInformation.QR; qr != "" {
			if image = qr; !strings.HasPrefix(image, "data:") {
				image = "data:image/png;base64," + image
			}
		}
		if s.ExtraInformation.Token != "" {
			token = s.ExtraInformation.Token
		}
		switch s.Status {
		case "LOGIN", "TWO_FACTOR_PENDING":
			c.look("bankid", image, token)
		case "RUNNING", "COLLECTING":
			c.look("progress", "", "")
		case "COMPLETED", "COMPLETED_PARTIAL":
			return s.Status, false, nil
		case "FAILED", "INCORRECT_CREDENTIALS", "AUTHENTICATION_TIMEOUT":
			return s.Status, true, nil
		}
		if !c.w.wait(2 * time.Second) {
			return s.Status, true, fmt.Errorf("it polls for ever in %s", s.Status)
		}
		next := status{}
		if err := c.call(http.MethodGet, "/collections/"+s.ID+"/status", nil, &next); err != nil {
			return s.Status, true, err
		}
		s = next
	}
}

// money is an amount with its text kept.
type money struct {
	Amount   json.Number
	Currency string
}

// loan has the fields that it reads of a loan.
type loan struct {
	ID, Company, CompanyDisplayName, FinancedObject, FirstDrawDownDate, LoanID, InterestBindingPeriod, Status, Type string
	Interest                                                                                                        struct {
		Rate, BaseRate     json.Number
		RateAdjustmentDate string
	}
	LoanDetails *struct{ Granted, Paid, Balance money }
	NextPayment struct {
		Instalment, Interest, Total money
		Date                        string
	}
	Owners []struct {
		Name            string
		SharePercentage json.Number
	}
}

// loans returns the items of the top-level array that are loans.
func (c *direct) loans(id string) (loans []loan, items int, err error) {
	var list []json.RawMessage
	if err := c.call(http.MethodGet, "/collections/"+id+"/wealth/data", nil, &list); err != nil {
		return nil, 0, err
	}
	for _, raw := range list {
		var l loan
		if err := json.Unmarshal(raw, &l); err != nil {
			return nil, 0, err
		}
		if strings.Contains(l.Type, "MORTGAGE") || strings.Contains(l.Type, "LOAN") || l.LoanDetails != nil {
			loans = append(loans, l)
		}
	}
	return loans, len(list), nil
}

// newDirect returns a client, and a person who scans each code with the phone.
func (w *env) newDirect(t *testing.T) *direct {
	w.Log.Secret("an API key", w.APIKey)
	c := &direct{w: w, base: w.Server.URL(), key: w.APIKey}
	seen := ""
	c.look = func(screen string, image, _ string) {
		code, isPicture := strings.CutPrefix(image, "data:image/png;base64,")
		if screen == "bankid" && isPicture && code != seen {
			seen = code
			w.sign(qrscan.Decode(t, code), "")
		}
	}
	return c
}

// find returns the row of a company, which must be offered.
func (c *direct) find(t *testing.T, company string) row {
	t.Helper()
	list, err := c.companies()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range list {
		if r.Company == company {
			return r
		}
	}
	t.Fatalf("%s is not among %+v", company, list)
	return row{}
}

// At the demo company and at a bank the client gets loans, and each field that it reads is
// there where the loan has it.
func TestDirect_ReadsLoans(t *testing.T) {
	w := newEnv(t)
	for _, tc := range []struct {
		company, number string // ten digits
		full            bool   // all fields
	}{
		{demo, "0001020000", true}, // two of each type: docs/sandbox.md
		{demo, "200001020000", true},
		{demoBank, "9011062388", false}, // has a mortgage among the accounts
	} {
		t.Run(tc.company+" "+tc.number[len(tc.number)-4:], func(t *testing.T) {
			w.secret(tc.number)
			c := w.newDirect(t)
			begun, err := c.start(c.find(t, tc.company), tc.number)
			if err != nil {
				t.Fatal(err)
			}
			end, failed, err := c.follow(begun)
			if err != nil || failed || end != "COMPLETED" {
				t.Fatalf("%s, %v", end, err)
			}
			loans, items, err := c.loans(begun.ID)
			if err != nil || len(loans) == 0 || items <= len(loans) {
				t.Fatalf("%d loans of %d items, %v", len(loans), items, err)
			}
			whole := 0
			for _, l := range loans {
				if l.ID == "" || l.Company != tc.company || l.CompanyDisplayName == "" || !strings.Contains(l.Type, "LOAN") {
					t.Errorf("%+v", l)
				}
				if l.isWhole() {
					whole++
				}
			}
			if tc.full != (whole > 0) {
				t.Errorf("%d of %d loans have every field", whole, len(loans))
			}
		})
	}
}

// isWhole reports whether a mortgage has every field that the client reads.
func (l loan) isWhole() bool {
	rate, err := l.Interest.Rate.Float64()
	fraction := err == nil && rate > 0 && rate < 1
	return fraction && l.FinancedObject != "" && l.FirstDrawDownDate != "" && l.LoanID != "" && l.InterestBindingPeriod != "" && l.Status != "" &&
		l.Interest.RateAdjustmentDate != "" && l.LoanDetails != nil && l.LoanDetails.Granted.Amount != "" && l.LoanDetails.Paid.Amount != "" &&
		l.LoanDetails.Balance.Currency == "SEK" && l.NextPayment.Date != "" && l.NextPayment.Instalment.Amount != "" && l.NextPayment.Interest.Amount != "" &&
		l.NextPayment.Total.Amount != "" && len(l.Owners) > 0 && l.Owners[0].Name != "" && l.Owners[0].SharePercentage != ""
}

// A code that does not change, and one that changes each second, are pictures without a
// prefix; the client sees those that fail as errors.
func TestDirect_ShowsCodesAndErrors(t *testing.T) {
	w := newEnvAt(t, 2) // a code of the demo company is shown for four seconds: a busy machine must see it
	for number, want := range map[string]struct {
		end    string
		failed bool
		code   bool
	}{
		"0001040000": {"COMPLETED", false, true}, "0001060000": {"COMPLETED", false, true},
		"0002010000": {"FAILED", true, false}, "0002040000": {"FAILED", true, true},
		"0002050000": {"COMPLETED_PARTIAL", false, false},
	} {
		w.secret(number)
		t.Run(number, func(t *testing.T) {
			t.Parallel()
			c := w.newDirect(t)
			shown := false
			c.look = func(screen, image, _ string) {
				if picture, ok := strings.CutPrefix(image, "data:image/png;base64,"); screen == "bankid" && ok {
					shown = qrscan.Decode(t, picture) != ""
				}
			}
			begun, err := c.start(c.find(t, demo), number)
			if err != nil {
				t.Fatal(err)
			}
			if end, failed, err := c.follow(begun); err != nil || end != want.end || failed != want.failed || shown != want.code {
				t.Errorf("%s, failed %v, shown %v, %v", end, failed, shown, err)
			}
			if want.failed {
				if _, _, err := c.loans(begun.ID); err == nil || !strings.Contains(err.Error(), "COLLECTION_FAILED") {
					t.Errorf("the data of a failed collection: %v", err)
				}
			}
		})
	}
}

// The route cancel, which the client has, answers JSON, also for a finished collection.
func TestDirect_Cancels(t *testing.T) {
	w := newEnv(t)
	for company, number := range map[string]string{demo: "0004140000", demoBank: "9011062388"} { // neither ends by itself soon
		w.secret(number)
		c := w.newDirect(t)
		begun, err := c.start(c.find(t, company), number)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			var s status
			if err := c.call(http.MethodPost, "/collections/"+begun.ID+"/cancel", nil, &s); err != nil || s.ID != begun.ID || s.Status != "AUTHENTICATION_CANCELLED" {
				t.Errorf("%s: %+v, %v", company, s, err)
			}
		}
	}
	var e answered
	c := w.newDirect(t)
	err := c.call(http.MethodPost, "/collections/none/cancel", nil, &struct{}{})
	if e, _ = err.(answered); e.status != http.StatusNotFound || !strings.Contains(e.text, "COLLECTION_NOT_FOUND") {
		t.Error(err)
	}
}
