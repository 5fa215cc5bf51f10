package collect

import (
	"time"

	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/institution"
)

// signedLately is how long after the person signed an institution gives the long
// history without asking them again.
const signedLately = 15 * time.Minute

// historyFrom is the first booking date asked for, YYYY-MM-DD: the long history
// right after the person signed, else what needs no new authentication (RTS art.
// 10a). It depends on the collection only, so that every run asks the same.
func historyFrom(c collection.Collection, under consent.Consent, p institution.Profile) string {
	days := p.HistoryUnattended
	signed := under.SCAExpiresAt.Add(-consent.MaxSCAAge)
	if c.Attended && c.StatusChangedAt.Sub(signed) < signedLately {
		days = p.HistoryAttended
	}
	return c.CreatedAt.UTC().AddDate(0, 0, -days).Format(time.DateOnly)
}
