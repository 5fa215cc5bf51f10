package source

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"time"

	"samla/internal/company"
	"samla/internal/httpclient"
	"samla/internal/strictjson"
)

// Config holds the members of an entry of the institutions file that belong to this
// family. The least that a source needs, beside the common members:
//
//	{ "baseURL": "https://source.example/insurer", "secretFile": "insurer.secret" }
type Config struct {
	BaseURL string `json:"baseURL,omitzero"` // the part before /v1; http only on the loopback interface
	// The secret that identifies us (Authorization: Bearer) is the text of a file, or the value
	// of an environment variable.
	SecretFile     string       `json:"secretFile,omitzero"`
	SecretVariable string       `json:"secretVariable,omitzero"`
	Certificates   Certificates `json:"certificates,omitzero"`

	Institution string   `json:"institution,omitzero"` // its id at the source; "" = the company id
	Parameters  []string `json:"parameters,omitempty"` // what a login needs: the constants company.Needs*
	// AnyPersonalNumber: as company.Company.AnyPersonalNumber.
	AnyPersonalNumber bool     `json:"anyPersonalNumber,omitzero"`
	DeviceHosts       []string `json:"deviceHosts,omitempty"` // hosts that devices of persons may call, with a port if it is not 443

	PollInterval strictjson.Duration `json:"pollInterval,omitzero"` // least time between two questions for the turn; default: what the turn says
	Deadline     strictjson.Duration `json:"deadline,omitzero"`     // of the whole login; default 20 minutes
	Limits       Limits              `json:"limits,omitzero"`
}

// Certificates names PEM files. Relative paths start at the folder of the institutions file.
type Certificates struct {
	Cert   string `json:"cert,omitzero"` // identifies us in TLS
	Key    string `json:"key,omitzero"`
	CAFile string `json:"caFile,omitzero"` // CAs of the source's server; empty = the system's
}

// Limits are the time limits of exchanges. One that takes longer is ended here, and repeated
// with the same request id, while the source may go on with its work.
type Limits struct {
	Call strictjson.Duration `json:"call,omitzero"` // default 12 s, at most 15 s
	Page strictjson.Duration `json:"page,omitzero"` // of a page of data; default 14 s, at most 60 s
}

const (
	usualCall = 12 * time.Second
	usualPage = 14 * time.Second // a handler of a job has 15 seconds (package jobs)
)

func (l Limits) calls() time.Duration { return cmp.Or(time.Duration(l.Call), usualCall) }
func (l Limits) pages() time.Duration {
	return max(l.calls(), cmp.Or(time.Duration(l.Page), usualPage))
}

var (
	institutionRE = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$`)
	hostRE        = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[1-9][0-9]{0,4})?$`)
)

var parameters = []string{company.NeedsPersonalNumber, company.NeedsEmail, company.NeedsUserID}

// IsInstitution reports whether a text can be the id of an institution at a source.
func IsInstitution(id string) bool { return institutionRE.MatchString(id) }

// IsHost reports whether a text can be one of DeviceHosts.
func IsHost(host string) bool { return hostRE.MatchString(host) }

// Parameters returns what a login can need: the constants company.Needs*.
func Parameters() []string { return slices.Clone(parameters) }

// Check implements institution.Config.
func (c Config) Check() (faults strictjson.Faults) {
	if err := httpclient.ValidateBaseURL(c.BaseURL); err != nil {
		faults.Add("/baseURL", "must be the https address before /v1 (http only for this machine), without user, query and fragment")
	}
	switch {
	case c.SecretFile != "" && c.SecretVariable != "":
		faults.Add("/secretVariable", "is there beside secretFile: name one of them")
	case c.SecretFile == "" && c.SecretVariable == "" && c.Certificates.Cert == "":
		faults.Add("/secretFile", "is missing: name a file with the secret, a variable in secretVariable, or a certificate in /certificates")
	}
	if (c.Certificates.Cert == "") != (c.Certificates.Key == "") {
		faults.Add("/certificates/cert", "certificate and key go together: name both files")
	}
	if c.Institution != "" && !IsInstitution(c.Institution) {
		faults.Add("/institution", "must be the id of the institution at the source, of letters, digits and - _ .")
	}
	for i, p := range c.Parameters {
		if !slices.Contains(parameters, p) || slices.Contains(c.Parameters[:i], p) {
			faults.Add(fmt.Sprintf("/parameters/%d", i), fmt.Sprintf("must be one of %q, each once", parameters))
		}
	}
	for i, h := range c.DeviceHosts {
		if !IsHost(h) {
			faults.Add(fmt.Sprintf("/deviceHosts/%d", i), "must be a host in lower case, with a port if it is not 443")
		}
	}
	return append(faults, c.checkTimes()...)
}

func (c Config) checkTimes() (faults strictjson.Faults) {
	for _, m := range []struct {
		pointer string
		value   strictjson.Duration
		most    time.Duration
	}{
		{"/pollInterval", c.PollInterval, time.Minute}, {"/deadline", c.Deadline, time.Hour},
		{"/limits/call", c.Limits.Call, MaxCallTime}, {"/limits/page", c.Limits.Page, MaxPageTime},
	} {
		if d := time.Duration(m.value); d < 0 || d > m.most {
			faults.Add(m.pointer, fmt.Sprintf("must be at most %v", m.most))
		}
	}
	return faults
}
