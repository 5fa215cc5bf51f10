package listing

import (
	"cmp"

	"samla/internal/fact"
)

// loanWords are the words that name a kind of loan (docs/reference/products.md 7). A loan on a
// car or for studies is neither for certain, and "med säkerhet" says of a loan with
// another name that it is secured by something.
var loanWords = []struct {
	words vocabulary
	means Type
}{
	{vocabularyOf("bolån-", "-bolånet", "-hypotek-", "mortgage-", "mort", "bostadslån-", "bostadsrättslån-", "villalån-", "fastighetslån-", "bottenlån-", "homeloan", "housingloan"), Mortgage},
	{vocabularyOf("privatlån-", "blancolån-", "blankolån-", "blanco", "blanko", "konsumtionslån-", "konsumentlån-", "medlemslån-", "personlån-", "samlingslån-",
		"unsecured", "personalloan", "consumerloan", "utansäkerhet"), Unsecured},
	{vocabularyOf("medsäkerhet", "secured"), Loan},
}

// loanType returns which loan the entries are: Mortgage or Unsecured, or Loan if they do
// not say so, or say both.
func loanType(entries []fact.Account) Type {
	said := unsaid
	for _, e := range entries {
		if e.Card {
			continue
		}
		t := cmp.Or(loanInWords(e.Product), loanInWords(e.Name), loanInWords(e.Type))
		if t != unsaid && said != unsaid && t != said {
			return Loan
		}
		said = cmp.Or(said, t)
	}
	return cmp.Or(said, Loan)
}

// loanInWords returns which loan the words of a name say, Loan if they say several, or
// unsaid.
func loanInWords(name string) Type {
	said := unsaid
	words := wordsOf(name)
	for i := range loanWords {
		for _, word := range words {
			if !loanWords[i].words.in(word) {
				continue
			}
			if said != unsaid && said != loanWords[i].means {
				return Loan
			}
			said = loanWords[i].means
		}
	}
	return said
}

// LoanNumber returns the number that identifies a loan over time, or "": the bank's
// number, or else its IBAN or another identification. The institution's id of an entry
// is none, because it may change with the consent.
func LoanNumber(a fact.Account) string { return cmp.Or(a.BBAN, a.IBAN, a.Other) }

// fitsNoProduct reports whether the account is a loan that becomes no product: one of
// which the kind or the number is not known (docs/reference/products.md 7).
func (a *Account) fitsNoProduct() bool {
	if !a.Type.IsLoan() {
		return false
	}
	for _, e := range a.Entries {
		if a.Type != Loan && LoanNumber(e) != "" {
			return false
		}
	}
	return true
}
