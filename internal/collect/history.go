package collect

import (
	"cmp"
	"time"

	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/psu"
)

// longHistoryAfterSCA is how long after a signature an institution returns the long
// history without a new one, if its profile says nothing else (FullHistory).
const longHistoryAfterSCA = 15 * time.Minute

// historyFrom returns the first booking date to ask for, YYYY-MM-DD: the long history
// right after the signature, otherwise the part that needs no new authentication (RTS
// art. 10a). A bank that does not get the address of the person takes a read for one
// without the person, so it is asked for that part only. The day is the same in every run
// of a collection.
func historyFrom(c collection.Collection, under consent.Consent, p institution.Profile, person psu.Context) string {
	days := p.HistoryUnattended
	signed := under.SCAExpiresAt.Add(-consent.MaxSCAAge)
	if person.Attended() && c.StatusChangedAt.Sub(signed) < cmp.Or(p.FullHistory, longHistoryAfterSCA) {
		days = p.HistoryAttended
	}
	return c.Began().UTC().AddDate(0, 0, -days).Format(time.DateOnly)
}
