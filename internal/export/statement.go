package export

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"samla/internal/ident"
	"samla/internal/money"
	"samla/internal/product"
)

// statement is an account or card with its transactions, as bookkeeping programs see it.
type statement struct {
	*product.Psd2Account
	at       time.Time // when the balances were read
	currency string
	iban     string // compact and valid, or empty
	bic      string // valid, or empty
	entries  []entry
	undated  int // booked transactions without a day
	pending  []product.Psd2Transaction
}

// entry is a booked transaction.
type entry struct {
	product.Psd2Transaction
	id  string // what readers know it by
	day product.Date
}

// statements returns the accounts of a batch, and sentences about those that are left out.
func statements(b Batch) (all []statement, notes []string) {
	others := 0
	for _, p := range b.Products {
		account, is := p.(*product.Psd2Account)
		if !is {
			others++
			continue
		}
		s := newStatement(account)
		s.at = b.at(account.AccountID)
		if s.currency == "" {
			notes = append(notes, fmt.Sprintf("An account of %s is left out, because its currency is not known.", oneLine(account.CompanyDisplayName)))
			continue
		}
		all = append(all, s)
	}
	if others > 0 {
		notes = append(notes, counted(others, "product")+" that have no transactions of an account are left out; the formats json and csv have them.")
	}
	return all, notes
}

// at returns when the balances of an account were read, in UTC.
func (b Batch) at(account string) time.Time {
	if at, is := b.At[account]; is {
		return at.UTC()
	}
	return b.ReadAt.UTC()
}

func newStatement(a *product.Psd2Account) statement {
	s := statement{Psd2Account: a, currency: a.Currency}
	for _, balance := range []*money.Amount{a.BookedBalance, a.AvailableBalance} {
		if s.currency == "" && balance != nil {
			s.currency = balance.Currency()
		}
	}
	if iban, err := ident.ParseIBAN(a.IBAN); err == nil {
		s.iban = iban.Compact()
		if bic, known := iban.BIC(); known {
			s.bic = string(bic)
		}
	}
	if bic, err := ident.ParseBIC(a.BIC); err == nil {
		s.bic = string(bic)
	}
	unnamed := twins{}
	for _, t := range a.Transactions {
		if t.Amount.Currency() == "" {
			t.Amount, _ = money.New(t.Amount.Value(), s.currency) // the currency was validated before
		}
		day := t.BookingDate
		if day.IsZero() && !t.CreatedAt.IsZero() {
			day = product.DateOf(t.CreatedAt.Time())
		}
		switch {
		case t.Status == product.Pending:
			s.pending = append(s.pending, t)
		case day.IsZero():
			s.undated++
		default:
			s.entries = append(s.entries, entry{t, cmp.Or(oneLine(t.TransactionID), unnamed.id(a.AccountID, day, t)), day})
		}
	}
	return s
}

// twins counts the transactions of an account that are the same in every respect.
type twins map[string]int

// id makes an id for a transaction that has none: the same again for the same one.
func (w twins) id(account string, day product.Date, t product.Psd2Transaction) string {
	text := strings.Join([]string{account, day.String(), t.Amount.String(), t.CounterpartyName, t.Description}, "\n")
	w[text]++
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%d", text, w[text]))
	return hex.EncodeToString(sum[:16])
}

// balance returns a balance in the account's currency; nil: unknown.
func (s statement) balance(of *money.Amount) *money.Amount {
	if of == nil || of.Currency() == s.currency {
		return of
	}
	if of.Currency() != "" {
		return nil
	}
	with, _ := money.New(of.Value(), s.currency)
	return &with
}

// first and last are the days of the entries, or the other day if it is earlier or later.
func (s statement) first(other product.Date) product.Date {
	for _, e := range s.entries {
		if e.day.String() < other.String() {
			other = e.day
		}
	}
	return other
}

func (s statement) last(other product.Date) product.Date {
	for _, e := range s.entries {
		if e.day.String() > other.String() {
			other = e.day
		}
	}
	return other
}

// leftOut says what of the account is not in a file that holds booked transactions only.
func (s statement) leftOut() (notes []string) {
	name := s.label()
	if n := len(s.pending); n > 0 {
		notes = append(notes, fmt.Sprintf("%s: %s left out, not booked by the bank yet.", name, counted(n, "pending transaction")))
	}
	if s.undated > 0 {
		notes = append(notes, fmt.Sprintf("%s: %s without a day left out.", name, counted(s.undated, "booked transaction")))
	}
	return notes
}

// label names the account for people, without its number.
func (s statement) label() string {
	if name := oneLine(s.AccountName); name != "" {
		return name
	}
	return oneLine(s.CompanyDisplayName)
}

// number returns what the account is known by to people: its IBAN, or a number of the bank,
// or else our id of it.
func (s statement) number() string {
	switch {
	case s.iban != "":
		return s.iban
	case oneLine(s.AccountNumber) != "":
		return oneLine(s.AccountNumber)
	default:
		return s.AccountID
	}
}

// oneLine returns a text of an institution without what is no character of a line.
func oneLine(s string) string {
	return strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0xfffe || r == 0xffff || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))), " ")
}

// cut returns the first most characters.
func cut(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return strings.TrimRight(string(r[:most]), " ")
	}
	return s
}

// tail returns the last most characters.
func tail(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[len(r)-most:])
	}
	return s
}
