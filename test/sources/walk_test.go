package sources

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"samla/internal/sandbox/source"
	"samla/test/harness"
)

// status is CollectionStatusResponse.
type status struct {
	ID               string
	Status           string
	ExtraInformation map[string]json.RawMessage
	PollingInterval  *int
}

// collection is a collection of a person of the table.
type collection struct {
	*testing.T
	w      *env
	client harness.Client
	person source.Person
	id     string
	seen   []string
	now    status
}

// start starts the collection of a person. It waits until no other collection uses the
// person's BankID.
func (w *env) start(t *testing.T, p source.Person) *collection {
	t.Helper()
	if p.Company != source.DemoCompany && !strings.Contains(p.Who, "@") {
		lock, _ := w.locks.LoadOrStore(p.Who, &sync.Mutex{})
		lock.(*sync.Mutex).Lock()
		t.Cleanup(lock.(*sync.Mutex).Unlock)
	}
	w.Log.Secret("a personal number or an e-mail address", p.Who)
	backend := w.WithKey(w.APIKey)
	user, _ := backend.User(t)
	c := &collection{T: t, w: w, client: backend.Session(t, user), person: p}
	parameter := map[string]string{"type": "SWEDISH_BANKID", "personalNumber": p.Who}
	if strings.Contains(p.Who, "@") {
		parameter = map[string]string{"type": "EMAIL", "email": p.Who}
	}
	c.client.Do(t, "POST", "/collections", map[string]any{"company": p.Company, "loginMethod": p.LoginMethod, "parameters": []any{parameter}}).
		WantStatus(t, http.StatusCreated, &c.now)
	c.id, c.seen = c.now.ID, []string{c.now.Status}
	return c
}

func (c *collection) poll() {
	c.Helper()
	c.now = status{}
	c.client.Do(c.T, "GET", "/collections/"+c.id+"/status", nil).WantStatus(c.T, http.StatusOK, &c.now)
	if c.seen[len(c.seen)-1] != c.now.Status {
		c.seen = append(c.seen, c.now.Status)
	}
}

func (c *collection) over() bool { return c.now.PollingInterval == nil }

// The keys of extraInformation.
const (
	keyToken   = "SWEDISH_MOBILE_BANKID_AUTOSTART_TOKEN"
	keyCode    = "TWO_FACTOR_AUTHENTICATION_INSTRUCTION"
	keyInputs  = "REQUIRED_INPUT_TYPES"
	keyNewer   = "INSTRUCTIONS_V2"
	keyOlder   = "INSTRUCTIONS"
	keyChoices = "AVAILABLE_TWO_FACTOR_METHODS"
)

// ready reports whether the collection asks for an action. While an answer is on its way to
// the institution, it asks for nothing.
func (c *collection) ready(verb, rest string) bool {
	has := func(key string) bool { return c.now.ExtraInformation[key] != nil }
	resend := strings.Contains(string(c.now.ExtraInformation[keyChoices]), "RESEND")
	switch verb {
	case "code":
		return has(keyCode) && (resend || !has(keyChoices))
	case "choice":
		return has(keyChoices)
	case "inputs":
		return has(keyInputs)
	case "device":
		return rest == "older" && has(keyOlder) || rest == "" && has(keyNewer)
	case "sign", "decline":
		return has(keyToken)
	case "open":
		return c.now.Status == "WAITING_FOR_USER_ACTION"
	case "leave", "stay":
		return c.now.Status == c.person.Statuses[len(c.person.Statuses)-2]
	}
	return c.now.Status == "LOGIN"
}

func (c *collection) supplement(body any) {
	c.Helper()
	c.client.Do(c.T, "POST", "/collections/"+c.id+"/supplement-info", body).WantStatus(c.T, http.StatusNoContent, nil)
}

// do carries out an action of docs/sandbox.md.
func (c *collection) do(verb, rest string) {
	c.Helper()
	var token string
	_ = json.Unmarshal(c.now.ExtraInformation[keyToken], &token)
	switch verb {
	case "code":
		c.supplement(map[string]string{"type": "TWO_FACTOR_CODE", "value": rest})
	case "choice":
		c.supplement(map[string]string{"type": "TWO_FACTOR_CHOICE", "value": rest})
	case "inputs":
		values := map[string]string{}
		for key := range strings.FieldsSeq(rest) {
			values[key] = map[string]string{"EMAIL": "anna@example.com", "MOBILE_PHONE_NUMBER": "070-1740605"}[key]
		}
		c.supplement(map[string]any{"type": "COLLECTION_INPUT", "values": values})
	case "device":
		c.device(rest == "older")
	case "sign", "decline":
		act := map[string]string{"sign": "approve", "decline": "cancel"}[verb]
		if err := c.w.phone.Act(c.Context(), act, token, "", rest); err != nil {
			c.Error(err)
		}
	case "open":
		c.w.openInbox(c.T, c.person.Company, c.person.Who)
	case "stop":
		c.client.Do(c.T, "POST", "/collections/"+c.id+"/cancel", nil).WantStatus(c.T, http.StatusOK, nil)
	case "leave":
		c.leave()
	case "stay":
		for range 100 { // the longest time of the server is ten minutes
			if c.poll(); c.over() {
				return
			}
			c.w.clock.Jump(20 * time.Second)
			c.pause()
		}
	default:
		c.Fatalf("unknown action %q", verb)
	}
}

// leave polls no more until the collection has ended. Lists of collections are no polls.
func (c *collection) leave() {
	c.Helper()
	c.w.clock.Jump(61 * time.Second)
	for range int(patience / (250 * time.Millisecond)) {
		c.w.clock.Jump(5 * time.Second) // polls are stored every ten seconds
		var list []struct{ CollectionID, Status string }
		c.client.Do(c.T, "GET", "/collections", nil).WantStatus(c.T, http.StatusOK, &list)
		if len(list) == 1 && list[0].CollectionID == c.id && list[0].Status != c.now.Status {
			return
		}
		c.pause()
	}
	c.Fatal(errLate)
}

// device makes the request that the collection asks for, and sends what it got.
func (c *collection) device(older bool) {
	c.Helper()
	var instructions struct {
		Request struct {
			URL, Method string
			Headers     map[string]string
			Body        json.RawMessage
			Cookies     []struct{ Name, Value string }
		}
	}
	key := map[bool]string{true: keyOlder, false: keyNewer}[older]
	if err := json.Unmarshal(c.now.ExtraInformation[key], &instructions); err != nil {
		c.Fatal(err)
	}
	q, body := instructions.Request, ""
	if json.Unmarshal(q.Body, &body) != nil { // an object in the older form
		body = string(q.Body)
	}
	code, header, text := c.w.ask(c.T, q.Method, q.URL, body, func(r *http.Request) {
		for name, value := range q.Headers {
			r.Header.Set(name, value)
		}
		for _, k := range q.Cookies {
			r.AddCookie(&http.Cookie{Name: k.Name, Value: k.Value})
		}
	})
	if code != http.StatusOK {
		c.Fatalf("the device got %d", code)
	}
	headers := map[string]any{}
	for name := range header {
		if headers[name] = header[name]; older {
			headers[name] = header.Get(name)
		}
	}
	if !older {
		headers["x-final-url"] = []string{q.URL}
	}
	c.supplement(map[string]any{"type": "RESPONSE_OBJECT", "headers": headers, "response": json.RawMessage(text)})
}

// patience is the real time after which a test fails. It is long enough for a busy machine.
const patience = 2 * time.Minute

// pause waits a quarter of a second of the machine.
func (c *collection) pause() {
	c.Helper()
	timer := c.w.clock.NewTimer(250 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C():
	case <-c.Context().Done():
		c.Fatal(context.Cause(c.Context()))
	}
}

var errLate = errors.New("the collection did not end")

// walk follows the collection to its end.
func (c *collection) walk() {
	c.Helper()
	does := slices.Clone(c.person.Does)
	deadline := c.w.clock.Now().Add(patience + 20*time.Minute*time.Duration(len(does)))
	for range int(patience / (250 * time.Millisecond)) {
		if c.poll(); c.over() {
			return
		}
		if len(does) > 0 {
			if verb, rest, _ := strings.Cut(does[0], " "); c.ready(verb, rest) {
				does = does[1:]
				c.do(verb, rest)
				continue
			}
		}
		if c.w.clock.Now().After(deadline) {
			break
		}
		c.pause()
	}
	c.Fatalf("%v; statuses %v, %v left to do", errLate, c.seen, does)
}

// fleeting reports whether nobody acts in a status of a person, so that a client on a busy
// machine can miss it.
func fleeting(p source.Person, status string) bool {
	return status == "LOGIN" || status == "COLLECTING" || len(p.Does) == 0
}

// check compares the statuses with those of the table.
func (c *collection) check() {
	c.Helper()
	at := 0
	for _, want := range c.person.Statuses {
		if i := slices.Index(c.seen[at:], want); i >= 0 {
			at += i
		} else if !fleeting(c.person, want) {
			c.Errorf("statuses %v, want %v", c.seen, c.person.Statuses)
			return
		}
	}
	if last := c.seen[len(c.seen)-1]; last != c.person.Statuses[len(c.person.Statuses)-1] {
		c.Errorf("ended with %s; statuses %v, want %v", last, c.seen, c.person.Statuses)
	}
	c.checkData()
}

// checkData checks that data can be read if and only if the collection has completed.
func (c *collection) checkData() {
	c.Helper()
	var products []struct{ ID, Type, Company string }
	if c.person.Company == "se-sandbox-public" {
		c.checkPublicPension()
		return
	}
	data := c.client.Do(c.T, "GET", "/collections/"+c.id+"/wealth/data", nil)
	switch c.now.Status {
	case "COMPLETED", "COMPLETED_PARTIAL":
		data.WantStatus(c.T, http.StatusOK, &products)
		if len(products) == 0 {
			c.Error("no products")
		}
		for _, p := range products {
			if p.ID == "" || p.Company != c.person.Company {
				c.Errorf("%+v", p)
			}
		}
	case "COMPLETED_EMPTY":
		if data.WantStatus(c.T, http.StatusOK, &products); len(products) != 0 {
			c.Errorf("%d products", len(products))
		}
	default:
		data.WantStatus(c.T, http.StatusConflict, nil)
	}
}

// checkPublicPension reads a public pension by the route of version 2025-01-01; no other
// route serves it (docs/reference/products.md 8.5).
func (c *collection) checkPublicPension() {
	c.Helper()
	var got struct{ Type, Company string }
	client := c.client
	client.Contract = c.w.Older
	client.Do(c.T, "GET", "/wealth/public-pension-collection", nil).WantStatus(c.T, http.StatusOK, &got)
	if got.Type != "PUBLIC_PENSION" || got.Company != c.person.Company {
		c.Errorf("%+v", got)
	}
}
