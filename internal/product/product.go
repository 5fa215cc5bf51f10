// Package product defines the financial products of market se in their JSON form of
// API version 2026-04-01 (docs/reference/products.md): types, parser and encoder.
// The services build products from a bank's answers; the API returns them as the
// data of a collection.
//
// Reading is lenient: absent and null are the same, enum values may be unknown, and
// documented deviations are accepted. Writing is strict: unknown members and
// undocumented values are omitted.
package product

import (
	"fmt"
	"io"
	"log/slog"
	"slices"
)

// Type is the type of a product, the discriminator in JSON.
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

func (Type) documented() []string { return types }

// IsType reports whether t is one of the documented types.
func IsType(t Type) bool { return slices.Contains(types, string(t)) }

// Product is one item of a collection's data: a *Psd2Account, *Investment,
// *SavingsAccount, *Loan, *Pension, *PublicPension, or an *Other.
type Product interface {
	// Common returns the members that every product has.
	Common() *Head
}

// Head is the common part of all products (FinancialProduct of
// docs/reference/products.md 2). Its members are always written, even when empty.
//
// A product prints as type, company and id only, because everything else is personal
// data.
type Head struct {
	ID                 string `json:"id" rule:"always"`          // random, new for each collection
	Type               Type   `json:"type" rule:"discriminator"` // see Type
	Company            string `json:"company" rule:"always"`     // the company the collection was started with
	CompanyDisplayName string `json:"companyDisplayName" rule:"always"`
}

// Common returns h.
func (h *Head) Common() *Head { return h }

// Format hides all but the head from every verb of package fmt.
func (h Head) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, string(h.Type)+" of "+h.Company+" "+h.ID)
}

// LogValue hides all but the head from log/slog.
func (h Head) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", h.ID), slog.String("type", string(h.Type)), slog.String("company", h.Company))
}

// PersonalInformation describes the person who started the collection, who is not
// always the owner (docs/reference/products.md 1 and 9).
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

// Format hides the personal data from every verb of package fmt.
func (p PersonalInformation) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[redacted]") }

// LogValue hides the personal data from log/slog.
func (p PersonalInformation) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// Holder is the owner of a product (docs/reference/products.md 8.4).
type Holder struct {
	Name string `json:"name,omitzero"`
}

// Movability is whether a product can be moved to another institution
// (docs/reference/products.md 8.3).
type Movability struct {
	Result MovabilityResult `json:"result,omitzero" rule:"required"`
}
