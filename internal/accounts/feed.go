package accounts

import (
	"context"
	"time"

	"samla/internal/product"
	"samla/internal/store"
)

// Feed keeps the transactions of lasting accounts.
type Feed interface {
	// Plan computes what a change means for the transactions. It runs outside of a
	// transaction, so it may read the store, open and seal; it has no other effect, because
	// it runs again when another writer was first. Changes of one user never overlap: the
	// plan is stored only if no other change of the user's accounts was stored since they
	// were read.
	Plan(ctx context.Context, c FeedChange) (FeedPlan, error)
}

// FeedChange is a change of the accounts of a user.
type FeedChange struct {
	ClientID string
	UserID   string
	// Readings are what a collection has read of accounts, in the order of its products.
	Readings []FeedReading
	// Moved are links that a client has moved from one account to another by a merge or a
	// split. To may be a new account; From has no links left after a merge, and is deleted.
	Moved []FeedMove
	// Deleted are accounts that are deleted with the change: those that were merged into
	// another one, and one that the client deletes.
	Deleted []string
}

// FeedReading is what a collection has read of an account.
type FeedReading struct {
	AccountID    string
	LinkID       string // of the account (account.Link): the account as one institution has it
	New          bool   // the account is not stored yet
	CollectionID string
	At           time.Time // when the collection was completed
	// Late: a newer collection of the link was applied before. It must change no newer
	// state.
	Late    bool
	Company string
	Product product.Product // with its transactions, as the collection's data has it
	// From and Until are the days that were asked for, and Transactions whether the list
	// was read wholly (collection.ProductReport).
	From, Until  string
	Transactions bool
	BookedOnly   bool // pending transactions were not asked for
	// Was are transactions that the product had before the collection was read again from
	// its stored answers, and has not now.
	Was []product.Psd2Transaction
	// Gone reports whether a link of the account is closed, or not listed any more.
	Gone func(linkID string) bool
}

// FeedMove is a link that belongs to another account than before.
type FeedMove struct{ LinkID, From, To string }

// FeedPlan is what is to be stored with a change.
type FeedPlan struct {
	// News has, by account id, what has changed in the feed of an account. An account of
	// which nothing has changed may be left out.
	News map[string]FeedNews
	// More: the readings have more than one plan stores. When it is stored they are planned
	// again.
	More bool
	// Write stores the plan, in the transaction that stores the accounts, after these. It
	// does not seal or open, and may run more than once. With store.ErrConflict all is
	// planned again. Nil: nothing is to be stored.
	Write func(ctx context.Context, tx store.Tx) error
}

// FeedNews is what has changed in the feed of an account. Generation is 0 or that which
// the feed has now; it is kept with the account (account.Account.Generation).
type FeedNews struct {
	Generation               int64
	Added, Modified, Removed int
}

// noFeed keeps no transactions.
type noFeed struct{}

// Plan implements Feed.
func (noFeed) Plan(context.Context, FeedChange) (FeedPlan, error) { return FeedPlan{}, nil }
