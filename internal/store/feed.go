package store

import (
	"context"
	"time"

	"samla/internal/consent"
	"samla/internal/ledger"
)

// FeedHead is the state of an account's transaction feed. Its times and texts are
// sealed by the service.
type FeedHead struct {
	AccountID  string
	UserID     string
	Generation int64
	Pos        int64  // of the last row that was written
	Swept      int64  // of the last tombstone that was swept
	Rev        int64  // grows with each change; 0: there is no feed yet
	Parent     string // the account that this one was merged into; empty: none
	Sealed     []byte // the lead
	Key        []byte // the user's sealed key of marks and cursors; read only
	// Lineages are the consents through which the account was seen; only AccountFeed reads them.
	Lineages []consent.ID
}

// FeedRow is one transaction of a feed.
type FeedRow struct {
	ledger.Row       // of the item, Day is not stored, and Ref neither
	Pos        int64 // of its last change
	Born       int64 // the position at which it was added, or came back
	RemovedAt  time.Time
	DayMark    int64  // the keyed digest of its day; 0: none
	Source     string // the account's link that told of it first
	Sealed     []byte // empty for a row that was removed
}

// FeedReader reads feeds.
type FeedReader interface {
	// Feed returns the head of an account's feed. Errors: ErrNotFound, also after the
	// account was deleted.
	Feed(ctx context.Context, accountID string) (FeedHead, error)
	// AccountFeed returns the head of the feed of a client's account, with the account's id,
	// user and lineages, and Rev 0 if it has no feed. Errors: ErrNotFound when the client has no
	// such account.
	AccountFeed(ctx context.Context, clientID, accountID string) (FeedHead, error)
	// FeedKey returns the sealed key of a user's feeds. Errors: ErrNotFound.
	FeedKey(ctx context.Context, userID string) ([]byte, error)
	// FeedPage returns up to limit rows of an account's feed with a position greater than
	// after, in the order of their positions, with ID, Removed, Pos, Born and Sealed. Rows that were
	// removed at a position up to base are left out. The rows are those of one moment: a
	// follower that goes on after the last one misses none, because positions are
	// committed in their order.
	FeedPage(ctx context.Context, accountID string, after, base int64, limit int) ([]FeedRow, error)
	// FeedRows returns the rows of an account with one of the day marks, or all rows if
	// days is nil, without Sealed and in no particular order.
	FeedRows(ctx context.Context, accountID string, days []int64) ([]FeedRow, error)
	// MergedFeeds returns the account ids of the feeds that were merged into an account's,
	// in their order.
	MergedFeeds(ctx context.Context, accountID string) ([]string, error)
}

// FeedWriter writes feeds.
type FeedWriter interface {
	// AddFeedKey stores a user's key, unless there is one, and returns the one that is
	// stored afterwards.
	AddFeedKey(ctx context.Context, userID string, sealed []byte) ([]byte, error)
	// PutFeed stores a head, with Rev as it was read, and then rows, each in place of the one with its
	// id. It is a compare-and-swap on Rev, which grows; it locks the feed until the
	// transaction ends. Errors: ErrConflict.
	PutFeed(ctx context.Context, head FeedHead, rows []FeedRow) error
	// MoveFeedRows gives the rows with the ids to another account's feed, with the
	// positions that they have plus shift. Call PutFeed of both before.
	MoveFeedRows(ctx context.Context, to string, shift int64, ids []string) error
	// AdoptFeeds makes the feeds that were merged into an account children of another one,
	// into which that account is merged.
	AdoptFeeds(ctx context.Context, from, to string) error
	// RestartFeeds gives every feed another generation, at least that of the time: all
	// followers start again. A restore does it, with the time of the restore.
	RestartFeeds(ctx context.Context, now time.Time) error
	// DropFeeds drops the feeds of accounts that are deleted, but for those that were
	// merged into another one, and those that were merged into these. They are not found
	// any more; EraseDroppedFeeds deletes their rows.
	DropFeeds(ctx context.Context, accountIDs []string, at time.Time) error
	// EraseDroppedFeeds deletes up to limit rows of dropped feeds, and the feeds that have
	// none left. It is called until it returns 0.
	EraseDroppedFeeds(ctx context.Context, limit int) (n int, err error)
	// EraseFeedsOfUser drops all feeds of a user, and deletes the key.
	EraseFeedsOfUser(ctx context.Context, userID string, at time.Time) error
	// SweepFeeds deletes up to limit rows that were removed before a time, and returns how
	// many. Cursors from before are found to be too old by FeedHead.Swept.
	SweepFeeds(ctx context.Context, before time.Time, limit int) (n int, err error)
}
