package nordea

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"samla/internal/clock"
)

// Deviation is a way in which answers deviate from Nordea's files.
type Deviation string

// The deviations (docs/reference/families.md 15). The last four come in
// place of what was asked for; all others change an answer that succeeded.
const (
	UnknownMembers  Deviation = "unknown-members"  // members that no file has
	UnknownValue    Deviation = "unknown-value"    // values that no enumeration has: types and states
	ManyDecimals    Deviation = "many-decimals"    // amounts with seven decimals
	MissingOptional Deviation = "missing-optional" // no member that no schema requires
	WrongType       Deviation = "wrong-type"       // Content-Type text/plain
	CutBody         Deviation = "cut-body"         // half of the body, and the connection breaks
	Lost            Deviation = "lost"             // the connection breaks before the answer
	Slow            Deviation = "slow"             // the answer waits for Fault.Delay, by the bank's clock
	Unavailable     Deviation = "unavailable"      // 503 with Retry-After, in the bank's form
	ErrorPage       Deviation = "error-page"       // 502 with a page of HTML
	Maintenance     Deviation = "maintenance"      // 200 with a page of HTML
	TooMany         Deviation = "too-many"         // 429 of the gateway
)

var deviations = []Deviation{
	UnknownMembers, UnknownValue, ManyDecimals, MissingOptional, WrongType, CutBody, Lost, Slow, Unavailable, ErrorPage, Maintenance, TooMany,
}

// Deviations returns all deviations.
func Deviations() []Deviation { return slices.Clone(deviations) }

// Fault is a deviation of some calls.
type Fault struct {
	Deviation Deviation `json:"deviation"`
	// Kinds are paths with * for ids, such as v5/accounts/*; none: all.
	Kinds []string `json:"kinds,omitempty"`
	// Times is how many calls it concerns; 0: all, until the faults are replaced.
	Times int `json:"times,omitempty"`
	// Delay is that of Slow, in milliseconds.
	Delay int `json:"delayMs,omitempty"`

	left int
}

// SetFaults replaces the faults. A call has the first one that concerns it. It fails for an
// unknown deviation or kind.
func (b *Bank) SetFaults(faults ...Fault) error {
	faults = slices.Clone(faults)
	for i, f := range faults {
		if !slices.Contains(deviations, f.Deviation) || f.Times < 0 || f.Delay < 0 {
			return fmt.Errorf("nordea: fault %d: the deviation is one of %q, times and delayMs are not negative", i, deviations)
		}
		for _, kind := range f.Kinds {
			if !slices.ContainsFunc(routes, func(r route) bool { return r.path == kind }) {
				return fmt.Errorf("nordea: fault %d: no call has the kind %q", i, kind)
			}
		}
		faults[i].left = f.Times
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.faults = faults
	return nil
}

// takeFault returns the fault of a call; its zero value is none.
func (b *Bank) takeFault(kind string, early bool) Fault {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.faults {
		f := &b.faults[i]
		if f.early() != early || len(f.Kinds) > 0 && !slices.Contains(f.Kinds, kind) || f.Times > 0 && f.left == 0 {
			continue
		}
		f.left--
		return *f
	}
	return Fault{}
}

// early reports whether the bank does not act at all.
func (f Fault) early() bool {
	return slices.Contains([]Deviation{Unavailable, ErrorPage, Maintenance, TooMany}, f.Deviation)
}

const htmlPage = "<!doctype html><title>Nordea</title><h1>We are sorry</h1><p>The service is not available right now."

// refuse returns the answer of an early fault, and reports whether there is one.
func (c *call) refuse() (status int, header map[string]string, body []byte, ok bool) {
	html := map[string]string{"Content-Type": "text/html; charset=utf-8"}
	switch f := c.takeFault(c.kind, true); f.Deviation {
	case Unavailable:
		status, header, body = scripted(http.StatusServiceUnavailable).answer(c)
	case TooMany:
		status, header, body = gatewayError().answer(c)
	case ErrorPage:
		status, header, body = http.StatusBadGateway, html, []byte(htmlPage)
	case Maintenance:
		status, header, body = http.StatusOK, html, []byte(htmlPage)
	default:
		return 0, nil, nil, false
	}
	return status, header, body, true
}

// encode returns the JSON of a body.
func encode(v any) []byte {
	if v == nil {
		return nil
	}
	text, err := json.Marshal(v)
	if err != nil {
		return nil // all bodies are texts, numbers and objects of them
	}
	return text
}

// write writes an answer with the fault of the call.
func (b *Bank) write(w http.ResponseWriter, r *http.Request, kind string, status int, header map[string]string, body []byte) {
	h := w.Header()
	if len(body) > 0 {
		h.Set("Content-Type", jsonType)
	}
	for name, value := range header {
		h.Set(name, value)
	}
	var f Fault
	if status < 300 {
		f = b.takeFault(kind, false)
	}
	switch f.Deviation {
	case Slow:
		if clock.Sleep(r.Context(), b.Clock, time.Duration(f.Delay)*time.Millisecond) != nil {
			return
		}
	case Lost:
		panic(http.ErrAbortHandler)
	case WrongType:
		h.Set("Content-Type", "text/plain")
	case CutBody:
		h.Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(status)
		_, _ = w.Write(body[:len(body)/2])
		panic(http.ErrAbortHandler)
	case UnknownMembers, UnknownValue, ManyDecimals, MissingOptional:
		body = f.change(body)
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// change returns a body with the deviation.
func (f Fault) change(body []byte) []byte {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return body
	}
	f.walk(v)
	return encode(v)
}

// kept are the members that MissingOptional keeps: what the schemas require, and what leads
// to them.
var kept = []string{
	"response", "accounts", "transactions", "cards", "_id", "account_numbers", "_type", "value", "currency", "booking_date", "status",
	"amount", "id", "access_token", "token_type", "session_id", "code", "auto_start_token", "qr_data", "continuation_key",
	"group_header", "message_pagination", "refresh_token", "expires_in", "account_id", "card_id", "scopes",
}

// others are values that no enumeration has.
var others = map[string]string{"account_type": "Pension", "status": "under_review", "transaction_type": "Something new"}

func (f Fault) walk(v any) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			f.walk(item)
		}
	case map[string]any:
		for name, item := range v {
			f.walk(item)
			switch n, isNumber := item.(json.Number); {
			case f.Deviation == ManyDecimals && isNumber && strings.Contains(n.String(), "."):
				v[name] = json.Number(n.String() + "00001")
			case f.Deviation == UnknownValue && others[name] != "" && name != "group_header":
				v[name] = others[name]
			case f.Deviation == MissingOptional && !slices.Contains(kept, name):
				delete(v, name)
			}
		}
		if f.Deviation == UnknownMembers {
			v["x_future_member"] = map[string]any{"of": []any{"a later release", 1, nil}}
		}
	}
}
