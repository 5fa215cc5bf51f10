package clients

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// page is a web page that embeds the collection (docs/reference/api.md 9.3). It has the
// session token of its user, and its requests are those of a browser: they have an Origin,
// and need what docs/reference/api.md 1.10 allows.
type page struct {
	w           *env
	base, token string
}

// fetch is what a browser does for a page of another origin: it asks for permission before
// a request with other than simple headers, and hides the answer without permission.
func (p *page) fetch(method, path string, body any) (int, http.Header, []byte, error) {
	var text []byte
	headers := map[string]string{"authorization": "Bearer " + p.token, "insurely-version": "2026-04-01"}
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return 0, nil, nil, err
		}
		headers["content-type"] = "application/json"
	}
	names := make([]string, 0, len(headers))
	for name := range headers {
		names = append(names, name)
	}
	slices.Sort(names)
	preflight, err := p.send(http.MethodOptions, path, nil, map[string]string{
		"access-control-request-method": method, "access-control-request-headers": strings.Join(names, ",")})
	if err != nil {
		return 0, nil, nil, err
	}
	defer preflight.Body.Close()
	allowed := func(field, want string) bool {
		for part := range strings.SplitSeq(preflight.Header.Get(field), ",") {
			if strings.EqualFold(strings.TrimSpace(part), want) {
				return true
			}
		}
		return false
	}
	if preflight.StatusCode > 299 || preflight.Header.Get("Access-Control-Allow-Origin") != origin || !allowed("Access-Control-Allow-Methods", method) {
		return 0, nil, nil, fmt.Errorf("the preflight of %s %s is refused: %d %v", method, path, preflight.StatusCode, preflight.Header)
	}
	for _, name := range names {
		if !allowed("Access-Control-Allow-Headers", name) {
			return 0, nil, nil, fmt.Errorf("%s %s: the header %s is not allowed", method, path, name)
		}
	}
	res, err := p.send(method, path, text, headers)
	if err != nil {
		return 0, nil, nil, err
	}
	defer res.Body.Close()
	if res.Header.Get("Access-Control-Allow-Origin") != origin {
		return 0, nil, nil, fmt.Errorf("%s %s: the page may not read the answer", method, path)
	}
	raw, err := io.ReadAll(res.Body)
	return res.StatusCode, res.Header, raw, err
}

func (p *page) send(method, path string, body []byte, headers map[string]string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(p.w.ctx, method, p.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Origin", origin)
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	return http.DefaultClient.Do(r)
}

// json fetches and decodes an answer that must have a 2xx status.
func (p *page) json(method, path string, body, out any) error {
	code, _, raw, err := p.fetch(method, path, body)
	if err == nil && (code < 200 || code > 299) {
		err = fmt.Errorf("%s %s: %d %s", method, path, code, raw)
	}
	if err != nil || out == nil {
		return err
	}
	return json.Unmarshal(raw, out)
}

// run collects from a company and lets the person sign. begun gets the id of the collection
// long before the data is ready.
func (p *page) run(company, method string, parameters []object, begun func(id string)) (end string, err error) {
	var s struct {
		ID, Status       string
		ExtraInformation struct {
			QR string `json:"SWEDISH_MOBILE_BANKID_ANIMATED_QR_DATA"`
		}
		PollingInterval *int
	}
	if err := p.json(http.MethodPost, "/collections", object{"company": company, "loginMethod": method, "parameters": parameters}, &s); err != nil {
		return "", err
	}
	id := s.ID
	begun(id)
	for s.PollingInterval != nil {
		if s.ExtraInformation.QR != "" {
			p.w.sign(s.ExtraInformation.QR, "")
		}
		if !p.w.wait(time.Duration(*s.PollingInterval) * time.Millisecond) {
			return s.Status, fmt.Errorf("still %s", s.Status)
		}
		s.ExtraInformation.QR, s.PollingInterval = "", nil
		if err := p.json(http.MethodGet, "/collections/"+id+"/status", nil, &s); err != nil {
			return "", err
		}
	}
	return s.Status, nil
}

// newPage creates a user and returns the page that the user looks at.
func (w *env) newPage(t *testing.T) *page {
	t.Helper()
	backend := w.WithKey(w.APIKey)
	user, _ := backend.User(t)
	session := backend.Session(t, user)
	return &page{w: w, base: w.Server.URL(), token: strings.TrimPrefix(session.Header.Get("Authorization"), "Bearer ")}
}

func bankID(number string) object { return object{"type": "SWEDISH_BANKID", "personalNumber": number} }

// runs are what the page collects from: a company that is logged in to, and a bank.
func (w *env) runs() []struct {
	company, method string
	parameters      []object
} {
	return []struct {
		company, method string
		parameters      []object
	}{
		{demo, "SWEDISH_MOBILE_BANKID_OTHER_DEVICE_MOCK", []object{bankID(w.secret("199011062388"))}},
		{demoBank, "SWEDISH_MOBILE_BANKID_OTHER_DEVICE", []object{bankID("199011062388")}},
	}
}

// In the first style the page hands each id to its backend, which polls and fetches the data.
func TestWebPage_HandsTheCollectionToItsBackend(t *testing.T) {
	w := newEnv(t)
	p := w.newPage(t)
	backend := w.WithKey(w.APIKey)
	for _, r := range w.runs() {
		early := 0
		id := ""
		end, err := p.run(r.company, r.method, r.parameters, func(made string) {
			id = made
			// The backend does not wait: the data is not ready. On a busy machine that of the
			// demo company can be, because nobody has to sign there.
			early = backend.Do(t, http.MethodGet, "/collections/"+id+"/wealth/data", nil).Status
		})
		if err != nil || end != "COMPLETED" || early != http.StatusConflict && (r.company != demo || early != http.StatusOK) {
			t.Fatalf("%s: %s, data at first %d, %v", r.company, end, early, err)
		}
		var items []object
		backend.Do(t, http.MethodGet, "/collections/"+id+"/wealth/data", nil).WantStatus(t, http.StatusOK, &items)
		if len(items) == 0 {
			t.Errorf("%s: no items", r.company)
		}
	}
}

// In the second style the page itself takes the items, as one flat array over all companies.
func TestWebPage_TakesTheItemsOfAllCompanies(t *testing.T) {
	w := newEnv(t)
	p := w.newPage(t)
	var all []object
	for _, r := range w.runs() {
		id := ""
		if end, err := p.run(r.company, r.method, r.parameters, func(made string) { id = made }); err != nil || end != "COMPLETED" {
			t.Fatalf("%s: %s, %v", r.company, end, err)
		}
		var items []object
		if err := p.json(http.MethodGet, "/collections/"+id+"/wealth/data", nil, &items); err != nil {
			t.Fatal(err)
		}
		all = append(all, items...)
	}
	kinds := map[string]bool{}
	for _, item := range all {
		kinds[item["company"].(string)+" "+item["type"].(string)] = true
	}
	for _, want := range []string{"se-demo ISK", "se-demo-psd2 PSD2_SAVINGS_ACCOUNT"} {
		if !kinds[want] {
			t.Errorf("no %s among %v", want, kinds)
		}
	}
}

// The page answers questions too, and sees problem documents like any answer.
func TestWebPage_AnswersQuestions(t *testing.T) {
	w := newEnv(t)
	p := w.newPage(t)
	w.Log.Secret("an e-mail address", "anna@example.com")
	w.Log.Secret("a phone number", "0701740605")
	var s struct {
		ID, Status       string
		PollingInterval  *int
		ExtraInformation *struct {
			Inputs   []string `json:"REQUIRED_INPUT_TYPES"`
			Question string   `json:"QUESTION_ID"`
		}
	}
	if err := p.json(http.MethodPost, "/collections", object{"company": demo, "loginMethod": "SWEDISH_MOBILE_BANKID_OTHER_DEVICE_MOCK",
		"parameters": []object{bankID(w.secret("199007011000"))}}, &s); err != nil {
		t.Fatal(err)
	}
	path := "/collections/" + s.ID
	poll := func(until func() bool) {
		for !until() {
			if !w.wait(time.Second) {
				t.Fatalf("still %+v", s)
			}
			s.ExtraInformation, s.PollingInterval = nil, nil
			if err := p.json(http.MethodGet, path+"/status", nil, &s); err != nil {
				t.Fatal(err)
			}
		}
	}
	poll(func() bool { return s.Status == "CONTACT_FORM_PENDING" && s.ExtraInformation != nil })
	if !slices.Equal(s.ExtraInformation.Inputs, []string{"EMAIL", "MOBILE_PHONE_NUMBER"}) || s.ExtraInformation.Question == "" {
		t.Errorf("%+v", s.ExtraInformation)
	}
	if code, _, raw, err := p.fetch(http.MethodPost, path+"/supplement-info", object{"type": "TWO_FACTOR_CODE", "value": "123456"}); err != nil || code != http.StatusConflict {
		t.Errorf("an answer to another question: %d %s %v", code, raw, err)
	}
	answer := object{"type": "COLLECTION_INPUT", "questionId": s.ExtraInformation.Question, "values": object{"EMAIL": "anna@example.com", "MOBILE_PHONE_NUMBER": "0701740605"}}
	if err := p.json(http.MethodPost, path+"/supplement-info", answer, nil); err != nil {
		t.Fatal(err)
	}
	if code, _, raw, err := p.fetch(http.MethodPost, path+"/supplement-info", answer); err != nil || code != http.StatusConflict {
		t.Errorf("the answer again: %d %s %v", code, raw, err)
	}
	poll(func() bool { return s.PollingInterval == nil })
	if s.Status != "COMPLETED_EMPTY" {
		t.Errorf("%+v", s)
	}
}
