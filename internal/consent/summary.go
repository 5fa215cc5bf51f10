package consent

import "time"

// Summary is what a list shows of a consent (docs/reference/api.md 4.1).
type Summary struct {
	ID        ID
	Company   string
	Status    Status
	Requested Scope
	ExpiresAt time.Time // zero before the consent is authorized

	Renews, RenewedBy ID
}

// Summary returns what a list shows of c.
func (c Consent) Summary() Summary {
	return Summary{c.ID, c.Company, c.Status, c.Requested, c.ExpiresAt, c.Renews, c.RenewedBy}
}
