package nordea

import (
	"strconv"

	"samla/internal/sandbox/nordea/account"
	"samla/internal/sandbox/nordea/grant"
	"samla/internal/sandbox/persona"
)

// agreement is an agreement of a company with the bank.
type agreement struct {
	ID       string `json:"id"`
	Type     string `json:"type,omitempty"`
	Customer string `json:"customer_name,omitempty"`
}

// agreements returns the agreements under which the person of a login acts for its company.
// A sole trader, whose company has the person's number, has one; all others have two: one
// for the current accounts and one for the savings.
func agreements(l *grant.Login) []agreement {
	last, err := strconv.Atoi(l.Company[len(l.Company)-7:])
	if err != nil {
		return nil // checkCompany allows digits only
	}
	number := func(n int) string { return strconv.Itoa(1_000_000_000 + 10*last + n) }
	list := []agreement{{number(currentAgreement), "Internetbanken Företag", companyName(l.Company)}}
	if l.Company != l.Person {
		list = append(list, agreement{number(savingsAgreement), "Placeringar Företag", companyName(l.Company)})
	}
	return list
}

// The last digit of an agreement says which accounts it has.
const (
	currentAgreement = 1
	savingsAgreement = 2
)

// firstAgreement returns the agreement that needs no choice; "" for a person.
func firstAgreement(l *grant.Login) string {
	if l.Root != business {
		return ""
	}
	return agreements(l)[0].ID
}

// covers reports whether an account belongs to the agreement; "" has all.
func covers(agreement string, a account.Account) bool {
	if agreement == "" {
		return true
	}
	return (agreement[len(agreement)-1] == '0'+savingsAgreement) == (a.Kind == account.Savings)
}

func companyName(id string) string {
	if persona.Valid(id) {
		return "ENSKILD FIRMA " + id[:4]
	}
	return "FÖRETAGET " + id[len(id)-4:] + " AB"
}
