package obie

import "samla/internal/institution"

// Family returns the family of the banks that speak OBIE's Read/Write standard.
func Family() institution.Family {
	return institution.Family{Name: "obie", New: func() institution.Config { return &entry{} }}
}

// entry is a Config that can be opened.
type entry struct{ Config }

// Open implements institution.Config.
func (e *entry) Open(d institution.Deps) (institution.Institution, error) {
	b, err := New(e.Config, Deps{Deps: d})
	if err != nil {
		return institution.Institution{}, err
	}
	return b.Institution(), nil
}
