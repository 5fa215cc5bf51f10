package export

import (
	"bytes"
	"encoding/csv"
	"strconv"
	"strings"
	"unicode/utf8"

	"samla/internal/jsontext"
	"samla/internal/money"
	"samla/internal/product"
)

// Columns of the two files. They stay as they are; new ones are added at the end.
var (
	productColumns = []string{"id", "type", "company", "companyName", "accountId", "name", "number", "iban", "bic", "currency", "value", "available", "readAt", "complete"}
	entryColumns   = []string{"id", "accountId", "company", "accountName", "iban", "status", "date", "amount", "currency", "counterparty", "description", "complete"}
)

// writeCSV writes a file of products and one of the transactions of accounts, with all their
// rows, booked or not (RFC 4180, UTF-8 with a mark, by which spreadsheets know it).
func writeCSV(b Batch) ([]File, []string, error) {
	complete := strconv.FormatBool(!b.Partial)
	products, entries := newSheet(productColumns), newSheet(entryColumns)
	for _, p := range b.Products {
		h, v := p.Common(), valueOf(p)
		products.row(text(h.ID), text(string(h.Type)), text(h.Company), text(h.CompanyDisplayName), text(v.accountID), text(v.name), text(v.number),
			text(v.iban), text(v.bic), text(v.currency()), number(v.value), number(v.available), text(jsontext.Time(b.at(v.accountID))), complete)
		account, is := p.(*product.Psd2Account)
		if !is {
			continue
		}
		currency := newStatement(account).currency
		for _, t := range account.Transactions {
			of := t.Amount.Currency()
			if of == "" {
				of = currency
			}
			entries.row(text(t.TransactionID), text(account.AccountID), text(h.Company), text(account.AccountName), text(account.IBAN), text(string(t.Status)),
				text(t.BookingDate.String()), number(&t.Amount), text(of), text(t.CounterpartyName), text(t.Description), complete)
		}
	}
	if len(b.Products) == 0 {
		return nil, b.notes(), ErrNothing
	}
	files := []File{{b.name("-products.csv"), products.bytes()}}
	if entries.rows > 0 {
		files = append(files, File{b.name("-transactions.csv"), entries.bytes()})
	}
	return files, b.notes(), nil
}

// sheet is a file of CSV.
type sheet struct {
	buffer bytes.Buffer
	*csv.Writer
	rows int
}

func newSheet(columns []string) *sheet {
	s := &sheet{}
	s.buffer.WriteString("\ufeff")
	s.Writer = csv.NewWriter(&s.buffer)
	s.UseCRLF = true
	_ = s.Write(columns) // a buffer takes everything
	return s
}

func (s *sheet) row(cells ...string) {
	s.rows++
	_ = s.Write(cells)
}

func (s *sheet) bytes() []byte {
	s.Flush()
	return s.buffer.Bytes()
}

// text is a cell that no spreadsheet takes for a formula: an apostrophe stands before a
// character that begins one, as OWASP advises against CSV injection. The wide forms are
// those that spreadsheets in East Asia understand.
func text(s string) string {
	s = oneLine(s)
	if first, _ := utf8.DecodeRuneInString(s); s != "" && strings.ContainsRune("=+-@＝＋－＠", first) {
		return "'" + s
	}
	return s
}

// number is a cell with digits.
func number(a *money.Amount) string {
	if a == nil {
		return ""
	}
	return a.Value().String()
}
