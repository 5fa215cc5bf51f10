package main

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"samla/internal/money"
	"samla/internal/product"
)

// kinds are the types of products in words (docs/reference/products.md 2).
var kinds = map[product.Type]string{
	product.OccupationalPension:           "occupational",
	product.CollectiveOccupationalPension: "collective",
	product.PrivatePension:                "private",
	product.IPSPension:                    "IPS",
	product.UnknownPension:                "pension",
	product.KF:                            "KF",
	product.ISK:                           "ISK",
	product.CustodyAccount:                "custody account",
	product.UnknownInvestment:             "investment",
	product.GeneralSavingsAccount:         "savings",
	product.MortgageLoan:                  "mortgage",
	product.UnsecuredLoan:                 "unsecured",
}

// kind returns the type of a product in words. A type without words stays as it is.
func kind(h *product.Head) string { return cmp.Or(kinds[h.Type], string(h.Type)) }

// named returns the first name that is known, or else the name of the company.
func named(h *product.Head, names ...string) string {
	return cmp.Or(append(names, h.CompanyDisplayName)...)
}

// pensionRow shows a pension's plan with its kind, such as "collective, ITP". A pension
// that only promises an income has no value.
func pensionRow(p *product.Pension) holding {
	what := kind(&p.Head)
	if !p.Classification.IsZero() && p.Classification != "UNKNOWN_PENSION_CLASSIFICATION" {
		what += ", " + string(p.Classification)
	}
	value := currentValue(p.FinancialInformation)
	income := ""
	if value == nil {
		income = payout(p.PayoutDetails)
	}
	return holding{[]string{named(&p.Head, p.ProductName, p.ProductNumber), what, percent(variableFee(p.Fees)), income}, value}
}

func investmentRow(p *product.Investment) holding {
	holdings := ""
	if p.Holdings != nil {
		holdings = strconv.Itoa(len(p.Holdings))
	}
	var since string
	if f := p.FinancialInformation; f != nil {
		since = percent(f.PerformanceSinceStart)
	}
	return holding{[]string{named(&p.Head, p.ProductName, p.ProductNumber), kind(&p.Head), holdings, since}, currentValue(p.FinancialInformation)}
}

func savingsRow(p *product.SavingsAccount) holding {
	what := kind(&p.Head)
	if p.Type == product.GeneralSavingsAccountFixedTerm {
		what = "fixed period"
		if b := p.BindingPeriod; b != nil && !b.EndDate.IsZero() {
			what = "fixed to " + b.EndDate.String()
		}
	}
	var rate *money.Number
	if p.Interest != nil {
		rate = p.Interest.Rate
	}
	return holding{[]string{named(&p.Head, p.AccountName, p.AccountNumber, p.IBAN), what, percent(rate)}, p.CurrentValue}
}

func loanRow(p *product.Loan) holding {
	var rate *money.Number
	if p.Interest != nil {
		rate = p.Interest.Rate
	}
	bound := ""
	if !p.InterestBindingPeriod.IsZero() && p.InterestBindingPeriod != "UNKNOWN" {
		bound = words(string(p.InterestBindingPeriod))
	}
	next := ""
	if n := p.NextPayment; n != nil && n.Total != nil {
		next = digits(n.Total, 0)
	}
	var balance *money.Amount
	if p.LoanDetails != nil {
		balance = p.LoanDetails.Balance
	}
	return holding{[]string{named(&p.Head, p.FinancedObject, p.LoanID), kind(&p.Head), percent(rate), bound, next}, balance}
}

// words writes a value of an enumeration in words: two years.
func words(value string) string { return strings.ToLower(strings.ReplaceAll(value, "_", " ")) }

func currentValue(f *product.FinancialInformation) *money.Amount {
	if f == nil {
		return nil
	}
	return f.CurrentValue
}

// variableFee returns the yearly fee on the value, the holder's own if it is known.
func variableFee(f *product.Fees) *money.Number {
	switch {
	case f == nil:
		return nil
	case f.Personalized != nil:
		return f.Personalized.Variable
	case f.Generic != nil:
		return f.Generic.Variable
	}
	return nil
}

// payout returns the first part of a payout plan: 2 000 SEK from 65.
func payout(plan []product.PayoutDetails) string {
	for _, part := range plan {
		if part.Amount == nil {
			continue
		}
		text := digits(part.Amount, 0)
		switch period := part.Period; {
		case period == nil:
		case period.StartAge != nil:
			text += fmt.Sprintf(" from %d", *period.StartAge)
		case !period.StartDate.IsZero():
			text += " from " + period.StartDate.String()[:len("2006")]
		}
		return text
	}
	return ""
}
