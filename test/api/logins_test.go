package api

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"samla/internal/fault"
)

// The demo company, its login methods, and persons of docs/sandbox.md.
const (
	demo           = "se-demo"
	mock           = "SWEDISH_MOBILE_BANKID_OTHER_DEVICE_MOCK"
	mockClientSide = "SWEDISH_MOBILE_BANKID_SAME_DEVICE_CLIENT_SIDE_AUTHENTICATION_MOCK"
	noa            = "199006022397" // has a whole household
	asksCode       = "200004010000"
	asksContact    = "199007011000"
)

// loginStatus is the status of a collection with a login.
type loginStatus struct {
	ID               string `json:"id"`
	Status           string `json:"status"`
	PollingInterval  *int   `json:"pollingInterval"`
	ExtraInformation *struct {
		Methods     []struct{ ID, Name string } `json:"AVAILABLE_TWO_FACTOR_METHODS"`
		Instruction *struct {
			QuestionID   string `json:"questionId"`
			ResponseType string `json:"responseType"`
			AttemptsLeft *int   `json:"attemptsLeft"`
		} `json:"TWO_FACTOR_AUTHENTICATION_INSTRUCTION"`
		Inputs     []string `json:"REQUIRED_INPUT_TYPES"`
		QuestionID string   `json:"QUESTION_ID"`
		Device     *struct {
			Request struct {
				URL, Method, Body string
				Headers           map[string]string
				Cookies           []struct{ Name, Value string }
			} `json:"request"`
		} `json:"INSTRUCTIONS_V2"`
	} `json:"extraInformation"`
}

// login starts a collection at the demo company.
func (c client) login(t *testing.T, method, number string) (path string) {
	t.Helper()
	c.Env.Log.Secret("a personal number", number)
	var begun loginStatus
	c.post(t, "/collections", requestBody(demo, method, bankIDParameter(number)), &begun)
	return "/collections/" + begun.ID
}

// until polls a collection until done returns true of it.
func (c client) until(t *testing.T, path string, done func(loginStatus) bool) loginStatus {
	t.Helper()
	return poll(t, c, path+"/status", func(s loginStatus) bool {
		if s.PollingInterval == nil && !done(s) {
			t.Fatalf("it has ended: %+v", s)
		}
		return done(s)
	})
}

// asked polls until another question than the last one is open.
func (c client) asked(t *testing.T, path, last string) loginStatus {
	t.Helper()
	return c.until(t, path, func(s loginStatus) bool { return s.question() != "" && s.question() != last })
}

func (s loginStatus) question() string {
	switch e := s.ExtraInformation; {
	case e == nil:
		return ""
	case e.Instruction != nil:
		return e.Instruction.QuestionID
	default:
		return e.QuestionID
	}
}

// supplement hands over an answer, which must be taken.
func (c client) supplement(t *testing.T, path string, body object) {
	t.Helper()
	c.Do(t, http.MethodPost, path+"/supplement-info", body).WantStatus(t, http.StatusNoContent, nil)
}

func ended(s loginStatus) bool { return s.PollingInterval == nil }

// A wrong code says how many attempts are left and asks anew. An answer to an earlier
// question, or of another type, is refused; without an id it is for the open question.
func TestLogin_AsksForCode(t *testing.T) {
	onStores(t, func(t *testing.T, w *env) {
		_, session := w.acme.person(t)
		path := session.login(t, mock, asksCode)
		first := session.asked(t, path, "")
		if i := first.ExtraInformation.Instruction; first.Status != "TWO_FACTOR_PENDING" || i == nil || i.ResponseType != "NUMBER_CODE" || i.AttemptsLeft != nil {
			t.Fatalf("%+v", first)
		}
		for _, body := range []object{
			{"type": "COLLECTION_INPUT", "values": object{"EMAIL": "anna@example.com"}}, {"type": "RESPONSE_OBJECT", "response": object{}},
			{"type": "TWO_FACTOR_CODE", "value": "123456", "questionId": "another"},
		} {
			session.Do(t, http.MethodPost, path+"/supplement-info", body).WantProblem(t, fault.SupplementNotExpected)
		}
		p := session.Do(t, http.MethodPost, path+"/supplement-info", object{"type": "TWO_FACTOR_CHOICE", "value": "NONE"}).WantProblem(t, fault.InvalidParameter)
		if len(p.Errors) != 1 || p.Errors[0].Pointer != "/value" {
			t.Errorf("%+v", p.Errors)
		}
		session.supplement(t, path, object{"type": "TWO_FACTOR_CODE", "value": "000000", "questionId": first.question()})
		second := session.asked(t, path, first.question())
		if left := second.ExtraInformation.Instruction.AttemptsLeft; second.Status != "TWO_FACTOR_PENDING" || left == nil || *left != 2 {
			t.Errorf("%+v", second.ExtraInformation)
		}
		session.Do(t, http.MethodPost, path+"/supplement-info", object{"type": "TWO_FACTOR_CODE", "value": "123456", "questionId": first.question()}).
			WantProblem(t, fault.SupplementNotExpected)
		session.supplement(t, path, object{"type": "TWO_FACTOR_CHOICE", "value": "RESEND"})
		session.asked(t, path, second.question())
		session.supplement(t, path, object{"type": "TWO_FACTOR_CODE", "value": "234561"})
		if s := session.until(t, path, ended); s.Status != "COMPLETED" {
			t.Errorf("%+v", s)
		}
		session.Do(t, http.MethodPost, path+"/supplement-info", object{"type": "TWO_FACTOR_CODE", "value": "234561"}).WantProblem(t, fault.SupplementNotExpected)
	})
}

// Contact details are refused with a pointer if one is missing or was not asked for. The
// log, which every suite searches for them, has none of them.
func TestLogin_AsksForContactDetails(t *testing.T) {
	onStores(t, func(t *testing.T, w *env) {
		path := w.acme.login(t, mock, asksContact)
		if s := w.acme.asked(t, path, ""); s.Status != "CONTACT_FORM_PENDING" || len(s.ExtraInformation.Inputs) != 2 {
			t.Fatalf("%+v", s)
		}
		for _, c := range []struct {
			values object
			want   []string
		}{
			{object{"EMAIL": "anna@example.com"}, []string{"/values/MOBILE_PHONE_NUMBER REQUIRED"}},
			{object{"EMAIL": "anna@example.com", "MOBILE_PHONE_NUMBER": "+46701740605", "SHOE_SIZE": "38"}, []string{"/values/SHOE_SIZE INVALID"}},
			{object{"SHOE_SIZE": "38"}, []string{"/values/EMAIL REQUIRED", "/values/MOBILE_PHONE_NUMBER REQUIRED", "/values/SHOE_SIZE INVALID"}},
			{object{"EMAIL": "anna@example.com", "anna@example.com": "x"}, []string{"/values INVALID"}},
		} {
			p := w.acme.Do(t, http.MethodPost, path+"/supplement-info", object{"type": "COLLECTION_INPUT", "values": c.values}).WantProblem(t, fault.InvalidParameter)
			var got []string
			for _, e := range p.Errors {
				got = append(got, e.Pointer+" "+string(e.Code))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		}
		w.acme.supplement(t, path, object{"type": "COLLECTION_INPUT", "values": object{"EMAIL": "anna@example.com", "MOBILE_PHONE_NUMBER": "+46701740605"}})
		if s := w.acme.until(t, path, ended); s.Status != "COMPLETED_EMPTY" {
			t.Errorf("%+v", s)
		}
	})
}

// The documented request of docs/reference/api.md 5.2 with an empty list names no address:
// the company asks for it, and sends the link there.
func TestLogin_ByEmailAsksForTheAddress(t *testing.T) {
	onStores(t, func(t *testing.T, w *env) {
		var begun loginStatus
		w.acme.post(t, "/collections", object{"company": "se-sandbox-insurer", "loginMethod": "EMAIL", "parameters": []object{}}, &begun)
		path := "/collections/" + begun.ID
		if s := w.acme.asked(t, path, ""); s.Status != "COLLECTION_INPUT_PENDING" || !slices.Equal(s.ExtraInformation.Inputs, []string{"EMAIL"}) {
			t.Fatalf("%+v", s)
		}
		const address = "anna@example.com" // has something there: docs/sandbox.md
		w.acme.supplement(t, path, object{"type": "COLLECTION_INPUT", "values": object{"EMAIL": address}})
		w.acme.until(t, path, func(s loginStatus) bool { return s.Status == "WAITING_FOR_USER_ACTION" })
		w.openLink(t, address)
		if s := w.acme.until(t, path, ended); s.Status != "COMPLETED" {
			t.Errorf("%+v", s)
		}
	})
}

// openLink opens the link of the e-mail that a person got.
func (w *env) openLink(t *testing.T, address string) {
	t.Helper()
	device := w.device(t)
	get := func(method, url string) []byte {
		r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept", "application/json")
		res, err := device.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		raw, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("%d %s, %v", res.StatusCode, raw, err)
		}
		return raw
	}
	var inbox struct{ Items []struct{ To, Link string } }
	raw := get(http.MethodGet, w.Sandbox.URL()+"/sandbox/inbox")
	if err := json.Unmarshal(raw, &inbox); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	i := slices.IndexFunc(inbox.Items, func(i struct{ To, Link string }) bool { return i.To == address })
	if i < 0 {
		t.Fatalf("no e-mail: %s", raw)
	}
	get(http.MethodPost, inbox.Items[i].Link)
}

// device returns an HTTP client of the person's device, which trusts the sandbox.
func (w *env) device(t *testing.T) *http.Client {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(w.Sandbox.CAPEM())
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// What a device got reaches the company whole: as much as the limit allows, and with
// characters that some encoders of JSON make longer.
func TestLogin_TakesLargeResponseOfDevice(t *testing.T) {
	onStores(t, func(t *testing.T, w *env) {
		path := w.acme.login(t, mockClientSide, noa)
		s := w.acme.asked(t, path, "")
		if s.ExtraInformation.Device == nil {
			t.Fatalf("%+v", s)
		}
		proof := w.request(t, s)
		proof["page"] = ""
		body := object{"type": "RESPONSE_OBJECT", "headers": object{"x": "y"}, "response": proof, "questionId": s.question()}
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		page := strings.Repeat("<p>&amp;</p>", 1<<20)[:1023<<10-len(text)]
		text = bytes.Replace(text, []byte(`"page":""`), []byte(`"page":"`+page+`"`), 1)
		w.acme.Do(t, http.MethodPost, path+"/supplement-info", string(text)).WantStatus(t, http.StatusNoContent, nil)
		if s := w.acme.until(t, path, ended); s.Status != "COMPLETED" {
			t.Errorf("%+v", s)
		}
	})
}

// request makes the request of a device and returns the body of its response.
func (w *env) request(t *testing.T, s loginStatus) (body object) {
	t.Helper()
	in := s.ExtraInformation.Device.Request
	r, err := http.NewRequestWithContext(t.Context(), in.Method, in.URL, strings.NewReader(in.Body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range in.Headers {
		r.Header.Set(name, value)
	}
	for _, c := range in.Cookies {
		r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	res, err := w.device(t).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%d %s, %v", res.StatusCode, raw, err)
	}
	if err := json.Unmarshal(raw, &body); err != nil {
		t.Fatal(err)
	}
	return body
}
