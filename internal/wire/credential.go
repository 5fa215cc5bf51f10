package wire

import (
	"errors"
	"fmt"

	"samla/internal/jsontext"
)

// Credential is a set of kinds of credentials (docs/reference/api.md 1.3). An
// operation accepts any kind of its set.
type Credential uint8

// The kinds of credentials, and their union.
const (
	None    Credential = 0
	APIKey  Credential = 1 << 0 // header authorization-token
	Session Credential = 1 << 1 // header Authorization: Bearer
	Either             = APIKey | Session
)

// Has reports whether every kind in k is in c.
func (c Credential) Has(k Credential) bool { return c&k == k }

// readSecurity reads the security of an operation. A missing list and an unknown
// scheme are errors: if they were ignored, everyone could call the operation.
func (d document) readSecurity(at string) (Credential, error) {
	list, ok := d.node(at).([]any)
	if !ok {
		return None, errors.New("no security")
	}
	c := None
	for _, entry := range list {
		schemes, _ := entry.(map[string]any)
		for name := range schemes {
			scheme := "/components/securitySchemes/" + jsontext.EscapeToken(name)
			switch {
			case d.text(scheme+"/type") == "apiKey" && d.text(scheme+"/in") == "header":
				c |= APIKey
			case d.text(scheme+"/type") == "http" && d.text(scheme+"/scheme") == "bearer":
				c |= Session
			default:
				return None, fmt.Errorf("unknown security scheme %q", name)
			}
		}
	}
	return c, nil
}
