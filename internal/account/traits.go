package account

import (
	"iter"
	"slices"
	"strings"

	"samla/internal/collection"
	"samla/internal/ident"
	"samla/internal/money"
	"samla/internal/plaintext"
	"samla/internal/product"
)

// Traits are what an account is recognised by, in forms that can be compared. Lists have
// the newest last.
type Traits struct {
	Type      product.Type `json:"type"`
	IBANs     []string     `json:"ibans,omitempty"`
	Numbers   []string     `json:"numbers,omitempty"`   // of accounts, loans, policies
	Masked    []string     `json:"masked,omitempty"`    // with * for each hidden digit
	Resources []string     `json:"resources,omitempty"` // the institution's ids
	Names     []string     `json:"names,omitempty"`     // folded
	Currency  string       `json:"currency,omitempty"`  // of payment accounts, savings and cards
}

// whole iterates over the numbers that hide no digit.
func (t *Traits) whole() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, list := range [...][]string{t.Numbers, t.IBANs} {
			for _, number := range list {
				if !yield(number) {
					return
				}
			}
		}
	}
}

// Kind is what a product is, in the way in which all institutions agree on it: one may
// call an account a savings account that another calls a checking account.
type Kind string

// The kinds. A product of no kind becomes no lasting account.
const (
	Deposit    Kind = "DEPOSIT"
	Card       Kind = "CARD"
	Loan       Kind = "LOAN"
	Investment Kind = "INVESTMENT"
	Pension    Kind = "PENSION"
)

var kinds = map[product.Type]Kind{
	product.Psd2CheckingAccount: Deposit, product.Psd2SavingsAccount: Deposit, product.GeneralSavingsAccount: Deposit,
	product.GeneralSavingsAccountFixedTerm: Deposit, product.Psd2CreditCard: Card, product.MortgageLoan: Loan, product.UnsecuredLoan: Loan,
	product.KF: Investment, product.ISK: Investment, product.CustodyAccount: Investment, product.UnknownInvestment: Investment,
	product.IPSPension: Pension, product.PrivatePension: Pension, product.OccupationalPension: Pension,
	product.CollectiveOccupationalPension: Pension, product.UnknownPension: Pension,
}

// KindOf returns the kind of a type. A public pension has none: it is a statement of
// rights and has no number. Types that are not known have none.
func KindOf(t product.Type) Kind { return kinds[t] }

// Seen is an account of a collection.
type Seen struct {
	ProductID string
	Shown     Shown
	Traits    Traits
}

// See returns a product as an account, with what the institution's lists say of it. ok is
// false for a product that is no account (KindOf).
func See(p product.Product, said collection.Identifiers) (s Seen, ok bool) {
	head := p.Common()
	s = Seen{ProductID: head.ID, Shown: Shown{Type: head.Type}}
	if KindOf(head.Type) == "" {
		return s, false
	}
	add := func(kind BalanceKind, a *money.Amount) {
		if a != nil {
			s.Shown.Balances = append(s.Shown.Balances, Balance{kind, *a})
		}
	}
	switch p := p.(type) {
	case *product.Psd2Account:
		s.Shown.Name, s.Shown.Number, s.Shown.IBAN, s.Shown.BIC, s.Shown.Currency = p.AccountName, p.AccountNumber, p.IBAN, p.BIC, p.Currency
		add(Booked, p.BookedBalance)
		add(Available, p.AvailableBalance)
	case *product.SavingsAccount:
		s.Shown.Name, s.Shown.Number, s.Shown.IBAN, s.Shown.BIC = p.AccountName, p.AccountNumber, p.IBAN, p.BIC
		add(Value, p.CurrentValue)
	case *product.Loan:
		s.Shown.Number = p.LoanID
		if p.LoanDetails != nil {
			add(Debt, p.LoanDetails.Balance)
		}
	case *product.Investment:
		s.Shown.Name, s.Shown.Number = p.ProductName, p.ProductNumber
		add(Value, valueOf(p.FinancialInformation))
	case *product.Pension:
		s.Shown.Name, s.Shown.Number = p.ProductName, p.ProductNumber
		add(Value, valueOf(p.FinancialInformation))
	default:
		return s, false
	}
	if s.Shown.Currency == "" && len(s.Shown.Balances) > 0 {
		s.Shown.Currency = s.Shown.Balances[0].Amount.Currency()
	}
	s.Traits = TraitsOf(said)
	s.Traits.Type = head.Type
	if kind := KindOf(head.Type); kind == Deposit || kind == Card {
		s.Traits.Currency = s.Shown.Currency
	} else {
		s.Traits.Currency = ""
	}
	s.Traits.addIBAN(s.Shown.IBAN)
	s.Traits.addNumber(s.Shown.Number)
	s.Traits.addName(s.Shown.Name)
	return s, true
}

func valueOf(f *product.FinancialInformation) *money.Amount {
	if f == nil {
		return nil
	}
	return f.CurrentValue
}

// TraitsOf returns what an institution's lists say of an account. The type is not known.
func TraitsOf(said collection.Identifiers) (t Traits) {
	for _, s := range said.IBANs {
		t.addIBAN(s)
	}
	for _, s := range slices.Concat(said.Numbers, said.Masked) {
		t.addNumber(s)
	}
	for _, s := range said.Resources {
		t.Resources = with(t.Resources, strings.TrimSpace(s))
	}
	for _, s := range said.Names {
		t.addName(s)
	}
	t.Currency = said.Currency
	return t
}

// addIBAN adds an IBAN. A text that is not a valid IBAN, such as one with hidden digits, is
// added as an account number.
func (t *Traits) addIBAN(s string) {
	if iban, err := ident.ParseIBAN(s); err == nil {
		t.IBANs = with(t.IBANs, iban.Compact())
		return
	}
	t.addNumber(s)
}

func (t *Traits) addNumber(s string) {
	c := ident.CompactAccount(s)
	switch {
	case isMasked(s):
		t.Masked = with(t.Masked, maskOf(s))
	case ident.HasIBANForm(c) && validIBAN(c):
		t.IBANs = with(t.IBANs, c)
	default:
		t.Numbers = with(t.Numbers, c)
	}
}

func validIBAN(s string) bool {
	_, err := ident.ParseIBAN(s)
	return err == nil
}

func (t *Traits) addName(s string) { t.Names = with(t.Names, plaintext.Fold(s)) }

// with returns a list with a text at its end, without the oldest if there are too many.
func with(list []string, s string) []string {
	if s == "" || len(list) > 0 && list[len(list)-1] == s {
		return list
	}
	list = append(slices.DeleteFunc(slices.Clone(list), func(known string) bool { return known == s }), s)
	return list[max(0, len(list)-maxForms):]
}

// add adds what was seen newly of the same account.
func (t *Traits) add(more Traits) {
	for _, of := range []struct {
		to   *[]string
		from []string
	}{{&t.IBANs, more.IBANs}, {&t.Numbers, more.Numbers}, {&t.Masked, more.Masked}, {&t.Resources, more.Resources}, {&t.Names, more.Names}} {
		for _, s := range of.from {
			*of.to = with(*of.to, s)
		}
	}
	if more.Type != "" {
		t.Type = more.Type
	}
	if more.Currency != "" {
		t.Currency = more.Currency
	}
}

// same reports whether two accounts of one collection look the same in every respect.
func (t *Traits) same(other *Traits) bool {
	return t.Type == other.Type && t.Currency == other.Currency && slices.Equal(t.IBANs, other.IBANs) && slices.Equal(t.Numbers, other.Numbers) &&
		slices.Equal(t.Masked, other.Masked) && slices.Equal(t.Resources, other.Resources) && slices.Equal(t.Names, other.Names)
}
