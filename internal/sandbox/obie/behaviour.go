package obie

import (
	"time"

	"samla/internal/sandbox/obie/resource"
)

// ClientAuth is how a client authenticates at the token endpoint.
type ClientAuth string

// The methods of FAPI 1 Advanced (docs/reference/families.md 4.2, step 1).
const (
	PrivateKeyJWT ClientAuth = "private_key_jwt" // RFC 7523
	TLSClientAuth ClientAuth = "tls_client_auth" // RFC 8705 2.1: the subject of the certificate
)

// Behaviour is the configuration in which banks differ.
type Behaviour struct {
	Company     string // company id, also the base path, such as "se-demo-obie"
	DisplayName string
	BIC         string
	BankID      string // three digits of its IBANs (docs/reference/banks.md 14.2)

	Version     resource.Version
	ClientAuth  ClientAuth
	PKCE        bool   // code_challenge is required
	FinancialID string // required value of x-fapi-financial-id; empty: not looked at
	SaysIssuer  bool   // answers in the browser have the member iss (RFC 9207)

	AccessLifetime  time.Duration
	RefreshLifetime time.Duration // from the authorisation on, whatever is refreshed
	KeepRefresh     bool          // a refresh returns no new refresh token
	RefreshGrace    time.Duration // how long a refresh token works after it was replaced
	NoExpiresIn     bool          // token answers have no expires_in

	HistoryDays     int           // FirstAvailableDateTime is today minus this
	FullHistoryFor  time.Duration // after an authorisation; then only ShortHistoryDays; 0: for ever
	DailyLimit      int           // reads per account in 24 h without the person
	PageSize        int           // rows of transactions
	NoTotalPages    bool          // Meta.TotalPages is absent
	PartyNumber     bool          // PartyNumber is the personal number
	Bulk            bool          // /balances and /transactions are offered
	Unsupported     []string      // permissions that the bank does not offer
	ReadableSCADays int           // so many days after the authorisation, reads need a new one
}

// ShortHistoryDays is how far back a client reads once Behaviour.FullHistoryFor has passed.
const ShortHistoryDays = 90

// DefaultBanks returns the banks that the sandbox runs unless configured otherwise: one
// like Revolut (docs/reference/families.md 4.7), and one of version 4.0.
func DefaultBanks() []Behaviour {
	demo := Behaviour{
		Company: "se-demo-obie", DisplayName: "Demo bank (OBIE)", BIC: "OBIESESS", BankID: "120",
		Version: resource.V31, ClientAuth: TLSClientAuth, FinancialID: "001580000103UAvAAM",
		AccessLifetime: time.Hour, RefreshLifetime: 180 * 24 * time.Hour,
		HistoryDays: 1500, FullHistoryFor: 5 * time.Minute, DailyLimit: 4, PageSize: 25, NoTotalPages: true, ReadableSCADays: 180,
		Unsupported: []string{"ReadOffers", "ReadProducts", "ReadStatementsBasic", "ReadStatementsDetail"},
	}
	newer := demo
	newer.Company, newer.DisplayName, newer.BIC, newer.BankID = "se-demo-obie4", "Demo bank (OBIE 4.0)", "OBI4SESS", "230"
	newer.Version, newer.ClientAuth, newer.PKCE, newer.SaysIssuer, newer.FinancialID = resource.V40, PrivateKeyJWT, true, true, ""
	newer.FullHistoryFor, newer.NoTotalPages, newer.PartyNumber, newer.Bulk = 0, false, true, true
	return []Behaviour{demo, newer}
}
