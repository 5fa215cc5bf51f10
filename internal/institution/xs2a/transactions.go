package xs2a

import (
	"cmp"
	"encoding/json"

	"samla/internal/deviation"
	"samla/internal/fact"
	"samla/internal/institution"
)

// transaction has the members of transactions and of cardTransaction
// (docs/reference/banks.md 6.3).
type transaction struct {
	ID             text   `json:"transactionId"`
	CardID         text   `json:"cardTransactionId"`
	EntryReference text   `json:"entryReference"`
	BookingDate    text   `json:"bookingDate"`
	ValueDate      text   `json:"valueDate"`
	CardDate       text   `json:"transactionDate"`
	Moment         text   `json:"acceptorTransactionDateTime"`
	Amount         amount `json:"transactionAmount"`
	CreditorName   text   `json:"creditorName"`
	AcceptorName   text   `json:"cardAcceptorName"` // since 1.3.16
	DebtorName     text   `json:"debtorName"`

	Unstructured      text                `json:"remittanceInformationUnstructured"`
	UnstructuredArray []text              `json:"remittanceInformationUnstructuredArray"`
	Structured        creditorReference   `json:"remittanceInformationStructured"`
	StructuredArray   []creditorReference `json:"remittanceInformationStructuredArray"`
	CardDetails       text                `json:"transactionDetails"`
	Additional        text                `json:"additionalInformation"`
}

// creditorReference is a structured remittance: an object with reference, or in older
// versions of the standard the reference itself.
type creditorReference text

// UnmarshalJSON implements json.Unmarshaler. It never fails.
func (r *creditorReference) UnmarshalJSON(data []byte) error {
	*r = ""
	if data[0] == '{' {
		var object struct {
			Reference text `json:"reference"`
		}
		_ = json.Unmarshal(data, &object) // ignores members of another type
		*r = creditorReference(object.Reference)
		return nil
	}
	return (*text)(r).UnmarshalJSON(data)
}

// report is the list of transactions with its links.
type report struct {
	Booked  []transaction `json:"booked"`
	Pending []transaction `json:"pending"`
	paging
}

// isPresent reports whether the response has the report. A member of another type
// decodes to an empty report.
func (r *report) isPresent() bool {
	return r != nil && (r.Booked != nil || r.Pending != nil || len(r.Links) > 0)
}

// readTransactionReport decodes one page of the transactions of an account, and asks
// for the next page. It skips rows without an amount. A response with a download
// instead of rows is a MalformedResponse: the download is not followed.
func (b *Bank) readTransactionReport(a institution.Answer) (institution.Reading, error) {
	var body struct {
		Transactions     *report `json:"transactions"`
		CardTransactions *report `json:"cardTransactions"`
		DebitAccounting  text    `json:"debitAccounting"`
		paging
	}
	if err := decode(response{body: a.Body}, &body); err != nil {
		return institution.Reading{}, err
	}
	rows := body.Transactions
	if !rows.isPresent() {
		rows = body.CardTransactions
	}
	if !rows.isPresent() {
		if body.Links["download"] != "" {
			return institution.Reading{}, malformed("", errDownload)
		}
		return institution.Reading{}, malformed("", errMissing)
	}
	if cmp.Or(rows.Links["download"], body.Links["download"]) != "" && len(rows.Booked)+len(rows.Pending) == 0 {
		return institution.Reading{}, malformed("", errDownload)
	}
	history := fact.History{
		Account: a.Question.Account, DebitPositive: body.DebitAccounting.isTrue(),
		Transactions: make([]fact.Transaction, 0, len(rows.Booked)+len(rows.Pending)),
	}
	skipped := appendRows(&history, rows.Booked, true) + appendRows(&history, rows.Pending, false)
	read := institution.Reading{Facts: fact.Facts{Histories: []fact.History{history}}}
	read.Deviations.Add(deviation.UnreadableRow, skipped)
	read.Questions = b.nextPages(a.Question, &read.Deviations, append(rows.next(), body.next()...)...)
	return read, nil
}
