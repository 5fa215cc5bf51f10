package obie

import (
	"bytes"
	"net/http"
	"strings"

	"samla/internal/sandbox/faults"
)

// The deviations that only these banks have.
const (
	SignedAmounts faults.Deviation = "signedAmounts" // debits are negative, besides their indicator
	BareTimes     faults.Deviation = "bareTimes"     // times without a time zone
	Denies        faults.Deviation = "denies"        // 400 invalid_grant to everybody, at the token endpoint
)

// language is what the answers consist of. The kinds of calls are such as "token
// refresh_token" or "GET accounts/*/balances"; faults without kinds concern the resources.
var language = &faults.Language{
	Deviations: []faults.Deviation{
		faults.UnknownMembers, faults.UnknownValues, faults.ManyDecimals, faults.MissingMembers, faults.NullMembers, faults.NumberAmounts, SignedAmounts, BareTimes,
		faults.WrongType, faults.CutBody, faults.Lost, faults.Slow, faults.Unavailable, faults.ServerError, faults.ErrorPage, faults.Maintenance, faults.TooMany, Denies,
	},
	Instead: []faults.Deviation{Denies},
	Required: []string{
		"Data", "Risk", "Links", "Self", "Next", "Meta", "ConsentId", "CreationDateTime", "Status", "StatusUpdateDateTime", "Permissions",
		"Account", "AccountId", "SchemeName", "Identification", "Servicer", "Balance", "CreditDebitIndicator", "Type", "DateTime", "Amount", "Currency",
		"CreditLine", "Included", "Transaction", "BookingDateTime", "CurrencyExchange", "SourceCurrency", "ExchangeRate", "Party", "PartyId",
		"access_token", "token_type",
	},
	Unknown: map[string]string{
		"AccountSubType": "Crypto", "AccountTypeCode": "XNEW", "AccountType": "Shared", "AccountCategory": "Shared", "Type": "Xnew", "Status": "Xnew",
		"TransactionMutability": "Sometimes", "SchemeName": "UK.OBIE.Xnew",
	},
	Amount: "Amount", Added: "XNewMember", Member: ownDeviation,
}

func ownDeviation(d faults.Deviation, of map[string]any, name string) {
	switch text, isText := of[name].(string); {
	case d == SignedAmounts && name == "Amount" && of["CreditDebitIndicator"] == "Debit":
		if sum, ok := of[name].(map[string]any); ok {
			if text, ok := sum["Amount"].(string); ok {
				sum["Amount"] = "-" + text
			}
		}
	case d == BareTimes && isText && len(text) == len("2006-01-02T15:04:05+00:00"):
		of[name] = strings.TrimSuffix(text, "+00:00")
	}
}

// refuse writes what a fault has in place of an answer.
func refuse(w http.ResponseWriter, f faults.Fault) {
	if f.Deviation == Denies {
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant"})
		return
	}
	f.Refuse(w)
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
