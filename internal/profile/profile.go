// Package profile knows what public sources say about real banks and gateways, how sure
// that is, and which entry of the institutions file follows of it. The data is in the
// folder profiles; nothing of it was tried against a real bank.
package profile

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"samla/internal/strictjson"
	"samla/profiles"
)

// Mark says how sure a fact is (docs/reference/families.md 0).
type Mark string

// The marks, the surest first.
const (
	Tried       Mark = "V" // tried here, against a file or a foreign implementation
	Seen        Mark = "S" // seen in the text or file of the bank, the gateway or the standard body
	ThirdParty  Mark = "T" // from a third party
	Unconfirmed Mark = "U" // inferred, old, or from one weak source
)

const marks = "VSTU"

// Words returns the mark in words.
func (m Mark) Words() string {
	switch m {
	case Tried:
		return "tried"
	case Seen:
		return "seen"
	case ThirdParty:
		return "third party"
	}
	return "unconfirmed"
}

// weaker returns the less sure of two marks; an empty one does not count.
func weaker(a, b Mark) Mark {
	if strings.Index(marks, string(b)) > strings.Index(marks, string(a)) {
		return cmp.Or(b, a)
	}
	return cmp.Or(a, b)
}

// Claim is a fact in a few letters: yes, no, unknown, or a text.
type Claim struct {
	Value  string   `json:"value"`
	Mark   Mark     `json:"mark"`
	Source []string `json:"source"`
	Note   string   `json:"note"`
}

// Fact is something that a source says.
type Fact struct {
	About  string   `json:"about"`
	Text   string   `json:"text"`
	Mark   Mark     `json:"mark"`
	Source []string `json:"source"`
	Sets   []string `json:"sets"` // JSON pointers to what follows of it in the entry
}

// Need is a member of the entry that only the operator has.
type Need struct {
	At     string `json:"at"`     // JSON pointer into the entry
	What   string `json:"what"`   // such as "the client id of your application in the bank's portal"
	Sample string `json:"sample"` // a value of the right form
}

// Via is a gateway that reaches a bank.
type Via struct {
	Gateway string   `json:"gateway"` // its company
	Mark    Mark     `json:"mark"`
	Source  []string `json:"source"`
}

// Capability is something that a bank can do.
type Capability string

// Capabilities lists all capabilities in the order of the tables.
func Capabilities() []Capability {
	return []Capability{"redirect", "decoupled", "accounts", "balances", "transactions", "cards", "history", "unattended", "consent", "revocation"}
}

// Profile is what is known of a bank or a gateway.
type Profile struct {
	Schema       string               `json:"$schema"`
	Company      string               `json:"company"` // the id in Samla
	Name         string               `json:"name"`
	Country      string               `json:"country"` // ISO 3166-1; EU for a gateway
	Kind         string               `json:"kind"`    // bank or gateway
	BIC          *Claim               `json:"bic"`
	Family       string               `json:"family"` // "" = none is planned
	LoginMethods []string             `json:"loginMethods"`
	Entry        json.RawMessage      `json:"entry"` // nil = it cannot be added yet
	Needs        []Need               `json:"needs"`
	Capabilities map[Capability]Claim `json:"capabilities"` // what is absent is not known
	Facts        []Fact               `json:"facts"`
	Via          []Via                `json:"via"`
	Open         []string             `json:"open"`
	// Unreached says why no family of ours reaches the bank although its API is known; nil: it
	// is not known, or it can be added.
	Unreached *Claim `json:"unreached"`
}

// All returns every profile, by country and name. The slice is shared: it must not be
// changed.
var All = sync.OnceValue(func() []Profile {
	all, err := read(profiles.Files)
	if err != nil {
		panic(err) // the data is part of the program, and a test reads it
	}
	return all
})

func read(files fs.FS) ([]Profile, error) {
	names, err := fs.Glob(files, "*.json")
	if err != nil {
		return nil, err
	}
	var all []Profile
	for _, name := range names {
		if name == "schema.json" {
			continue
		}
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		var p Profile
		if faults := strictjson.Decode(data, &p); len(faults) > 0 {
			return nil, faults.In(name)
		}
		if name != p.Company+".json" {
			return nil, fmt.Errorf("%s: the company is %s", name, p.Company)
		}
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b Profile) int {
		return cmp.Or(strings.Compare(a.Country, b.Country), strings.Compare(a.Name, b.Name), strings.Compare(a.Company, b.Company))
	})
	return all, nil
}

// Find returns the profile of a company, and reports whether there is one.
func Find(company string) (Profile, bool) {
	i := slices.IndexFunc(All(), func(p Profile) bool { return p.Company == company })
	if i < 0 {
		return Profile{}, false
	}
	return All()[i], true
}

// Sure returns how sure a profile is: the weakest mark of what the entry follows of, or of
// the capabilities if there is no entry. Without either it is unconfirmed.
func (p Profile) Sure() Mark {
	var sure Mark
	if p.Entry != nil {
		for _, f := range p.Facts {
			if len(f.Sets) > 0 {
				sure = weaker(sure, f.Mark)
			}
		}
	}
	if sure == "" {
		for _, c := range p.Capabilities {
			if c.Value != "unknown" {
				sure = weaker(sure, c.Mark)
			}
		}
	}
	return cmp.Or(sure, Unconfirmed)
}
