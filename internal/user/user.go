// Package user owns users: the persons whose data is collected, as a client registers
// them. A user has an id of ours and an id of the client, and can be anonymized.
package user

import (
	"time"
	"unicode"
	"unicode/utf8"

	"samla/internal/fault"
)

// User is a person of one client (docs/reference/api.md 3.1).
type User struct {
	ID           string // UUID, userUuid on the wire
	ClientID     string
	ExternalID   string // the client's own id; empty once anonymized
	CreatedAt    time.Time
	UpdatedAt    time.Time
	AnonymizedAt time.Time // zero until the user is deleted
}

// Anonymized reports whether the user was deleted.
func (u User) Anonymized() bool { return !u.AnonymizedAt.IsZero() }

// Anonymize returns the user as it is after deletion (docs/reference/api.md 3.4). Deleting
// twice changes nothing; changed reports whether this call did.
func (u User) Anonymize(now time.Time) (after User, changed bool) {
	if u.Anonymized() {
		return u, false
	}
	u.ExternalID, u.UpdatedAt, u.AnonymizedAt = "", now, now
	return u, true
}

// MaxExternalID is the maximum length of an externalId in characters (docs/reference/api.md 3.2).
const MaxExternalID = 255

// CheckExternalID returns an InvalidParameter fault with the given pointer when
// id breaks the rules of docs/reference/api.md 3.2, else nil.
func CheckExternalID(id, pointer string) *fault.Fault {
	switch {
	case id == "":
		return fault.Param(pointer, fault.Required, "must not be empty")
	case !utf8.ValidString(id):
		return fault.Param(pointer, fault.Invalid, "must be valid UTF-8")
	case utf8.RuneCountInString(id) > MaxExternalID:
		return fault.Param(pointer, fault.TooLong, "must have at most 255 characters")
	}
	for _, r := range id {
		if unicode.IsControl(r) {
			return fault.Param(pointer, fault.Invalid, "must not contain control characters")
		}
	}
	return nil
}
