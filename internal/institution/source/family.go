package source

import "samla/internal/institution"

// Family returns the family of the sources.
func Family() institution.Family {
	return institution.Family{Name: "source", New: func() institution.Config { return new(Config) }}
}

// Open implements institution.Config.
func (c *Config) Open(d institution.Deps) (institution.Institution, error) {
	s, err := New(*c, d)
	if err != nil {
		return institution.Institution{}, err
	}
	return s.Institution(), nil
}
