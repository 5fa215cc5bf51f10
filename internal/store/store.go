// Package store is the port for everything that must survive: one small
// interface per entity, each in its own file. The comments are the contract, and
// package storetest checks every engine against it.
//
// Reader composes what can be read inside and outside of a transaction, Tx adds
// what a transaction can write, and Store is one database. UpdateConsent,
// UpdateCollection and UpdateUser change the state of one row with the retry of
// a lost compare-and-swap inside.
package store

import (
	"context"
	"errors"

	"samla/internal/seal"
)

var (
	// ErrNotFound means that the scope that was asked for has no such row.
	ErrNotFound = errors.New("store: not found")
	// ErrConflict means that a compare-and-swap lost: the row is no longer what
	// the caller has read.
	ErrConflict = errors.New("store: the row has changed")
	// ErrExists means that a row with this key exists already.
	ErrExists = errors.New("store: exists already")
)

// Store is one database. It is safe for concurrent use. Reads outside of Write
// see the last committed state.
type Store interface {
	Reader
	StatusReader
	Transactor
	UserCreator
	EventSignal
	AccessRecorder
	Jobs
	Epochs
	seal.Keys

	// Kind names the engine: "sqlite" or "postgres".
	Kind() string
	// Ping returns an error if the database does not answer, or if its disk was full at
	// the last write and still is.
	Ping(ctx context.Context) error
	Close() error
}

// Transactor runs transactions.
type Transactor interface {
	// Write runs fn in one transaction and commits it when fn returns nil. An
	// error of fn rolls everything back and is returned as it is. fn may run more
	// than once and must do nothing outside of the transaction. When Write returns
	// nil, the state is on disk.
	//
	// What Write returns, success or error of fn, rests on committed rows only:
	// after ErrExists a read finds the row that was in the way, after ErrConflict
	// it finds the newer one. When the commit of rows that fn has read fails, Write
	// returns the error of the commit instead.
	Write(ctx context.Context, fn func(Tx) error) error
}

// Reader reads. Every method that takes a clientID sees the rows of this client
// only and returns ErrNotFound for all others. Inside a transaction it sees the
// transaction's own writes.
type Reader interface {
	InstallationReader
	ClientReader
	APIKeyReader
	ReturnURLReader
	UserReader
	ConsentReader
	CollectionReader
	RawAnswerReader
	ProductReader
	FeedReader
	AccountReader
	OutboxReader
	DialogueReader
	PlanReader
	SigningKeyReader
	AuditReader
	AvailabilityReader
	ConnectReader
	EventReader
	WebhookReader
	VisitReader
	ConsoleReader
	UsageReader
	OperatorReader
}

// Tx writes. All of it is undone when the transaction does not commit. The
// transaction can go on after ErrConflict, ErrExists and ErrNotFound.
type Tx interface {
	Reader
	ClientWriter
	APIKeyWriter
	ReturnURLWriter
	UserWriter
	ConsentWriter
	CollectionWriter
	RawAnswerWriter
	ProductWriter
	FeedWriter
	AccountWriter
	OutboxWriter
	DialogueWriter
	PlanWriter
	SigningKeyWriter
	AuditWriter
	EventWriter
	WebhookWriter
	VisitWriter
	OperatorWriter
	IdempotencyWriter
	AvailabilityWriter
	UsageWriter
	ConnectWriter
	Eraser
}

// Page selects a part of a list that is ordered from new to old: at most Limit
// rows, only those older than the row with the id After (empty = from the start).
// Ids are UUIDs of version 7, so their order is the order of creation.
type Page struct {
	After string
	Limit int
}
