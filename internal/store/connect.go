package store

import (
	"context"
	"time"

	"samla/internal/flow"
)

// ConnectReader reads the links and flows of the connect page, and the origins of pages that
// may frame it.
type ConnectReader interface {
	// ConnectLink reads a link of a client.
	ConnectLink(ctx context.Context, clientID, id string) (flow.Link, error)
	// ConnectLinkByHash finds a link of any client by the hash of its secret.
	ConnectLinkByHash(ctx context.Context, hash string) (flow.Link, error)
	// ConnectFlow reads a flow of any client: the caller compares its secret.
	ConnectFlow(ctx context.Context, id string) (flow.Flow, error)
	// ReadingFlows lists the flows in flow.Reading that were seen at the time since or later,
	// by their ids, at most limit and only those with an id above after (empty = from the
	// start).
	ReadingFlows(ctx context.Context, since time.Time, after string, limit int) ([]flow.Flow, error)
	// FrameOrigins lists the origins that a client has registered, sorted.
	FrameOrigins(ctx context.Context, clientID string) ([]string, error)
}

// ConnectWriter writes them.
type ConnectWriter interface {
	// AddConnectLink stores a link. Errors: ErrExists when the id or the hash is taken.
	AddConnectLink(ctx context.Context, l flow.Link) error
	// OpenConnectLink stores OpenedAt, FlowID and Sealed of a link that was not opened yet.
	// Errors: ErrNotFound; ErrConflict when it was opened meanwhile.
	OpenConnectLink(ctx context.Context, l flow.Link) error
	// AddConnectFlow stores a flow. Errors: ErrExists when the id is taken.
	AddConnectFlow(ctx context.Context, f flow.Flow) error
	// PutConnectFlow is a compare-and-swap on f.Rev. It stores Rev+1 and returns it in the
	// flow handed back. What flow.Flow.Same does not compare, the state's time excepted, never
	// changes, and SeenAt is not written. Errors: ErrNotFound, ErrConflict.
	PutConnectFlow(ctx context.Context, f flow.Flow) (flow.Flow, error)
	// RecordFlowSeen records that a flow was seen at the time at. Rev does not change, and an
	// earlier time than the stored one has no effect. Errors: ErrNotFound.
	RecordFlowSeen(ctx context.Context, id string, at time.Time) error
	// EraseConnect deletes up to limit links, and as many flows, of a user, and returns how
	// many rows. It is called until it returns 0.
	EraseConnect(ctx context.Context, clientID, userID string, limit int) (n int, err error)
	// SweepConnect deletes up to limit links, and as many flows, that were made before the
	// time before, and empties Sealed of as many flows that were not seen since idle, and of links that
	// ended before idle. It returns how many rows.
	SweepConnect(ctx context.Context, before, idle time.Time, limit int) (n int, err error)
	// AddFrameOrigin registers an origin. Errors: ErrExists.
	AddFrameOrigin(ctx context.Context, clientID, origin string, at time.Time) error
	// DeleteFrameOrigin takes it back. Errors: ErrNotFound.
	DeleteFrameOrigin(ctx context.Context, clientID, origin string) error
}

// UpdateConnectFlow changes one flow, as UpdateConsent does a consent. Change returns
// ErrUnchanged for a flow that is the same.
func UpdateConnectFlow(ctx context.Context, s interface {
	ConnectReader
	Transactor
}, id string, change Change[flow.Flow]) (flow.Flow, error) {
	read := func() (flow.Flow, error) { return s.ConnectFlow(ctx, id) }
	put := func(tx Tx, old, next flow.Flow) (flow.Flow, error) {
		next.Rev = old.Rev
		return tx.PutConnectFlow(ctx, next)
	}
	return update(ctx, s, read, put, change)
}
