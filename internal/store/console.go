package store

import (
	"context"
	"time"

	"samla/internal/audit"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/flow"
	"samla/internal/quota"
	"samla/internal/webhook"
)

// ConsoleReader reads what the operator's console shows, of all clients. Nothing that it
// returns is sealed or says which accounts a person has: ids, words of closed sets, times
// and counts. Lists are in pages; none of the methods runs a query for each row.
type ConsoleReader interface {
	// EndedSince counts how consents and collections have ended that were begun at the time
	// since or later, by company, word and span, which begins at a multiple of span. A
	// consent inside a one-time collection is not counted: its collection is.
	EndedSince(ctx context.Context, since time.Time, span time.Duration) ([]Ended, error)
	// StoppedSince says of each company since when what was begun at the time since or later
	// has ended with one of the words failed, after the last that has ended with none of
	// failed and ignored, and how many have failed.
	StoppedSince(ctx context.Context, since time.Time, failed, ignored []string) ([]Stopped, error)

	// Journeys lists links to the connect page with the flows that they became, newest first.
	Journeys(ctx context.Context, f JourneyFilter, p Page) ([]Journey, error)
	// JourneyGroups counts links that were made in [from, to), of one client or of all, by
	// where they stand. A link that was not opened is open if it is still valid at to.
	JourneyGroups(ctx context.Context, from, to time.Time, clientID string) ([]JourneyGroup, error)
	// ConsentRows and CollectionRows list consents and collections, newest first.
	ConsentRows(ctx context.Context, f RowFilter, p Page) ([]ConsentRow, error)
	CollectionRows(ctx context.Context, f RowFilter, p Page) ([]CollectionRow, error)
	// AuditEntriesOf lists the entries about a user, newest first, chained or not.
	AuditEntriesOf(ctx context.Context, userID string, p Page) ([]audit.Entry, error)

	// EndingConsents lists authorized consents that end in (after.At, until], by their end;
	// rows with the same end follow each other by id, after after.ID.
	EndingConsents(ctx context.Context, f RowFilter, after Moment, until time.Time, limit int) ([]ConsentRow, error)
	// CountEnding counts the authorized consents that end in (from, until], and those of
	// whose end their clients were told.
	CountEnding(ctx context.Context, from, until time.Time) (all, told int, err error)
	// ScheduleRows lists schedules, the newest lineage first. Of a RowFilter, In has words
	// of quota.PlanState or quota.Reason.
	ScheduleRows(ctx context.Context, f RowFilter, p Page) ([]quota.Schedule, error)

	// EndpointRows lists endpoints of webhooks, newest first, with the deliveries that wait
	// and the attempts since the time since. Sealed is empty. In has words of webhook.State.
	EndpointRows(ctx context.Context, f RowFilter, since time.Time, p Page) ([]EndpointRow, error)
	// ParkedRows lists parked rows of a queue that were parked after the moment after,
	// longest parked first.
	ParkedRows(ctx context.Context, q Queue, after Moment, limit int) ([]ParkedJob, error)
}

// Moment is a place in a list that is ordered by time and id.
type Moment struct {
	At time.Time
	ID string
}

// Ended counts what has ended with a word in a span of time.
type Ended struct {
	Company string
	Word    string // of consent.FailureCode, collection.Status, or AUTHORIZED
	Start   time.Time
	N       int
	Persons int // distinct; what belongs to no user counts as one each
}

// Stopped says how many were stopped at a company.
type Stopped struct {
	Company      string
	Since        time.Time // of the first failure after the last success; zero: the last one succeeded
	N            int       // failures in the whole time
	Persons      int       // distinct, in the whole time
	PersonsSince int       // distinct, after the last success
}

// RowFilter selects rows of all clients. Zero members do not restrict.
type RowFilter struct {
	ClientID, Company, UserID string
	In                        []string // statuses
}

// JourneyFilter selects journeys.
type JourneyFilter struct {
	RowFilter    // In: states of the flow; "" for a link that was not opened
	LinkID       string
	FlowID       string
	ConsentID    consent.ID // of the user UserID, by whom it is found; without one nothing is
	CollectionID string     // as ConsentID
}

// Journey is a link to the connect page and the flow that it became.
type Journey struct {
	LinkID, ClientID, UserID string
	CreatedAt, ExpiresAt     time.Time
	OpenedAt                 time.Time // zero: not opened; what follows is empty then
	FlowID                   string
	Terms                    flow.Terms // of the link
	JourneyGroup
	Method           string
	OnDevice         bool
	ConsentID        consent.ID
	CollectionID     string
	StateAt, SeenAt  time.Time
	ConsentChangedAt time.Time // zero: there is no consent
	CollectionAt     time.Time // when the collection was begun; zero: there is none
	CollectionDoneAt time.Time // when it has changed last
}

// JourneyGroup says where some journeys stand. N is their number, 1 for one Journey.
type JourneyGroup struct {
	Company    string // empty: none was chosen
	Opened     bool
	Open       bool // not opened, and it still can be; of groups only
	State      flow.State
	Started    bool // an approval or a login
	Signed     bool // the person has approved
	Consent    consent.Status
	Failure    consent.FailureCode // of the consent
	Collection collection.Status
	N          int
}

// ConsentRow is a consent as the console lists it.
type ConsentRow struct {
	ID                             consent.ID
	ClientID, UserID, CollectionID string
	Company, Method                string
	Status                         consent.Status
	Failure                        consent.FailureCode
	CreatedAt, StatusChangedAt     time.Time
	ExpiresAt, WarnedAt            time.Time // WarnedAt: the end of which the client was told
	Lineage, Renews, RenewedBy     consent.ID
	Parked                         bool
}

// CollectionRow is a collection as the console lists it.
type CollectionRow struct {
	ID, ClientID, UserID       string
	ConsentID                  consent.ID
	Company, Method, Version   string
	Mode                       collection.Mode
	Attended                   bool
	Status                     collection.Status
	CreatedAt, StatusChangedAt time.Time
	Parked                     bool
}

// EndpointRow is an endpoint of webhooks with what it has done.
type EndpointRow struct {
	webhook.Endpoint
	Waiting int // pending deliveries
	// Of the attempts since a time:
	Attempts, Failed int
	Took             time.Duration // on average
	LastAt           time.Time
}
