package enablebanking

import (
	"errors"

	"samla/internal/institution"
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
// last.
func (c *Config) OpenAll(d institution.Deps, taken func(string) bool) ([]institution.Institution, error) {
	g, err := New(*c, d)
	if err != nil {
		return nil, err
	}
	if err := g.Load(); err != nil {
		g.Close()
		return nil, err
	}
	return g.Institutions(taken), nil
}
