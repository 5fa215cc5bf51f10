// Package resource renders the data of a simulated OBIE bank: accounts, balances,
// transactions, parties and errors, in the words of version 3.1.11 or 4.0 and filtered by
// the permissions of a consent. It knows no HTTP.
//
// Sources: docs/reference/families.md 4.4, 4.5, 4.6, 4.8.
package resource

import (
	"strings"

	"samla/internal/sandbox/obie/grant"
)

// Version is a version of the standard.
type Version string

// The versions that the bank can speak.
const (
	V31 Version = "3.1"
	V40 Version = "4.0"
)

// Base is the path of the resources below the bank's address.
func (v Version) Base() string { return "/open-banking/v" + string(v) + "/aisp" }

// word is a code in both versions.
type word struct{ v31, v40 string }

func (v Version) of(w word) string {
	if v == V40 {
		return w.v40
	}
	return w.v31
}

// The codes of docs/reference/families.md 4.5 and 4.8.
var (
	closingBooked    = word{"ClosingBooked", "CLBD"}
	interimBooked    = word{"InterimBooked", "ITBD"}
	interimAvailable = word{"InterimAvailable", "ITAV"}
	expected         = word{"Expected", "XPCD"}

	booked  = word{"Booked", "BOOK"}
	pending = word{"Pending", "PDNG"}

	currentAccount = word{"CurrentAccount", "CACC"}
	overdraft      = word{"CurrentAccount", "ODFT"}
	salaryAccount  = word{"CurrentAccount", "SLRY"}
	savings        = word{"Savings", "SVGS"}
	timeSavings    = word{"Savings", "LLSV"}
	moneyMarket    = word{"Savings", "MOMA"}
	loan           = word{"Loan", "LOAN"}
	mortgage       = word{"Mortgage", "MORT"}
	creditCard     = word{"CreditCard", "CARD"}
)

// consentStatus are the statuses of consents.
var consentStatus = map[grant.Status]word{
	grant.Awaiting:   {"AwaitingAuthorisation", "AWAU"},
	grant.Authorised: {"Authorised", "AUTH"},
	grant.Rejected:   {"Rejected", "RJCT"},
}

// ErrorCode is a code of an error, in the words of version 3.1.11.
type ErrorCode string

// The codes that the bank uses.
const (
	FieldExpected      ErrorCode = "UK.OBIE.Field.Expected"
	FieldInvalid       ErrorCode = "UK.OBIE.Field.Invalid"
	FieldInvalidDate   ErrorCode = "UK.OBIE.Field.InvalidDate"
	FieldMissing       ErrorCode = "UK.OBIE.Field.Missing"
	FieldUnexpected    ErrorCode = "UK.OBIE.Field.Unexpected"
	HeaderInvalid      ErrorCode = "UK.OBIE.Header.Invalid"
	HeaderMissing      ErrorCode = "UK.OBIE.Header.Missing"
	ConsentMismatch    ErrorCode = "UK.OBIE.Resource.ConsentMismatch"
	InvalidStatus      ErrorCode = "UK.OBIE.Resource.InvalidConsentStatus"
	InvalidFormat      ErrorCode = "UK.OBIE.Resource.InvalidFormat"
	NotFound           ErrorCode = "UK.OBIE.Resource.NotFound"
	MustReauthenticate ErrorCode = "UK.OBIE.Reauthenticate"
	Unexpected         ErrorCode = "UK.OBIE.UnexpectedError"
)

// errorCodes40 are those of version 4.0 (docs/reference/families.md 4.8).
var errorCodes40 = map[ErrorCode]string{
	FieldExpected: "U001", FieldInvalid: "U002", FieldInvalidDate: "U003", FieldMissing: "U004", FieldUnexpected: "U005",
	HeaderInvalid: "U006", HeaderMissing: "U007", ConsentMismatch: "U008", InvalidStatus: "U009", InvalidFormat: "U010",
	NotFound: "U011", MustReauthenticate: "U028", Unexpected: "U000",
}

// Problem is one entry of an error.
type Problem struct {
	Code ErrorCode
	Text string
	Path string // such as "Data.Permissions"; may be empty
}

// Error renders an error: status is such as "400 BadRequest", id a UUID.
func (v Version) Error(status, id string, problems ...Problem) any {
	list := make([]errorEntry, len(problems))
	for i, p := range problems {
		list[i] = errorEntry{ErrorCode: string(p.Code), Message: p.Text, Path: p.Path}
		if v == V40 {
			list[i].ErrorCode = errorCodes40[p.Code]
		}
	}
	if v == V40 { // Code and Message are deprecated
		return errorBody{ID: id, Errors: list}
	}
	return errorBody{ID: id, Code: status, Message: problems[0].Text, Errors: list}
}

type errorBody struct {
	Code    string       `json:"Code,omitempty"`
	ID      string       `json:"Id"`
	Message string       `json:"Message,omitempty"`
	Errors  []errorEntry `json:"Errors"`
}

type errorEntry struct {
	ErrorCode string `json:"ErrorCode"`
	Message   string `json:"Message"`
	Path      string `json:"Path,omitempty"`
}

// accountKind is the kind of an account by cashAccountType of the personas; the zero word
// if the bank does not say.
func accountKind(card bool, kind, name string) word {
	switch {
	case card:
		return creditCard
	case kind == "LOAN" && strings.HasPrefix(name, "Bolån"):
		return mortgage
	}
	return map[string]word{
		"CACC": currentAccount, "SLRY": salaryAccount, "ODFT": overdraft, "SVGS": savings, "LLSV": timeSavings,
		"MOMA": moneyMarket, "LOAN": loan,
	}[kind]
}
