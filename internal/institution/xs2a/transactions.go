package xs2a

import (
	"encoding/json"

	"samla/internal/fact"
	"samla/internal/institution"
)

// transaction is transactions and cardTransaction at once (docs/reference/banks.md 6.3).
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

	Unstructured      text          `json:"remittanceInformationUnstructured"`
	UnstructuredArray []text        `json:"remittanceInformationUnstructuredArray"`
	Structured        creditorRef   `json:"remittanceInformationStructured"`
	StructuredArray   []creditorRef `json:"remittanceInformationStructuredArray"`
	CardDetails       text          `json:"transactionDetails"`
	Additional        text          `json:"additionalInformation"`
}

// creditorRef is a structured remittance: an object with reference, or in older
// versions of the standard the reference itself.
type creditorRef text

// UnmarshalJSON implements json.Unmarshaler. It never fails.
func (r *creditorRef) UnmarshalJSON(data []byte) error {
	*r = ""
	if data[0] == '{' {
		var object struct {
			Reference text `json:"reference"`
		}
		_ = json.Unmarshal(data, &object) // an object, and of its members only one is asked for
		*r = creditorRef(object.Reference)
		return nil
	}
	return (*text)(r).UnmarshalJSON(data)
}

// report is the list of transactions with its links.
type report struct {
	Booked  []transaction `json:"booked"`
	Pending []transaction `json:"pending"`
	Links   *pageLinks    `json:"_links"`
}

// given tells a report from a member of another type, which decodes to nothing.
func (r *report) given() bool {
	return r != nil && (r.Booked != nil || r.Pending != nil || r.Links != nil)
}

type pageLinks struct {
	Next     link `json:"next"`
	Download link `json:"download"`
}

// readTransactionReport reads one page of an account's transactions, and asks for
// the next. Rows without an amount are skipped. An answer that offers a download
// in place of rows is MalformedResponse: the download is not followed.
func readTransactionReport(a institution.Answer) (institution.Reading, error) {
	var said struct {
		Transactions     *report   `json:"transactions"`
		CardTransactions *report   `json:"cardTransactions"`
		DebitAccounting  text      `json:"debitAccounting"`
		Links            pageLinks `json:"_links"`
	}
	if err := decode(response{body: a.Body}, &said); err != nil {
		return institution.Reading{}, err
	}
	rows := said.Transactions
	if !rows.given() {
		rows = said.CardTransactions
	}
	links := said.Links
	if rows.given() && rows.Links != nil {
		links = *rows.Links
	}
	switch {
	case links.Download != "" && (!rows.given() || len(rows.Booked)+len(rows.Pending) == 0):
		return institution.Reading{}, malformed("", errDownload)
	case !rows.given():
		return institution.Reading{}, malformed("", errMissing)
	}
	history := fact.History{
		Account: a.Question.Account, DebitPositive: said.DebitAccounting.isTrue(),
		Transactions: make([]fact.Transaction, 0, len(rows.Booked)+len(rows.Pending)),
	}
	skipped := addRows(&history, rows.Booked, true) + addRows(&history, rows.Pending, false)
	read := institution.Reading{Facts: fact.Facts{Histories: []fact.History{history}}, Skipped: skipped}
	if links.Next != "" {
		next := a.Question
		next.Link = string(links.Next)
		read.Questions = []institution.Question{next}
	}
	return read, nil
}
