// Package eidas reads and writes the eIDAS parts of a PSD2 certificate: the
// QcStatements extension and the organization identifier. The sandbox bank checks
// certificates with it, and the sandbox's certificate authority issues them.
//
// Source: ETSI TS 119 495 and EN 319 412-5; docs/reference/banks.md 9.1.
package eidas

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"slices"
)

// QcType is the purpose of a qualified certificate.
type QcType int

// The types of EN 319 412-5 that PSD2 uses. Unknown is the type of a certificate
// that states neither.
const (
	Unknown QcType = iota
	Seal           // eseal: a QSealC, which signs messages
	Web            // web: a QWAC, which identifies the TPP in TLS
)

// Role is a PSD2 role, by its name in certificates.
type Role string

// The four roles of TS 119 495.
const (
	AS Role = "PSP_AS" // account servicing
	PI Role = "PSP_PI" // payment initiation
	AI Role = "PSP_AI" // account information
	IC Role = "PSP_IC" // issuing of card-based instruments
)

// Statements is the content of the QcStatements extension.
type Statements struct {
	Type    QcType
	Roles   []Role // in the order of the certificate
	NCAName string // the competent authority's name, empty without a PSD2 statement
	NCAID   string // such as "SE-FINA"
}

// Has reports whether the certificate grants the role.
func (s Statements) Has(r Role) bool { return slices.Contains(s.Roles, r) }

// ErrNone is the error of Parse for a certificate without QcStatements.
var ErrNone = errors.New("it has no QcStatements extension")

// ErrMalformed is wrapped by every error about a QcStatements value that does not
// match its ASN.1 definition.
var ErrMalformed = errors.New("its QcStatements are malformed")

// ExtensionOID is the object identifier of the QcStatements extension.
var ExtensionOID = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 3}

// OrganizationOID is the subject attribute organizationIdentifier.
var OrganizationOID = asn1.ObjectIdentifier{2, 5, 4, 97}

// Parse returns the statements of a certificate. The error is ErrNone if there is
// no such extension, and wraps ErrMalformed if it cannot be parsed.
func Parse(cert *x509.Certificate) (Statements, error) {
	for _, ext := range cert.Extensions {
		if ext.Id.Equal(ExtensionOID) {
			return ParseDER(ext.Value)
		}
	}
	return Statements{}, ErrNone
}

// OrganizationIdentifier returns the subject's organizationIdentifier, such as
// "PSDSE-FINA-44059", or the empty string.
func OrganizationIdentifier(cert *x509.Certificate) string {
	for _, name := range cert.Subject.Names {
		if name.Type.Equal(OrganizationOID) {
			s, _ := name.Value.(string)
			return s
		}
	}
	return ""
}
