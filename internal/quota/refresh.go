package quota

import (
	"time"

	"samla/internal/consent"
)

// Refresh is what a client has asked for: the refresh plan of a user.
type Refresh struct {
	ClientID  string
	UserID    string
	PerDay    int          // MinPerDay to MaxPerDay
	Lineages  []consent.ID // nil = all consents of the user, also those that follow
	CreatedAt time.Time
	UpdatedAt time.Time
}
