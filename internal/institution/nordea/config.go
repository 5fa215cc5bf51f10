package nordea

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"

	"samla/internal/httpclient"
	"samla/internal/strictjson"
)

// Config holds the members of an entry of the banks file that belong to this family. The
// least that a bank needs, beside the common members:
//
//	{
//	  "baseURL": "https://api.nordeaopenbanking.com",
//	  "clientId": "…", "secretFile": "nordea.secret", "keyFile": "nordea-key.pem"
//	}
type Config struct {
	BaseURL string `json:"baseURL,omitzero"` // the part before /personal and /business
	Base    string `json:"base,omitzero"`    // personal or business (personal)

	ClientID string `json:"clientId,omitzero"` // of our application in Nordea's portal; it names the key, too
	// The application's secret is the text of a file, or the value of an environment
	// variable.
	SecretFile     string       `json:"secretFile,omitzero"`
	SecretVariable string       `json:"secretVariable,omitzero"`
	KeyFile        string       `json:"keyFile,omitzero"` // PEM: the private RSA key that signs requests, of at least 2048 bits
	Certificates   Certificates `json:"certificates,omitzero"`

	Country string `json:"country,omitzero"` // SE, FI, DK or NO (SE)
	Flow    string `json:"flow,omitzero"`    // decoupled or redirect (decoupled in SE, else redirect)
	// AuthenticationMethod is what the person signs with (decoupled: BANKID_SE in SE;
	// redirect: "", the person chooses at the bank).
	AuthenticationMethod string `json:"authenticationMethod,omitzero"`
	// SkipAccountSelection: the bank does not ask the person for accounts in a redirect.
	SkipAccountSelection bool `json:"skipAccountSelection,omitzero"`

	Scopes     *[]string `json:"scopes,omitempty"`     // asked for beside those that a consent needs (ACCOUNTS_DETAILS)
	CardScopes []string  `json:"cardScopes,omitempty"` // CARDS_INFORMATION, CARDS_TRANSACTIONS (none)
	Versions   Versions  `json:"versions,omitzero"`

	// CompanyID is the number of the company whose accounts are read, for the base
	// business. Agreement is the id of the agreement to read where the person has several.
	CompanyID string `json:"companyId,omitzero"`
	Agreement string `json:"agreement,omitzero"`

	Profile Profile `json:"profile,omitzero"`
}

// Versions are those of the paths.
type Versions struct {
	Authorization string `json:"authorization,omitzero"` // (v5)
	Accounts      string `json:"accounts,omitzero"`      // (v5; v4 for companies)
	Cards         string `json:"cards,omitzero"`         // (v5)
	Assets        string `json:"assets,omitzero"`        // (v4)
}

// Certificates names PEM files. Relative paths start at the folder of the banks file.
type Certificates struct {
	Cert   string `json:"cert,omitzero"` // identifies us in TLS: the QWAC
	Key    string `json:"key,omitzero"`
	CAFile string `json:"caFile,omitzero"` // CAs of the bank's server; empty = the system's
}

// The flows, bases and scopes (docs/reference/families.md 3.1, 3.4, 3.5).
const (
	decoupled = "decoupled"
	redirect  = "redirect"

	personal = "personal"
	business = "business"

	scopeBasic        = "ACCOUNTS_BASIC"
	scopeBalances     = "ACCOUNTS_BALANCES"
	scopeDetails      = "ACCOUNTS_DETAILS"
	scopeTransactions = "ACCOUNTS_TRANSACTIONS"
	scopeCards        = "CARDS_INFORMATION"
	scopeCardRows     = "CARDS_TRANSACTIONS"
)

var (
	countries = []string{"SE", "FI", "DK", "NO"}
	// Those of the published file that Nordea has not withdrawn, and of newer ones.
	methods = []string{bankID, "CARD_RDR", "MTA", "MTA_NO", "BANKID_NO", "NEMID_2F", "MITID", "MTA_DK", "MTA_QR", "QRT_DK"}

	versionRE = regexp.MustCompile(`^v[1-9][0-9]?$`)
	clientRE  = regexp.MustCompile(`^[A-Za-z0-9._-]{1,200}$`)
	agreeRE   = regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}$`)
)

// companyNumbers are the forms of a company's number by country (ia-nb-v5.json,
// company_id). A sole trader in Sweden has the owner's personal number.
var companyNumbers = map[string]*regexp.Regexp{
	"SE": regexp.MustCompile(`^([0-9]{10}|[0-9]{12})$`), "FI": regexp.MustCompile(`^[0-9]{8}$`),
	"DK": regexp.MustCompile(`^[0-9]{8}$`), "NO": regexp.MustCompile(`^[0-9]{9}$`),
}

func (c Config) withDefaults() Config {
	c.Base = cmp.Or(c.Base, personal)
	c.Country = cmp.Or(c.Country, "SE")
	if c.Flow == "" && c.Country != "SE" {
		c.Flow = redirect
	}
	c.Flow = cmp.Or(c.Flow, decoupled)
	if c.Scopes == nil {
		c.Scopes = &[]string{scopeDetails}
	}
	c.Versions.Authorization = cmp.Or(c.Versions.Authorization, "v5")
	if c.Base == business {
		c.Versions.Accounts = cmp.Or(c.Versions.Accounts, "v4")
	}
	c.Versions.Accounts = cmp.Or(c.Versions.Accounts, "v5")
	c.Versions.Cards = cmp.Or(c.Versions.Cards, "v5")
	c.Versions.Assets = cmp.Or(c.Versions.Assets, "v4")
	c.Profile = c.Profile.withDefaults(c.Country)
	return c
}

const bankID = "BANKID_SE"

// decoupledMethod returns what a person signs with in a decoupled flow.
func (c Config) decoupledMethod() string {
	if c.AuthenticationMethod == "" && c.Country == "SE" {
		return bankID
	}
	return c.AuthenticationMethod
}

// Check implements institution.Config.
func (c Config) Check() (faults strictjson.Faults) {
	c = c.withDefaults()
	oneOf := func(pointer, value string, allowed ...string) {
		if !slices.Contains(allowed, value) {
			faults.Add(pointer, fmt.Sprintf("must be one of %q", allowed))
		}
	}
	if err := httpclient.ValidateBaseURL(c.BaseURL); err != nil {
		faults.Add("/baseURL", "must be the https address before /personal, without user, query and fragment")
	}
	oneOf("/base", c.Base, personal, business)
	oneOf("/country", c.Country, countries...)
	oneOf("/flow", c.Flow, decoupled, redirect)
	faults = append(faults, c.checkAccess()...)
	if c.AuthenticationMethod != "" {
		oneOf("/authenticationMethod", c.AuthenticationMethod, methods...)
	} else if c.Flow == decoupled && c.decoupledMethod() == "" {
		faults.Add("/authenticationMethod", "is missing: name what persons sign with, which a decoupled flow needs outside of SE")
	}
	checkScopes := func(pointer string, scopes []string, allowed ...string) {
		for i, s := range scopes {
			if !slices.Contains(allowed, s) || slices.Contains(scopes[:i], s) {
				faults.Add(fmt.Sprintf("%s/%d", pointer, i), fmt.Sprintf("must be one of %q, each once", allowed))
			}
		}
	}
	checkScopes("/scopes", *c.Scopes, scopeBasic, scopeBalances, scopeDetails, scopeTransactions)
	checkScopes("/cardScopes", c.CardScopes, scopeCards, scopeCardRows)
	if c.SkipAccountSelection && len(c.CardScopes) > 0 {
		faults.Add("/skipAccountSelection", "excludes cards: leave one of it and cardScopes out")
	}
	for _, v := range []struct{ pointer, value string }{
		{"authorization", c.Versions.Authorization}, {"accounts", c.Versions.Accounts}, {"cards", c.Versions.Cards}, {"assets", c.Versions.Assets},
	} {
		if !versionRE.MatchString(v.value) {
			faults.Add("/versions/"+v.pointer, `must be a version such as "v5"`)
		}
	}
	faults = append(faults, c.checkBusiness()...)
	return append(faults, c.Profile.check().Under("/profile")...)
}

func (c Config) checkBusiness() (faults strictjson.Faults) {
	number := companyNumbers[c.Country]
	switch {
	case c.Base == business && number != nil && !number.MatchString(c.CompanyID):
		faults.Add("/companyId", "must be the number of the company in its country's form, digits only")
	case c.Base != business && c.CompanyID != "":
		faults.Add("/companyId", `belongs to the base "business"`)
	}
	if c.Agreement != "" && (c.Base != business || !agreeRE.MatchString(c.Agreement)) {
		faults.Add("/agreement", `must be the id of an agreement, with the base "business"`)
	}
	return faults
}

func (c Config) checkAccess() (faults strictjson.Faults) {
	if !clientRE.MatchString(c.ClientID) {
		faults.Add("/clientId", "must be the client id of our application in Nordea's portal")
	}
	switch {
	case c.SecretFile != "" && c.SecretVariable != "":
		faults.Add("/secretVariable", "is there beside secretFile: name one of them")
	case c.SecretFile == "" && c.SecretVariable == "":
		faults.Add("/secretFile", "is missing: name a file with the application's secret, or a variable in secretVariable")
	}
	if c.KeyFile == "" {
		faults.Add("/keyFile", "is missing: name the PEM file of the private key whose public half Nordea's portal knows")
	}
	if (c.Certificates.Cert == "") != (c.Certificates.Key == "") {
		faults.Add("/certificates/cert", "certificate and key go together: name both files")
	}
	return faults
}
