package collect

import (
	"cmp"
	"context"
	"time"

	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/store"
)

// The defaults of Deps.ReadTime and ReadTimeUnattended.
const (
	readTime           = 5 * time.Minute
	readTimeUnattended = 15 * time.Minute
)

// readTimeOf returns how long a collection may take from the moment at which it could
// begin to read.
func (s *Service) readTimeOf(c collection.Collection) time.Duration {
	if c.Attended {
		return s.ReadTime
	}
	return s.ReadTimeUnattended
}

// deadline returns when the reading of a collection ends, whatever the institution does:
// what is not answered by then is missing. The time begins when the collection and its
// authorized consent exist. It does not begin again with a run of the collection.
func (s *Service) deadline(c collection.Collection, under consent.Consent) time.Time {
	from := c.Began()
	if under.StatusChangedAt.After(from) {
		from = under.StatusChangedAt
	}
	return from.Add(s.readTimeOf(c))
}

// overdue returns which collections are overdue at the time now. A one-time collection, and
// a login that was resumed while data was read, may be counted although it is not yet.
func (s *Service) overdue(now time.Time) store.Overdue {
	return store.Overdue{Attended: now.Add(-s.ReadTime), Unattended: now.Add(-s.ReadTimeUnattended)}
}

// latestEnd returns when even a collection whose consent is signed at the last moment
// must have ended. It needs no consent.
func (s *Service) latestEnd(c collection.Collection) time.Time {
	end := c.Began().Add(s.readTimeOf(c))
	switch c.Mode {
	case collection.OneTime:
		profile := s.Institutions.Of(c.Company).Profile
		end = end.Add(cmp.Or(profile.Deadline, untoldDeadline))
	case collection.Dialogue:
		end = end.Add(s.limitsOf(c.Company).Total)
	}
	return end
}

// untoldDeadline is how long a person counts as signing at an institution that this node does
// not have. Another node may have it, and the person be signing there.
const untoldDeadline = time.Hour

// errOverdue is the error of a question that was not answered by the deadline. It is also
// the cause with which the context of the questions ends then.
var errOverdue = &institution.Error{Kind: institution.Unreachable}

// withDeadline returns a context that ends at the deadline, with the cause errOverdue.
func (c *crawl) withDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, c.until.Sub(c.Clock.Now()), errOverdue)
}

// overdue reports whether the deadline is over.
func (c *crawl) overdue() bool { return !c.Clock.Now().Before(c.until) }
