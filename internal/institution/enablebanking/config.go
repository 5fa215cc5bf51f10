package enablebanking

import (
	"fmt"
	"regexp"
	"slices"

	"samla/internal/httpclient"
	"samla/internal/strictjson"
)

// Host is the gateway's API.
const Host = "https://api.enablebanking.com"

// Config holds the members of an entry of the institutions file that belong to this
// family. The least that a gateway needs, beside the common members:
//
//	{
//	  "applicationId": "cf589be3-3755-465b-a8df-a90a16a31403", "keyFile": "enablebanking.pem",
//	  "countries": ["SE"]
//	}
//
// The common members are those of the gateway: its banks get ids of their own, and the
// login methods of the entry.
type Config struct {
	BaseURL       string `json:"baseURL,omitzero"` // "" = Host
	ApplicationID string `json:"applicationId,omitzero"`
	KeyFile       string `json:"keyFile,omitzero"` // the application's RSA key, PEM
	CAFile        string `json:"caFile,omitzero"`  // CAs of the gateway's server; "" = the system's

	Countries []string `json:"countries,omitempty"` // ISO 3166, such as SE
	// Banks are the names of the banks that are opened, and Groups those of the groups of
	// brands whose banks are, as the directory has them; neither = all. Without are banks that
	// are not.
	Banks   []string `json:"banks,omitempty"`
	Groups  []string `json:"groups,omitempty"`
	Without []string `json:"without,omitempty"`
	NoBeta  bool     `json:"noBeta,omitzero"`  // without banks whose integration is in beta
	PSUType string   `json:"psuType,omitzero"` // personal (default) or business
	// IDPart is what stands between country and name in the ids of banks ("se-eb-nordea");
	// "" = eb.
	IDPart string `json:"idPart,omitzero"`
	// SendPersonalNumber: the gateway gets the personal number of the person, where the bank
	// has a method that asks for it, so that the person need not type it.
	SendPersonalNumber bool `json:"sendPersonalNumber,omitzero"`
	// DirectoryFile keeps the list of banks; "" = the company id and -banks.json.
	DirectoryFile string `json:"directoryFile,omitzero"`
}

const (
	personal = "personal"
	business = "business"
)

var (
	uuidRE    = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	countryRE = regexp.MustCompile(`^[A-Z]{2}$`)
	idPartRE  = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
)

// Check implements institution.Config.
func (c Config) Check() (faults strictjson.Faults) {
	if c.BaseURL != "" && httpclient.ValidateBaseURL(c.BaseURL) != nil {
		faults.Add("/baseURL", "must be the https address of the API, without user, query and fragment")
	}
	if !uuidRE.MatchString(c.ApplicationID) {
		faults.Add("/applicationId", "must be the id that the gateway's portal gave to the application")
	}
	if c.KeyFile == "" {
		faults.Add("/keyFile", "is missing: name the file with the private key of the application")
	}
	if len(c.Countries) == 0 {
		faults.Add("/countries", `is missing: list at least one, such as "SE"`)
	}
	for i, country := range c.Countries {
		if !countryRE.MatchString(country) || slices.Contains(c.Countries[:i], country) {
			faults.Add(fmt.Sprintf("/countries/%d", i), "must be a code of ISO 3166 in capitals, once")
		}
	}
	if c.PSUType != "" && c.PSUType != personal && c.PSUType != business {
		faults.Add("/psuType", `must be "personal" or "business"`)
	}
	if c.IDPart != "" && !idPartRE.MatchString(c.IDPart) {
		faults.Add("/idPart", "must have small letters, digits and single hyphens between them")
	}
	return faults
}

func (c Config) withDefaults(company string) Config {
	if c.BaseURL == "" {
		c.BaseURL = Host
	}
	if c.PSUType == "" {
		c.PSUType = personal
	}
	if c.IDPart == "" {
		c.IDPart = "eb"
	}
	if c.DirectoryFile == "" {
		c.DirectoryFile = company + "-banks.json"
	}
	return c
}
