package xs2a

import (
	"bytes"
	"cmp"
	"encoding/json"
)

// report is the list of transactions with its links.
type report struct {
	Booked  []transaction `json:"booked"`
	Pending []transaction `json:"pending"`
	paging
}

// isPresent reports whether the answer has the report. A member of another type decodes
// to an empty report.
func (r *report) isPresent() bool {
	return r != nil && (r.Booked != nil || r.Pending != nil || len(r.Links) > 0)
}

// reportPage is one page of the transactions of an account.
type reportPage struct {
	report
	next            []link
	debitAccounting bool
	unreadable      int // lists that cannot be decoded
}

// readReport decodes one page of the transactions of an account. Errors: kind
// MalformedResponse for an answer without a report, or with a download instead of rows:
// the download is not followed.
func readReport(body []byte) (reportPage, error) {
	var whole struct {
		Transactions     *report `json:"transactions"`
		CardTransactions *report `json:"cardTransactions"`
		DebitAccounting  text    `json:"debitAccounting"`
		paging
	}
	exact, err := decodeExactly(response{body: body}, &whole)
	if err != nil {
		return reportPage{}, err
	}
	rows := whole.Transactions
	if !rows.isPresent() {
		rows = whole.CardTransactions
	}
	unreadable := 0
	if !exact || !rows.isPresent() || repeatsLists(body) {
		rows, unreadable = readIrregularReport(body)
	}
	if rows == nil {
		rows = &report{}
	}
	download := cmp.Or(rows.Links["download"], whole.Links["download"])
	switch {
	case download != "" && len(rows.Booked)+len(rows.Pending) == 0:
		return reportPage{}, malformed("", errDownload)
	case !rows.isPresent():
		return reportPage{}, malformed("", errMissing)
	}
	return reportPage{report: *rows, next: nextOf(rows.paging, whole.paging), debitAccounting: whole.DebitAccounting.isTrue(), unreadable: unreadable}, nil
}

// repeatsLists reports whether an answer may have two lists of one name: the second would
// replace the first.
func repeatsLists(body []byte) bool {
	return bytes.Count(body, []byte(`"booked"`)) > 1 || bytes.Count(body, []byte(`"pending"`)) > 1
}

// irregularReport decodes a report whose members are not of the standard's types. That
// takes several times as long.
type irregularReport struct {
	report
	there      bool
	unreadable int
}

// UnmarshalJSON implements json.Unmarshaler. It never fails.
func (r *irregularReport) UnmarshalJSON(data []byte) error {
	switch data[0] {
	case '[': // the rows without the report
		var rows list[transaction]
		_ = rows.UnmarshalJSON(data)
		r.Booked, r.there = append(r.Booked, rows...), true
	case '{':
		var members struct {
			Booked  list[transaction] `json:"booked"`
			Pending list[transaction] `json:"pending"`
			paging
		}
		var names map[string]json.RawMessage
		_ = json.Unmarshal(data, &members)
		_ = json.Unmarshal(data, &names)
		r.Booked, r.Pending = append(r.Booked, members.Booked...), append(r.Pending, members.Pending...)
		if r.Links == nil {
			r.paging = members.paging
		}
		for _, name := range []string{"booked", "pending"} {
			value, there := names[name]
			r.there = r.there || there
			if there && !bytes.ContainsRune([]byte("[{n"), rune(value[0])) && string(value) != `""` {
				r.unreadable++
			}
		}
		r.there = r.there || len(names) == 0 || len(r.Links) > 0
	}
	return nil
}

// readIrregularReport decodes an answer that is not as the standard has it: one row in
// place of a list, null in place of an empty list, a list of rows in place of the report,
// rows without the report around them, repeated members. It also returns how many lists
// cannot be decoded.
func readIrregularReport(body []byte) (*report, int) {
	var whole struct {
		Transactions     irregularReport   `json:"transactions"`
		CardTransactions irregularReport   `json:"cardTransactions"`
		Booked           list[transaction] `json:"booked"`
		Pending          list[transaction] `json:"pending"`
	}
	if decode(response{body: body}, &whole) != nil {
		return nil, 0
	}
	for _, r := range []irregularReport{whole.Transactions, whole.CardTransactions} {
		if r.there {
			r.Booked = append([]transaction{}, r.Booked...) // not nil: it is present
			return &r.report, r.unreadable
		}
	}
	return &report{Booked: whole.Booked, Pending: whole.Pending}, 0
}
