package nordea

import (
	"samla/internal/httpclient/httpsig"
	"samla/internal/institution"
)

// Family returns the family of Nordea's banks. They share the limit of signatures.
func Family(signatures *httpsig.Limit) institution.Family {
	return institution.Family{Name: "nordea", New: func() institution.Config { return &entry{signatures: signatures} }}
}

// entry is a Config with what the banks of the family share.
type entry struct {
	Config
	signatures *httpsig.Limit
}

// Open implements institution.Config.
func (e *entry) Open(d institution.Deps) (institution.Institution, error) {
	b, err := New(e.Config, Deps{Deps: d, Signatures: e.signatures})
	if err != nil {
		return institution.Institution{}, err
	}
	return b.Institution(), nil
}
