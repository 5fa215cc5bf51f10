package eidas

import (
	"encoding/asn1"
	"fmt"
)

var (
	oidQcType = asn1.ObjectIdentifier{0, 4, 0, 1862, 1, 6}
	oidPSD2   = asn1.ObjectIdentifier{0, 4, 0, 19495, 2}

	typeOIDs = map[QcType]asn1.ObjectIdentifier{
		Seal: {0, 4, 0, 1862, 1, 6, 2},
		Web:  {0, 4, 0, 1862, 1, 6, 3},
	}
	roleOIDs = map[Role]asn1.ObjectIdentifier{
		AS: {0, 4, 0, 19495, 1, 1},
		PI: {0, 4, 0, 19495, 1, 2},
		AI: {0, 4, 0, 19495, 1, 3},
		IC: {0, 4, 0, 19495, 1, 4},
	}
)

type qcStatement struct {
	ID   asn1.ObjectIdentifier
	Info asn1.RawValue `asn1:"optional"`
}

type psd2Role struct {
	ID   asn1.ObjectIdentifier
	Name string `asn1:"utf8"`
}

type psd2Statement struct {
	Roles   []psd2Role
	NCAName string `asn1:"utf8"`
	NCAID   string `asn1:"utf8"`
}

// ParseDER parses the value of the QcStatements extension. It ignores statements of
// other kinds. It identifies a role by its object identifier, ignores the role's
// name, and ignores roles other than the four. Errors wrap ErrMalformed.
func ParseDER(der []byte) (Statements, error) {
	var list []qcStatement
	if rest, err := asn1.Unmarshal(der, &list); err != nil {
		return Statements{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	} else if len(rest) > 0 {
		return Statements{}, fmt.Errorf("%w: %d bytes after the end", ErrMalformed, len(rest))
	}
	var out Statements
	for _, s := range list {
		switch {
		case s.ID.Equal(oidQcType):
			t, err := parseType(s.Info.FullBytes)
			if err != nil {
				return Statements{}, err
			}
			out.Type = t
		case s.ID.Equal(oidPSD2):
			if err := out.parsePSD2(s.Info.FullBytes); err != nil {
				return Statements{}, err
			}
		}
	}
	return out, nil
}

func parseType(der []byte) (QcType, error) {
	var ids []asn1.ObjectIdentifier
	if rest, err := asn1.Unmarshal(der, &ids); err != nil || len(rest) > 0 {
		return Unknown, fmt.Errorf("%w: QcType", ErrMalformed)
	}
	for _, id := range ids {
		for t, oid := range typeOIDs {
			if id.Equal(oid) {
				return t, nil
			}
		}
	}
	return Unknown, nil
}

func (s *Statements) parsePSD2(der []byte) error {
	var p psd2Statement
	if rest, err := asn1.Unmarshal(der, &p); err != nil || len(rest) > 0 {
		return fmt.Errorf("%w: PSD2 statement", ErrMalformed)
	}
	s.Roles, s.NCAName, s.NCAID = nil, p.NCAName, p.NCAID
	for _, r := range p.Roles {
		for name, oid := range roleOIDs {
			if r.ID.Equal(oid) {
				s.Roles = append(s.Roles, name)
			}
		}
	}
	return nil
}

// Marshal returns the value of the QcStatements extension: the QcType statement
// unless the type is Unknown, and the PSD2 statement if there is a role or an
// authority. It fails on a role other than the four and on text that is not UTF-8.
func (s Statements) Marshal() ([]byte, error) {
	var list []qcStatement
	add := func(id asn1.ObjectIdentifier, v any) error {
		der, err := asn1.Marshal(v)
		if err != nil {
			return fmt.Errorf("eidas: marshal: %w", err)
		}
		list = append(list, qcStatement{ID: id, Info: asn1.RawValue{FullBytes: der}})
		return nil
	}
	if oid, ok := typeOIDs[s.Type]; ok {
		if err := add(oidQcType, []asn1.ObjectIdentifier{oid}); err != nil {
			return nil, err
		}
	}
	if len(s.Roles) > 0 || s.NCAName != "" || s.NCAID != "" {
		p := psd2Statement{NCAName: s.NCAName, NCAID: s.NCAID, Roles: []psd2Role{}}
		for _, r := range s.Roles {
			oid, ok := roleOIDs[r]
			if !ok {
				return nil, fmt.Errorf("eidas: unknown role %q", r)
			}
			p.Roles = append(p.Roles, psd2Role{ID: oid, Name: string(r)})
		}
		if err := add(oidPSD2, p); err != nil {
			return nil, err
		}
	}
	der, err := asn1.Marshal(list)
	if err != nil {
		return nil, fmt.Errorf("eidas: marshal: %w", err)
	}
	return der, nil
}
