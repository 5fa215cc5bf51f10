// Package product owns the financial products of market se as they stand on the
// wire at version 2026-04-01 (docs/reference/products.md): their types, how they are read and
// how they are written. It gets them from the services that normalise a bank's
// answers and hands them, as JSON, to whoever asks for a collection's data.
//
// Reading is tolerant: absent and null are the same, values of an enum may be
// unknown, documented deviations are accepted. Writing is precise: what is
// unknown is left out, and so is a value that is not documented.
package product

import (
	"fmt"
	"io"
	"log/slog"
)

// Type tells the kinds of products apart; it is the discriminator in JSON.
type Type string

// The types of market se (docs/reference/products.md 2).
const (
	KF                             Type = "KF"
	ISK                            Type = "ISK"
	CustodyAccount                 Type = "CUSTODY_ACCOUNT"
	UnknownInvestment              Type = "UNKNOWN_INVESTMENT_TYPE"
	IPSPension                     Type = "IPS_PENSION"
	PrivatePension                 Type = "PRIVATE_PENSION"
	OccupationalPension            Type = "OCCUPATIONAL_PENSION"
	CollectiveOccupationalPension  Type = "COLLECTIVE_OCCUPATIONAL_PENSION"
	UnknownPension                 Type = "UNKNOWN_PENSION_TYPE"
	MortgageLoan                   Type = "MORTGAGE_LOAN"
	UnsecuredLoan                  Type = "UNSECURED_LOAN"
	GeneralSavingsAccount          Type = "GENERAL_SAVINGS_ACCOUNT"
	GeneralSavingsAccountFixedTerm Type = "GENERAL_SAVINGS_ACCOUNT_FIXED_PERIOD"
	Psd2SavingsAccount             Type = "PSD2_SAVINGS_ACCOUNT"
	Psd2CheckingAccount            Type = "PSD2_CHECKING_ACCOUNT"
	Psd2CreditCard                 Type = "PSD2_CREDIT_CARD"
	PublicPensionType              Type = "PUBLIC_PENSION"
)

// Product is one item of a collection's data: a *Psd2Account, *Investment,
// *SavingsAccount, *Loan, *Pension, *PublicPension, or an *Other.
type Product interface {
	// Common gives the members that every product has.
	Common() *Head
}

// Head is what every product begins with (FinancialProduct of docs/reference/products.md 2). Its
// members are always written, even when empty.
//
// It also decides how a product prints: only type, company and id, for the rest
// is the person's.
type Head struct {
	ID                 string `json:"id"`      // random, new for each collection
	Type               Type   `json:"type"`    // see Type
	Company            string `json:"company"` // the company the collection was started with
	CompanyDisplayName string `json:"companyDisplayName"`
}

// Common gives the head itself.
func (h *Head) Common() *Head { return h }

// Format hides all but the head from every verb of package fmt.
func (h Head) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, string(h.Type)+" of "+h.Company+" "+h.ID)
}

// LogValue hides all but the head from log/slog.
func (h Head) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", h.ID), slog.String("type", string(h.Type)), slog.String("company", h.Company))
}

// PersonalInformation is who started the collection, which need not be the owner
// (docs/reference/products.md 1 and 9).
type PersonalInformation struct {
	PersonalNumber string `json:"personalNumber,omitzero"` // twelve digits
	FirstName      string `json:"firstName,omitzero"`
	LastName       string `json:"lastName,omitzero"`
	Name           string `json:"name,omitzero"`
	Email          string `json:"email,omitzero"`
	PhoneNumber    string `json:"phoneNumber,omitzero"`
	StreetAddress  string `json:"streetAddress,omitzero"`
	PostalCode     string `json:"postalCode,omitzero"`
	City           string `json:"city,omitzero"`
	Country        string `json:"country,omitzero"`
}

// Format hides the person from every verb of package fmt.
func (p PersonalInformation) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[redacted]") }

// LogValue hides the person from log/slog.
func (p PersonalInformation) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// Holder is the owner of a product (docs/reference/products.md 8.4).
type Holder struct {
	Name string `json:"name,omitzero"`
}

// Movability tells whether a product can be moved to another institution
// (docs/reference/products.md 8.3).
type Movability struct {
	Result MovabilityResult `json:"result,omitzero"`
}
