package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"samla/internal/money"
	"samla/internal/product"
)

// nameWidth is how many characters of a product's name are shown at least.
const nameWidth = 28

// holding is a product in a table: some cells, and what it is worth.
type holding struct {
	cells []string
	value *money.Amount // nil: unknown
}

// section is a table of the products of one kind, with their sum in each currency.
type section struct {
	title    string
	value    string   // head of the column of values; empty: VALUE
	columns  []column // of the cells
	holdings []holding
	total    sums
}

// summary is a person's products as tables. Only names and figures are shown: no personal
// number, and no name of a person.
type summary struct {
	pensions, investments, savings, loans *section

	accounts []product.Psd2Account
	others   []*product.Head // products that have no table
}

// summarize sorts products into tables.
func summarize(products []product.Product) (*summary, error) {
	name := column{most: nameWidth, rest: true}
	rate := column{right: true}
	headed := func(c column, head string) column { c.head = head; return c }
	s := &summary{
		pensions:    &section{title: "pension", columns: []column{headed(name, "PENSION"), {head: "KIND", most: 26}, headed(rate, "FEE"), {head: "PAYOUT A MONTH", most: 24}}},
		investments: &section{title: "investment", columns: []column{headed(name, "INVESTMENT"), {head: "KIND"}, headed(rate, "HOLDINGS"), headed(rate, "SINCE START")}},
		savings:     &section{title: "account", columns: []column{headed(name, "SAVINGS"), {head: "KIND"}, headed(rate, "RATE")}},
		loans:       &section{title: "loan", value: "BALANCE", columns: []column{headed(name, "LOAN"), {head: "KIND"}, headed(rate, "RATE"), {head: "FIXED FOR"}, headed(rate, "NEXT PAYMENT")}},
	}
	for _, p := range products {
		var err error
		switch p := p.(type) {
		case *product.Pension:
			err = s.pensions.add(pensionRow(p))
		case *product.Investment:
			err = s.investments.add(investmentRow(p))
		case *product.SavingsAccount:
			err = s.savings.add(savingsRow(p))
		case *product.Loan:
			err = s.loans.add(loanRow(p))
		case *product.Psd2Account:
			s.accounts = append(s.accounts, *p)
		default:
			s.others = append(s.others, p.Common())
		}
		if err != nil {
			return nil, err
		}
	}
	return s, nil
}

// add adds a product to the table and to its sum.
func (s *section) add(h holding) error {
	s.holdings = append(s.holdings, h)
	return s.total.add(h.value)
}

// print writes the tables that have products, and what they come to together.
func (s *summary) print(out io.Writer) error {
	between := func() {}
	sections := []*section{s.pensions, s.investments, s.savings, s.loans}
	for _, section := range sections {
		if len(section.holdings) == 0 {
			continue
		}
		between()
		if err := section.print(out); err != nil {
			return err
		}
		between = func() { fmt.Fprintln(out) }
	}
	if len(s.accounts) > 0 {
		between()
		if err := printAccounts(out, s.accounts); err != nil {
			return err
		}
		between = func() { fmt.Fprintln(out) }
	}
	if len(s.others) > 0 {
		between()
		for _, head := range s.others {
			fmt.Fprintf(out, "%s of %s\n", column{}.cut(string(head.Type)), column{}.cut(head.CompanyDisplayName))
		}
	}
	return s.printNet(out)
}

func (s *section) print(out io.Writer) error {
	t := &table{columns: append(append([]column{}, s.columns...), column{head: cmp.Or(s.value, "VALUE"), right: true})}
	scale := s.total.scale()
	missing := 0
	for _, h := range s.holdings {
		t.rows = append(t.rows, append(append([]string{}, h.cells...), digits(h.value, scale)))
		if h.value == nil {
			missing++
		}
	}
	what := counted(len(s.holdings), s.title)
	if missing > 0 {
		what += fmt.Sprintf(", %d unknown", missing)
	}
	for _, sum := range s.total {
		foot := make([]string, len(t.columns))
		foot[0], foot[len(foot)-1] = what, digits(&sum, scale)
		t.feet, what = append(t.feet, foot), ""
	}
	return t.print(out)
}

// printNet writes what a person owns less what the person owes, in each currency, if both
// are known.
func (s *summary) printNet(out io.Writer) error {
	if len(s.loans.total) == 0 {
		return nil
	}
	var net sums
	for _, section := range []*section{s.pensions, s.investments, s.savings} {
		for _, sum := range section.total {
			if err := net.add(&sum); err != nil {
				return err
			}
		}
	}
	if len(net) == 0 {
		return nil
	}
	for _, debt := range s.loans.total {
		negative := debt.Neg()
		if err := net.add(&negative); err != nil {
			return err
		}
	}
	var texts []string
	for _, sum := range net {
		texts = append(texts, digits(&sum, net.scale()))
	}
	_, err := fmt.Fprintf(out, "\nAll of it, less the loans: %s\n", strings.Join(texts, ", "))
	return err
}

// counted returns a number with its noun: 1 loan, 2 loans.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
