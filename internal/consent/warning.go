package consent

import "time"

// WarnAhead is the default of how long before the end of its validity the client of a
// consent is warned (docs/reference/api.md 4.7).
const WarnAhead = 7 * 24 * time.Hour

// WarnAt returns when the client is told that the validity of an authorized consent ends
// soon: ahead of the end, but not in the first half of the validity, so that a short
// consent is not warned of at once. It is zero if there is nothing to tell: the consent
// is not authorized, lives inside a one-time collection, or its client was told of this
// end already. A time in the past means now.
func (c Consent) WarnAt(ahead time.Duration) time.Time {
	if c.Status != Authorized || c.CollectionID != "" || c.Warned.Equal(c.ExpiresAt) {
		return time.Time{}
	}
	return c.ExpiresAt.Add(-min(ahead, c.ExpiresAt.Sub(c.StatusChangedAt)/2))
}

// WarnsNow reports whether the client is to be told now. Once the validity is over, the
// end itself is told.
func (c Consent) WarnsNow(ahead time.Duration, now time.Time) bool {
	at := c.WarnAt(ahead)
	return !at.IsZero() && !now.Before(at) && now.Before(c.ExpiresAt)
}
