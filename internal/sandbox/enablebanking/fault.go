package enablebanking

import (
	"bytes"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// FaultKind is how calls fail, or how their answers deviate.
type FaultKind string

// The faults: those that a bank can have behind the gateway, those of the gateway's
// answers, and deviations from what is documented.
const (
	BankError      FaultKind = "aspspError"   // ASPSP_ERROR
	BankTimeout    FaultKind = "aspspTimeout" // ASPSP_TIMEOUT
	BankLimit      FaultKind = "aspspLimit"   // ASPSP_RATE_LIMIT_EXCEEDED
	BankAction     FaultKind = "psuAction"    // ASPSP_PSU_ACTION_REQUIRED
	AccessDenied   FaultKind = "accessDenied" // ACCESS_DENIED
	UnknownError   FaultKind = "unknownError" // a code that is not documented
	Unavailable    FaultKind = "unavailable"  // 503 without JSON
	Page           FaultKind = "page"         // 200 with an HTML page
	CutBody        FaultKind = "cutBody"
	OtherType      FaultKind = "otherType" // JSON that is declared as text
	Slow           FaultKind = "slow"
	UnknownMembers FaultKind = "unknownMembers"
	UnknownValues  FaultKind = "unknownValues" // of enumerations
	ManyDecimals   FaultKind = "manyDecimals"
	NumberAmounts  FaultKind = "numberAmounts"  // amounts as JSON numbers
	MissingMembers FaultKind = "missingMembers" // of rows and balances, required ones
	NullMembers    FaultKind = "nullMembers"    // members without a value are null instead of absent
	MissingSign    FaultKind = "missingSign"    // rows without credit_debit_indicator
)

// slowFor is the delay of Slow, by the gateway's clock.
const slowFor = 20 * time.Second

// Fault is a fault of some calls.
type Fault struct {
	Kind  FaultKind `json:"kind"`
	Call  string    `json:"call,omitempty"`  // the kind of call (Calls); empty: all
	Times int       `json:"times,omitempty"` // calls that it meets; 0: all until Faults replaces it
}

// Faults replaces the faults. It reports false for a kind that does not exist.
func (g *Gateway) Faults(list ...Fault) bool {
	for _, f := range list {
		if !slices.Contains(faultKinds, f.Kind) {
			return false
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.faults = slices.Clone(list)
	return true
}

var faultKinds = []FaultKind{
	BankError, BankTimeout, BankLimit, BankAction, AccessDenied, UnknownError, Unavailable, Page, CutBody, OtherType, Slow,
	UnknownMembers, UnknownValues, ManyDecimals, NumberAmounts, MissingMembers, NullMembers, MissingSign,
}

// refusal returns the refusal of a fault, or nil if the call succeeds.
func (f Fault) refusal() *apiError {
	switch f.Kind {
	case BankError:
		return bankFailed()
	case BankTimeout:
		return bankTimedOut()
	case BankLimit:
		return bankLimits()
	case BankAction:
		return bankWantsPSU()
	case AccessDenied:
		return refuse(http.StatusForbidden, "ACCESS_DENIED", "")
	case UnknownError:
		return refuse(http.StatusBadRequest, "MOON_NOT_FULL", "")
	}
	return nil
}

// rewrites are the deviations that change the text of an answer.
var rewrites = map[FaultKind][]struct {
	what *regexp.Regexp
	to   string
}{
	UnknownMembers: {{regexp.MustCompile(`\{"`), `{"x_new":{"a":[1]},"`}},
	UnknownValues:  {{regexp.MustCompile(`"(ITAV|CACC|PRIV)"`), `"XNEW"`}, {regexp.MustCompile(`"status":"PDNG"`), `"status":"XNEW"`}},
	ManyDecimals:   {{regexp.MustCompile(`("amount":"-?\d+)\.(\d\d)"`), `$1.${2}00000"`}},
	NumberAmounts:  {{regexp.MustCompile(`"amount":"(-?[\d.]+)"`), `"amount":$1`}},
	MissingMembers: {{regexp.MustCompile(`"(?:status|name|balance_type)":"[^"]*",?`), ``}, {regexp.MustCompile(`,\}`), `}`}},
	NullMembers:    {{regexp.MustCompile(`\{"(entry_reference|uid|name|balance_type|transaction_amount)"`), `{"note":null,"merchant_category_code":null,"value_date":null,"$1"`}},
	MissingSign:    {{regexp.MustCompile(`"credit_debit_indicator":"[A-Z]*",?`), ``}},
}

// write writes an answer with status 200, as the fault has it.
func (f Fault) write(w http.ResponseWriter, body []byte) {
	contentType, status := "application/json", http.StatusOK
	switch f.Kind {
	case Unavailable:
		contentType, status, body = "text/plain", http.StatusServiceUnavailable, []byte("no healthy upstream")
	case Page:
		contentType, body = "text/html", []byte("<html><body>We will be back soon</body></html>")
	case OtherType:
		contentType = "text/plain"
	}
	for _, r := range rewrites[f.Kind] {
		body = r.what.ReplaceAll(body, []byte(r.to))
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if f.Kind == CutBody {
		_, _ = w.Write(body[:len(body)/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler) // the connection ends before the body does
	}
	_, _ = bytes.NewReader(body).WriteTo(w)
}
