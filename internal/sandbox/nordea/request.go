package nordea

import (
	"bytes"
	"encoding/json"
	"io"
	"net/url"
	"slices"
	"strings"

	"samla/internal/sandbox/nordea/grant"
	"samla/internal/sandbox/persona"
)

const (
	jsonType = "application/json"
	formType = "application/x-www-form-urlencoded"
)

// decode reads a JSON body with exactly the members of v.
func (c *call) decode(v any) *apiError {
	if c.r.Header.Get("Content-Type") != jsonType {
		return invalid("Content-Type", "MediaType", "The body must be JSON.")
	}
	d := json.NewDecoder(bytes.NewReader(c.body))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return invalid("", "JSON", "The body is not the JSON of this request.")
	}
	if _, err := d.Token(); err != io.EOF {
		return invalid("", "JSON", "The body has more than one JSON value.")
	}
	return nil
}

// form reads a form body with these members, each at most once.
func (c *call) form(names ...string) (url.Values, *apiError) {
	if c.r.Header.Get("Content-Type") != formType {
		return nil, invalid("Content-Type", "MediaType", "The body must be a form.")
	}
	values, err := url.ParseQuery(string(c.body))
	if err != nil {
		return nil, invalid("", "Form", "The form is malformed.")
	}
	return values, only(values, names)
}

// query reads the query with these parameters, each at most once.
func (c *call) query(names ...string) (url.Values, *apiError) {
	values, err := url.ParseQuery(c.r.URL.RawQuery)
	if err != nil {
		return nil, invalid("", "Query", "The query is malformed.")
	}
	return values, only(values, names)
}

func only(values url.Values, names []string) *apiError {
	for name, list := range values {
		if !slices.Contains(names, name) || len(list) != 1 {
			return invalid("", "Unknown", "A parameter is unknown or there twice.")
		}
	}
	return nil
}

// authenticationRequest is the body of POST decoupled/authentications.
type authenticationRequest struct {
	Method       string `json:"authentication_method"`
	Country      string `json:"country"`
	ResponseType string `json:"response_type"`
	PSU          string `json:"psu_id"`
	Company      string `json:"company_id"`            // business
	Primary      *bool  `json:"use_primary_agreement"` // in newer files; ignored
}

func (q authenticationRequest) check(root string) *apiError {
	switch {
	case q.Method != "BANKID_SE":
		return invalid("authentication_method", "Enum", "The only decoupled method is BANKID_SE.")
	case q.Country != "SE":
		return invalid("country", "Enum", "BANKID_SE is offered in SE only.")
	case q.ResponseType != "code":
		return invalid("response_type", "Enum", "The response type must be code.")
	case q.PSU != "" && !persona.Valid(q.PSU):
		return invalid("psu_id", "Pattern", "A personal number has 12 digits and a check digit.")
	}
	return checkCompany(q.Company, "SE", root)
}

// checkCompany checks company_id: required for a business, unknown for a person. Sweden: 10
// digits, or the 12 of a sole trader; NO: 9; FI, DK: 8.
func checkCompany(id, country, root string) *apiError {
	if root == personal {
		if id != "" {
			return invalid("company_id", "Unknown", "A person has no company.")
		}
		return nil
	}
	digits := map[string][]int{"SE": {10, 12}, "NO": {9}, "FI": {8}, "DK": {8}}[country]
	if !slices.Contains(digits, len(id)) || strings.Trim(id, "0123456789") != "" {
		return invalid("company_id", "Pattern", "The number of the company is missing or malformed.")
	}
	return nil
}

func checkAuthorization(q grant.AuthorizeRequest, b Behaviour) *apiError {
	switch {
	case q.Code == "":
		return invalid("code", "NotNull", "The code is missing.")
	case q.ResponseType != "nordea_token":
		return invalid("response_type", "Enum", "The response type must be nordea_token.")
	case len(q.Accounts) == 0:
		return invalid("account_list", "NotNull", "The account list is missing.")
	case slices.Contains(q.Accounts, grant.AllWithCards) && !b.CardsDecoupled:
		return invalid("account_list", "Enum", "Cards cannot be shared without a redirect.")
	}
	if f := checkScopes(q.Scopes, b.CardsDecoupled); f != nil {
		return f
	}
	return checkLimits(q.Duration, q.Months, b)
}

func checkScopes(scopes []string, cards bool) *apiError {
	accounts := false
	for i, s := range scopes {
		switch s {
		case grant.Basic, grant.Balances, grant.Details, grant.Transactions:
			accounts = true
		case grant.Payments:
		case grant.Cards, grant.CardTransactions:
			if !cards {
				return invalid("scope", "Enum", "The scopes of cards are not offered here.")
			}
		default:
			return invalid("scope", "Enum", "A scope is unknown.")
		}
		if slices.Contains(scopes[:i], s) {
			return invalid("scope", "Unique", "A scope is there twice.")
		}
	}
	if len(scopes) == 0 || accounts && !slices.Contains(scopes, grant.Basic) {
		return invalid("scope", "NotNull", "ACCOUNTS_BASIC is required with the other scopes of accounts.")
	}
	return nil
}

func checkLimits(minutes int, months *int, b Behaviour) *apiError {
	if minutes < 1 || minutes > b.MaxMinutes {
		return invalid("duration", "Range", "The duration is out of range.")
	}
	if months != nil && (*months < 1 || *months > b.MaxMonths) {
		return invalid("max_tx_history", "Range", "The history is out of range.")
	}
	return nil
}

// methods are the authentication methods of each country that have not been withdrawn
// (docs/reference/families.md 3.5).
var methods = map[string][]string{
	"SE": {"BANKID_SE", "CARD_RDR"},
	"NO": {"BANKID_NO", "MTA_NO"},
	"DK": {"NEMID_2F", "MITID", "MTA_DK"},
	"FI": {"MTA", "MTA_QR"},
}

func checkRedirect(q grant.RedirectRequest, root string, app Application, b Behaviour) *apiError {
	allowed, known := methods[q.Country]
	cards := slices.ContainsFunc(q.Scopes, grant.IsCard)
	switch {
	case !known:
		return invalid("country", "Enum", "The country must be SE, FI, NO or DK.")
	case q.Method != "" && !slices.Contains(allowed, q.Method):
		return invalid("authentication_method", "Enum", "The method is not offered in this country.")
	case q.Language != "" && !slices.Contains([]string{"fi", "da", "sv", "en", "no"}, q.Language):
		return invalid("language", "Enum", "The language is unknown.")
	case q.State == "":
		return invalid("state", "NotNull", "The state is missing.")
	case !app.mayReturnTo(q.Redirect):
		return invalid("redirect_uri", "Unknown", "The redirect address is not registered.")
	case q.Skip && len(q.Accounts) == 0:
		return invalid("account_list", "NotNull", "Skipping the selection of accounts needs a list.")
	case q.Skip && cards:
		return invalid("skip_account_selection", "Invalid", "Cards cannot be shared without the selection.")
	}
	if f := checkScopes(q.Scopes, root == personal); f != nil {
		return f
	}
	if f := checkLimits(q.Duration, q.Months, b); f != nil {
		return f
	}
	return checkCompany(q.Company, q.Country, root)
}

// checkAttended reads whether the person takes part in the request.
func (c *call) checkAttended() *apiError {
	ip := c.r.Header.Get("X-Nordea-Originating-User-Ip")
	if ip != "" && !isIP(ip) {
		return invalid("X-Nordea-Originating-User-Ip", "Pattern", "The address is not an IP address.")
	}
	c.attended = ip != ""
	return nil
}
