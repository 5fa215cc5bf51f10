package collection

import "time"

// Summary is what a list shows of a collection (docs/reference/api.md 5.4).
type Summary struct {
	ID          string
	Company     string
	CreatedAt   time.Time
	LoginMethod string
	Status      Status
}

// Summary returns what a list shows of c.
func (c Collection) Summary() Summary {
	return Summary{c.ID, c.Company, c.CreatedAt, c.LoginMethod, c.Status}
}
