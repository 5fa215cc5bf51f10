package enablebanking

import (
	"errors"

	"samla/internal/institution"
	"samla/internal/strictjson"
)

// Family returns the family of gateways: one entry opens many banks.
func Family() institution.Family {
	return institution.Family{Name: "enablebanking", New: func() institution.Config { return &Config{} }}
}

var _ institution.ManyConfig = (*Config)(nil)

var errMany = errors.New("enablebanking: an entry is opened with all of its banks")

// Open implements institution.Config. It is not called: OpenAll is.
func (c *Config) Open(institution.Deps) (institution.Institution, error) {
	return institution.Institution{}, errMany
}

// OpenAll implements institution.ManyConfig. The list of banks is the one that was kept
// last. One without a bank of the countries is a fault.
func (c *Config) OpenAll(d institution.Deps, taken func(string) bool) ([]institution.Institution, error) {
	g, err := New(*c, d)
	if err != nil {
		return nil, err
	}
	if err := g.Load(); err != nil {
		g.Close()
		return nil, err
	}
	all := g.Institutions(taken)
	if len(all) == 0 { // nothing would ever renew the list
		g.Close()
		var faults strictjson.Faults
		faults.Add("/countries", "the list of banks has none of these countries: run samla gateway enablebanking refresh")
		return nil, faults
	}
	return all, nil
}
