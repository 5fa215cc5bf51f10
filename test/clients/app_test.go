package clients

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// app is a mobile app (docs/reference/api.md 9.4). It has a session token, and runs on the
// device that has BankID.
type app struct {
	w           *env
	base, token string
	open        func(address string) // opens another app
	http        *http.Client         // of the device
	opened      map[string]bool      // collections for which BankID was opened
	made        map[string]bool      // etags of the requests that it made
}

func (w *env) newApp(t *testing.T) *app {
	t.Helper()
	p := w.newPage(t)
	a := &app{w: w, base: p.base, token: p.token, http: w.device(t), opened: map[string]bool{}, made: map[string]bool{}}
	a.open = func(address string) {
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "bankid" || u.Query().Get("redirect") == "" || !w.sign("", u.Query().Get("autostarttoken")) {
			t.Errorf("%s cannot be opened", strings.SplitN(address, "=", 2)[0])
		}
	}
	return a
}

func (a *app) call(method, path string, body, out any) error {
	var text bytes.Buffer
	if err := json.NewEncoder(&text).Encode(body); err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(a.w.ctx, method, a.base+path, &text)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+a.token)
	r.Header.Set("Insurely-Version", "2026-04-01")
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode > 299 {
		return fmt.Errorf("%s %s: %d %s %w", method, path, res.StatusCode, raw, err)
	}
	if len(raw) == 0 {
		return nil
	}
	return json.Unmarshal(raw, out)
}

// screens maps statuses to screens, without regard to case and by the older spelling with
// spaces. A status that is not here is another one.
var screens = map[string]string{
	"completed": "done", "completed partial": "done", "completed empty": "failed", "failed": "failed",
	"authentication timeout": "failed", "authentication cancelled": "failed", "incorrect credentials": "failed",
}

// collect runs a collection to its end and returns the last screen and the last status. It
// opens BankID once, as soon as a token appears, and makes what requests it is asked for.
func (a *app) collect(company, method string, parameters ...object) (screen, last string, err error) {
	var s struct {
		ID, Status       string
		ExtraInformation map[string]json.RawMessage
	}
	if err := a.call(http.MethodPost, "/collections", object{"company": company, "loginMethod": method, "parameters": parameters}, &s); err != nil {
		return "", "", err
	}
	id := s.ID
	for {
		if screen := screens[strings.ReplaceAll(strings.ToLower(s.Status), "_", " ")]; screen != "" {
			return screen, s.Status, nil
		}
		if token := text(s.ExtraInformation["SWEDISH_MOBILE_BANKID_AUTOSTART_TOKEN"]); token != "" && !a.opened[id] {
			a.opened[id] = true
			a.open("bankid:///?autostarttoken=" + url.QueryEscape(token) + "&redirect=" + url.QueryEscape("app://back"))
		}
		for _, key := range []string{"INSTRUCTIONS_V2", "INSTRUCTIONS"} {
			if instruction := s.ExtraInformation[key]; instruction != nil {
				if err := a.request(id, instruction, key == "INSTRUCTIONS"); err != nil {
					return "", s.Status, err
				}
			}
		}
		if !a.w.wait(1500 * time.Millisecond) {
			return "other", s.Status, fmt.Errorf("still %s", s.Status)
		}
		s.ExtraInformation = nil
		if err := a.call(http.MethodGet, "/collections/"+id+"/status", nil, &s); err != nil {
			return "", "", err
		}
	}
}

func text(raw json.RawMessage) (s string) {
	_ = json.Unmarshal(raw, &s)
	return s
}

// request makes the request of an instruction, once for each etag, and hands over what a
// 2xx answer has. The two forms differ in the body and in the headers that are handed over
// (docs/reference/api.md 9.5).
func (a *app) request(id string, instruction json.RawMessage, older bool) error {
	var in struct {
		Request struct {
			URL, Method, Etag string
			Headers           map[string]string
			Body              json.RawMessage
			Cookies           []struct{ Name, Value string }
		}
	}
	if err := json.Unmarshal(instruction, &in); err != nil {
		return err
	}
	if a.made[id+in.Request.Etag] {
		return nil
	}
	a.made[id+in.Request.Etag] = true
	body := []byte(text(in.Request.Body))
	if older {
		body = in.Request.Body
	}
	r, err := http.NewRequestWithContext(a.w.ctx, in.Request.Method, in.Request.URL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	for name, value := range in.Request.Headers {
		r.Header.Set(name, value)
	}
	for _, c := range in.Request.Cookies {
		r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	res, err := a.http.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode > 299 {
		return err // a failed request is neither answered nor made again
	}
	headers := object{}
	for name, values := range res.Header {
		if headers[name] = values; older {
			headers[name] = values[0]
		}
	}
	if !older {
		headers["x-final-url"] = []string{res.Request.URL.String()}
	}
	return a.call(http.MethodPost, "/collections/"+id+"/supplement-info", object{"type": "RESPONSE_OBJECT", "headers": headers, "response": json.RawMessage(raw)}, nil)
}

// The app collects from a bank, from the demo company, and from one where the person signs
// on the same device; it opens BankID once for each.
func TestApp_OpensBankIDOnce(t *testing.T) {
	w := newEnv(t)
	number := w.secret("199006022397")
	for _, tc := range []struct {
		company, method string
		parameters      []object
		opens           int
		screen, last    string
	}{
		{demo, "SWEDISH_MOBILE_BANKID_OTHER_DEVICE_MOCK", []object{bankID(number)}, 0, "done", "COMPLETED"},
		{demo, "SWEDISH_MOBILE_BANKID_OTHER_DEVICE_MOCK", []object{bankID(w.secret("200001010000"))}, 0, "failed", "COMPLETED_EMPTY"},
		{demo, "SWEDISH_MOBILE_BANKID_OTHER_DEVICE_MOCK", []object{bankID(w.secret("200002020000"))}, 0, "failed", "FAILED"},
		{demoBank, "SWEDISH_MOBILE_BANKID_SAME_DEVICE", []object{bankID(number)}, 1, "done", "COMPLETED"},
		{lender, "SWEDISH_MOBILE_BANKID_SAME_DEVICE", []object{bankID(number)}, 1, "done", "COMPLETED"},
	} {
		a := w.newApp(t)
		screen, last, err := a.collect(tc.company, tc.method, tc.parameters...)
		if err != nil || screen != tc.screen || last != tc.last || len(a.opened) != tc.opens {
			t.Errorf("%s, %s: %s (%s), BankID opened %d times, %v", tc.company, tc.method, screen, last, len(a.opened), err)
		}
	}
}

// The device makes the requests of the company, in both forms, each once.
func TestApp_MakesRequestsOfTheCompany(t *testing.T) {
	w := newEnv(t)
	for _, number := range []string{"199006022397", "200004120000"} { // the newer and the older form: docs/sandbox.md
		a := w.newApp(t)
		screen, last, err := a.collect(demo, "SWEDISH_MOBILE_BANKID_SAME_DEVICE_CLIENT_SIDE_AUTHENTICATION_MOCK", bankID(w.secret(number)))
		if err != nil || screen != "done" || last != "COMPLETED" || len(a.made) != 1 {
			t.Errorf("%s: %s (%s), %d requests, %v", number, screen, last, len(a.made), err)
		}
	}
}
