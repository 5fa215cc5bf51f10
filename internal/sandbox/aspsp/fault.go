package aspsp

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

// Deviation is a way in which the answers of reads deviate from the standard.
type Deviation string

// The deviations (docs/reference/families.md 15). The last four come in place of the
// answer. The bank has acted in any case: a read counts.
const (
	UnknownMembers Deviation = "unknownMembers" // members that no definition has
	UnknownValues  Deviation = "unknownValues"  // values that no enumeration has
	ManyDecimals   Deviation = "manyDecimals"   // amounts with eight decimals
	MissingMembers Deviation = "missingMembers" // only the members that the definition requires
	NullMembers    Deviation = "nullMembers"    // these are null instead
	NumberAmounts  Deviation = "numberAmounts"  // amounts as JSON numbers
	WrongType      Deviation = "wrongType"      // Content-Type text/plain
	CutBody        Deviation = "cutBody"        // half of the body, then the connection breaks
	Lost           Deviation = "lost"           // the connection breaks before the answer
	Slow           Deviation = "slow"           // the answer waits for Fault.DelayMS, by the bank's clock

	Unavailable Deviation = "unavailable" // 503 with Retry-After
	ErrorPage   Deviation = "errorPage"   // 502 with a page of HTML
	Maintenance Deviation = "maintenance" // 200 with a page of HTML
	TooMany     Deviation = "tooMany"     // 429 with Retry-After, without a code
)

var deviations = []Deviation{
	UnknownMembers, UnknownValues, ManyDecimals, MissingMembers, NullMembers, NumberAmounts, WrongType, CutBody, Lost, Slow,
	Unavailable, ErrorPage, Maintenance, TooMany,
}

// Deviations returns all deviations.
func Deviations() []Deviation { return slices.Clone(deviations) }

// Fault is a deviation of some reads of accounts and cards.
type Fault struct {
	Deviation Deviation `json:"deviation"`
	// Paths are those of reads, with * for ids, such as "accounts/*/transactions"; none: all.
	Paths []string `json:"paths,omitempty"`
	// Times is how many reads it concerns; 0: all, until the faults are replaced.
	Times int `json:"times,omitempty"`
	// DelayMS is that of Slow, in milliseconds.
	DelayMS int `json:"delayMs,omitempty"`

	left int
}

// SetFaults replaces the faults; without one, answers are right. A read has the first one
// that concerns it. It fails for an unknown deviation.
func (b *Bank) SetFaults(faults ...Fault) error {
	faults = slices.Clone(faults)
	for i, f := range faults {
		if !slices.Contains(deviations, f.Deviation) || f.Times < 0 || f.DelayMS < 0 {
			return fmt.Errorf("aspsp: fault %d: the deviation is one of %q, times and delayMs are not negative", i, deviations)
		}
		faults[i].left = f.Times
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.faults = faults
	return nil
}

// takeFault returns the fault of a call; its zero value is none.
func (b *Bank) takeFault(path string) Fault {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.faults {
		f := &b.faults[i]
		if len(f.Paths) > 0 && !slices.Contains(f.Paths, path) || f.Times > 0 && f.left == 0 {
			continue
		}
		f.left--
		return *f
	}
	return Fault{}
}

const htmlPage = "<!doctype html><title>Bank</title><h1>We are sorry</h1><p>The service is not available right now."

// write writes the answer of a read with a fault. It panics with http.ErrAbortHandler to
// break the connection.
func (f Fault) write(w http.ResponseWriter, r *http.Request, c clock.Clock, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	switch f.Deviation {
	case Slow:
		if clock.Sleep(r.Context(), c, time.Duration(f.DelayMS)*time.Millisecond) != nil {
			return
		}
	case Lost:
		panic(http.ErrAbortHandler)
	case WrongType:
		w.Header().Set("Content-Type", "text/plain")
	case Unavailable, TooMany:
		w.Header().Set("Retry-After", "2")
		status, body = map[Deviation]int{Unavailable: http.StatusServiceUnavailable, TooMany: http.StatusTooManyRequests}[f.Deviation], nil
	case ErrorPage, Maintenance:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		status, body = map[Deviation]int{ErrorPage: http.StatusBadGateway, Maintenance: status}[f.Deviation], []byte(htmlPage)
	case UnknownMembers, UnknownValues, ManyDecimals, MissingMembers, NullMembers, NumberAmounts:
		body = f.change(body)
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if f.Deviation == CutBody {
		_, _ = w.Write(body[:len(body)/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(body) // an error means that the connection is closed
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
	text, err := json.Marshal(v)
	if err != nil {
		return body
	}
	return text
}

// required are the members that the definition requires (berlin-group-psd2-1.3.12.json), what
// leads to them, and the ids without which nothing can be asked for.
var required = []string{
	"accounts", "cardAccounts", "account", "cardAccount", "resourceId", "iban", "maskedPan", "currency", "balances", "balanceAmount", "balanceType", "amount",
	"transactions", "cardTransactions", "booked", "pending", "transactionAmount", "_links", "next", "href", "transactionsList",
	"bookingDate", "valueDate", "transactionDate", // nothing says when without one of them
}

// unknownValues are values that no enumeration has.
var unknownValues = map[string]string{"cashAccountType": "XNEW", "status": "paused", "usage": "SHAR", "balanceType": "xNew"}

func (f Fault) walk(v any) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			f.walk(item)
		}
	case map[string]any:
		for name, item := range v {
			f.walk(item)
			f.member(v, name, item)
		}
		if f.Deviation == UnknownMembers {
			v["xNewMember"] = map[string]any{"of": []any{"a later version", 1, nil}}
		}
	}
}

// member changes one member.
func (f Fault) member(v map[string]any, name string, item any) {
	text, isText := item.(string)
	optional := !slices.Contains(required, name)
	switch {
	case f.Deviation == ManyDecimals && isText && name == "amount":
		whole, decimals, _ := strings.Cut(text, ".")
		v[name] = whole + "." + (decimals + "00000000")[:7] + "1"
	case f.Deviation == NumberAmounts && isText && name == "amount":
		v[name] = json.Number(text)
	case f.Deviation == UnknownValues && unknownValues[name] != "" && isText:
		v[name] = unknownValues[name]
	case f.Deviation == MissingMembers && optional:
		delete(v, name)
	case f.Deviation == NullMembers && optional:
		v[name] = nil
	}
}
