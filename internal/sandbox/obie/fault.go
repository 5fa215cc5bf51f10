package obie

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

// Deviation is a way in which answers deviate from the standard.
type Deviation string

// The deviations (docs/reference/families.md 15). The first group changes an answer that
// succeeded, after the bank acted; with the second it does not act.
const (
	UnknownMembers Deviation = "unknownMembers" // members that no definition has
	UnknownValues  Deviation = "unknownValues"  // values that no enumeration has
	ManyDecimals   Deviation = "manyDecimals"   // amounts with eight decimals
	MissingMembers Deviation = "missingMembers" // only the members that the definition requires
	NullMembers    Deviation = "nullMembers"    // these are null instead
	NumberAmounts  Deviation = "numberAmounts"  // amounts as JSON numbers
	SignedAmounts  Deviation = "signedAmounts"  // debits are negative, besides their indicator
	BareTimes      Deviation = "bareTimes"      // times without a time zone
	WrongType      Deviation = "wrongType"      // Content-Type text/plain
	CutBody        Deviation = "cutBody"        // half of the body, then the connection breaks
	Lost           Deviation = "lost"           // the connection breaks before the answer
	Slow           Deviation = "slow"           // the answer waits for Fault.DelayMS, by the bank's clock

	Unavailable Deviation = "unavailable" // 503 with Retry-After
	ServerError Deviation = "serverError" // 500 without a body
	ErrorPage   Deviation = "errorPage"   // 502 with a page of HTML
	Maintenance Deviation = "maintenance" // 200 with a page of HTML
	TooMany     Deviation = "tooMany"     // 429 with Retry-After
	Denies      Deviation = "denies"      // 400 invalid_grant to everybody, at the token endpoint
)

var (
	lateDeviations = []Deviation{
		UnknownMembers, UnknownValues, ManyDecimals, MissingMembers, NullMembers, NumberAmounts, SignedAmounts, BareTimes, WrongType, CutBody, Lost, Slow,
	}
	earlyDeviations = []Deviation{Unavailable, ServerError, ErrorPage, Maintenance, TooMany, Denies}
)

// Fault is a deviation of some calls.
type Fault struct {
	Deviation Deviation `json:"deviation"`
	// Kinds are kinds of calls, such as "token refresh_token" or "GET accounts/*/balances";
	// none: all of the resources.
	Kinds []string `json:"kinds,omitempty"`
	// Times is how many calls it concerns; 0: all, until the faults are replaced.
	Times int `json:"times,omitempty"`
	// DelayMS is that of Slow, in milliseconds.
	DelayMS int `json:"delayMs,omitempty"`

	left int
}

// SetFaults replaces the faults; without one, answers are right. A call has the first one
// that concerns it. It fails for an unknown deviation.
func (b *Bank) SetFaults(faults ...Fault) error {
	faults = slices.Clone(faults)
	for i, f := range faults {
		known := slices.Contains(lateDeviations, f.Deviation) || slices.Contains(earlyDeviations, f.Deviation)
		if !known || f.Times < 0 || f.DelayMS < 0 {
			return fmt.Errorf("obie: fault %d: the deviation is one of %q or %q, times and delayMs are not negative", i, lateDeviations, earlyDeviations)
		}
		faults[i].left = f.Times
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.faults = faults
	return nil
}

// takeFault returns the fault of a call; its zero value is none.
func (b *Bank) takeFault(kind string, isResource bool, of []Deviation) Fault {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.faults {
		f := &b.faults[i]
		concerned := slices.Contains(f.Kinds, kind) || len(f.Kinds) == 0 && isResource
		if !concerned || !slices.Contains(of, f.Deviation) || f.Times > 0 && f.left == 0 {
			continue
		}
		f.left--
		return *f
	}
	return Fault{}
}

const htmlPage = "<!doctype html><title>Bank</title><h1>We are sorry</h1><p>The service is not available right now."

// refuse writes the answer of a fault with which the bank does not act.
func (f Fault) refuse(w http.ResponseWriter) {
	switch f.Deviation {
	case Unavailable, TooMany:
		w.Header().Set("Retry-After", "2")
		w.WriteHeader(map[Deviation]int{Unavailable: http.StatusServiceUnavailable, TooMany: http.StatusTooManyRequests}[f.Deviation])
	case ServerError:
		w.WriteHeader(http.StatusInternalServerError)
	case Denies:
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant"})
	case ErrorPage, Maintenance:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(map[Deviation]int{ErrorPage: http.StatusBadGateway, Maintenance: http.StatusOK}[f.Deviation])
		_, _ = w.Write([]byte(htmlPage))
	}
}

// buffer keeps an answer until it is written with its fault.
type buffer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (b *buffer) Header() http.Header { return b.header }

func (b *buffer) WriteHeader(status int) {
	if b.status == 0 {
		b.status = status
	}
}

func (b *buffer) Write(p []byte) (int, error) {
	b.WriteHeader(http.StatusOK)
	return b.body.Write(p)
}

// write writes the answer with a fault. It panics with http.ErrAbortHandler to break the
// connection.
func (f Fault) write(w http.ResponseWriter, r *http.Request, c clock.Clock, a *buffer) {
	body := a.body.Bytes()
	switch f.Deviation {
	case Slow:
		if clock.Sleep(r.Context(), c, time.Duration(f.DelayMS)*time.Millisecond) != nil {
			return
		}
	case Lost:
		panic(http.ErrAbortHandler)
	case WrongType:
		a.header.Set("Content-Type", "text/plain")
	case UnknownMembers, UnknownValues, ManyDecimals, MissingMembers, NullMembers, NumberAmounts, SignedAmounts, BareTimes:
		body = f.change(body)
	}
	for name, values := range a.header {
		w.Header()[name] = values
	}
	if len(body) > 0 {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(a.status)
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

// required are the members that the definitions require, and what leads to them.
var required = []string{
	"Data", "Risk", "Links", "Self", "Next", "Meta", "ConsentId", "CreationDateTime", "Status", "StatusUpdateDateTime", "Permissions",
	"Account", "AccountId", "SchemeName", "Identification", "Servicer", "Balance", "CreditDebitIndicator", "Type", "DateTime", "Amount", "Currency",
	"CreditLine", "Included", "Transaction", "BookingDateTime", "CurrencyExchange", "SourceCurrency", "ExchangeRate", "Party", "PartyId",
	"access_token", "token_type",
}

// unknown are values that no enumeration has.
var unknown = map[string]string{
	"AccountSubType": "Crypto", "AccountTypeCode": "XNEW", "AccountType": "Shared", "AccountCategory": "Shared", "Type": "Xnew", "Status": "Xnew",
	"TransactionMutability": "Sometimes", "SchemeName": "UK.OBIE.Xnew",
}

func (f Fault) walk(v any) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			f.walk(item)
		}
	case map[string]any:
		debit := v["CreditDebitIndicator"] == "Debit"
		for name, item := range v {
			f.walk(item)
			f.member(v, name, item)
			if sum, ok := item.(map[string]any); ok && f.Deviation == SignedAmounts && debit && name == "Amount" {
				if text, ok := sum["Amount"].(string); ok {
					sum["Amount"] = "-" + text
				}
			}
		}
		if f.Deviation == UnknownMembers {
			v["XNewMember"] = map[string]any{"Of": []any{"a later version", 1, nil}}
		}
	}
}

// member changes one member.
func (f Fault) member(v map[string]any, name string, item any) {
	text, isText := item.(string)
	optional := !slices.Contains(required, name)
	switch {
	case f.Deviation == ManyDecimals && isText && name == "Amount":
		v[name] = text + "000001"
	case f.Deviation == NumberAmounts && isText && name == "Amount":
		v[name] = json.Number(text)
	case f.Deviation == UnknownValues && unknown[name] != "" && isText:
		v[name] = unknown[name]
	case f.Deviation == MissingMembers && optional:
		delete(v, name)
	case f.Deviation == NullMembers && optional:
		v[name] = nil
	case f.Deviation == BareTimes && isText && len(text) == len("2006-01-02T15:04:05+00:00"):
		v[name] = strings.TrimSuffix(text, "+00:00")
	}
}
