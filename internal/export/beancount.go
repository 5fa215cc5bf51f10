package export

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"samla/internal/money"
	"samla/internal/product"
)

// Accounts of the ledger that are no account of an institution.
const (
	opening = "Equity:Opening-Balances"
	income  = "Income:Unsorted"
	expense = "Expenses:Unsorted"
)

// writeBeancount writes a ledger: each booked transaction, against income or expenses that
// its owner sorts; what an account had before the first of them; and a balance that
// Beancount checks. A pending transaction is a comment, because it is in no balance.
func writeBeancount(b Batch) ([]File, []string, error) {
	l := &ledger{batch: b, today: product.DateOf(b.ReadAt.UTC()), taken: map[string]bool{}}
	notes := b.notes()
	written := 0
	var parts bytes.Buffer
	for _, p := range b.Products {
		said, err := l.product(&parts, p)
		if err != nil {
			return nil, notes, err
		}
		written += l.wrote
		notes = append(notes, said...)
	}
	if written == 0 {
		return nil, notes, ErrNothing
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "; %s, read at %s\n", oneLine(b.Company), b.ReadAt.UTC().Format(time.RFC3339))
	for _, note := range notes {
		fmt.Fprintf(&out, "; %s\n", note)
	}
	first := cmp.Or(l.first, l.today.String())
	for _, name := range []string{opening, income, expense} {
		fmt.Fprintf(&out, "%s open %s\n", first, name)
	}
	out.Write(parts.Bytes())
	return []File{{b.name(".beancount"), out.Bytes()}}, notes, nil
}

// ledger makes the names of accounts, and finds the first day.
type ledger struct {
	batch Batch
	today product.Date
	first string // the earliest day
	taken map[string]bool
	wrote int // accounts that the last call of product wrote
}

// product writes what a product is in a ledger.
func (l *ledger) product(out *bytes.Buffer, p product.Product) (notes []string, err error) {
	l.wrote = 0
	s := statement{}
	v := valueOf(p)
	name := cmp.Or(oneLine(v.name), string(p.Common().Type))
	if account, is := p.(*product.Psd2Account); is {
		s = newStatement(account)
		v.debt = account.Type == product.Psd2CreditCard
	} else {
		s.currency = v.currency()
		if v.debt && v.value != nil {
			negative := v.value.Neg()
			v.value = &negative
		}
	}
	if s.currency == "" || v.value == nil && len(s.entries) == 0 {
		return []string{fmt.Sprintf("%s is left out, because neither its value nor a transaction is known.", name)}, nil
	}
	root := "Assets"
	if v.debt {
		root = "Liabilities"
	}
	own := l.name(root, p.Common().CompanyDisplayName, name, cmp.Or(v.iban, v.number, v.accountID))
	read := l.today
	if account, is := p.(*product.Psd2Account); is {
		read = product.DateOf(l.batch.at(account.AccountID))
	}
	begin := s.first(read)
	if l.first == "" || begin.String() < l.first {
		l.first = begin.String()
	}
	l.wrote = 1
	fmt.Fprintf(out, "\n%s open %s\n", begin, own)
	before, err := l.before(s, v.value)
	if err != nil {
		return nil, fmt.Errorf("the sum of the transactions of %s %w: %w", name, ErrAmount, err)
	}
	if before != nil && before.Sign() != 0 {
		l.transaction(out, begin, "", "What there was before", "", own, *before, opening)
	}
	slices.SortStableFunc(s.entries, func(a, b entry) int { return strings.Compare(a.day.String(), b.day.String()) })
	for _, e := range s.entries {
		l.transaction(out, e.day, e.CounterpartyName, e.Description, e.id, own, e.Amount, "")
	}
	if v.value != nil {
		fmt.Fprintf(out, "%s balance %s  %s\n", dayAfter(s.last(read)), own, v.value)
	}
	for _, t := range s.pending {
		fmt.Fprintf(out, "; pending: %s %s %s\n", t.Amount, oneLine(t.CounterpartyName), oneLine(t.Description))
	}
	if s.undated > 0 {
		notes = append(notes, fmt.Sprintf("%s: %s without a day left out.", name, counted(s.undated, "booked transaction")))
	}
	return notes, nil
}

// before returns what an account had before its first entry, by its balance; nil: unknown.
func (l *ledger) before(s statement, now *money.Amount) (*money.Amount, error) {
	if now == nil {
		return nil, nil
	}
	left := *now
	for _, e := range s.entries {
		if e.Amount.Currency() != now.Currency() {
			continue
		}
		var err error
		if left, err = left.Sub(e.Amount); err != nil {
			return nil, err
		}
	}
	return &left, nil
}

// transaction writes one, against an account, or against income or expenses.
func (l *ledger) transaction(out *bytes.Buffer, day product.Date, payee, text, id, own string, amount money.Amount, against string) {
	switch {
	case against != "":
	case product.DirectionOf(amount) == product.Credit:
		against = income
	default:
		against = expense
	}
	fmt.Fprintf(out, "%s * ", day)
	if payee = oneLine(payee); payee != "" {
		fmt.Fprintf(out, "%s ", quoted(payee))
	}
	fmt.Fprintf(out, "%s\n", quoted(oneLine(text)))
	if id != "" {
		fmt.Fprintf(out, "  samla-id: %s\n", quoted(oneLine(id)))
	}
	fmt.Fprintf(out, "  %s  %s\n  %s  %s\n", own, amount, against, amount.Neg())
}

// quoted writes a string of Beancount.
func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// name makes the name of an account, the same in each export: the institution, the name, and
// the end of what it is known by.
func (l *ledger) name(root, company, name, known string) string {
	end := tail(component(known, ""), 4)
	full := root + ":" + component(company, "Unknown") + ":" + component(name, "Account")
	if end != "" {
		full += "-" + end
	}
	for n, plain := 2, full; l.taken[full]; n++ {
		full = fmt.Sprintf("%s-%d", plain, n)
	}
	l.taken[full] = true
	return full
}

// component writes a text as a part of an account's name: letters of ASCII, digits and
// hyphens, an upper-case letter or a digit first.
func component(s, empty string) string {
	var b strings.Builder
	for _, r := range oneLine(s) {
		if plain, is := plainLetters[unicode.ToLower(r)]; is {
			if unicode.IsUpper(r) {
				plain = strings.ToUpper(plain)
			}
			b.WriteString(plain)
			continue
		}
		if r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			b.WriteRune(r)
		} else if b.Len() > 0 && !strings.HasSuffix(b.String(), "-") {
			b.WriteByte('-')
		}
	}
	text := strings.TrimRight(b.String(), "-")
	if text == "" {
		return empty
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// plainLetters are those of the Nordic and Baltic languages without their marks.
var plainLetters = map[rune]string{'å': "a", 'ä': "a", 'ö': "o", 'æ': "ae", 'ø': "o", 'é': "e", 'è': "e", 'ü': "u", 'õ': "o", 'š': "s", 'ž': "z", 'ð': "d", 'þ': "th"}

// dayAfter returns the next day: a balance of Beancount is that of the day's beginning.
func dayAfter(d product.Date) product.Date {
	day, err := time.Parse(time.DateOnly, d.String())
	if err != nil {
		return d
	}
	return product.DateOf(day.AddDate(0, 0, 1))
}
