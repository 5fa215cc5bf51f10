package store

import (
	"context"
	"time"
)

// DialogueReader reads logins by dialogue. The state of a login is in its collection.
// The row of a dialogue is the job of the collection, as long as it is not terminal.
type DialogueReader interface {
	// DialogueAnswer returns the sealed answer that is on its way to the institution, or
	// nil. Errors: ErrNotFound when the collection has no dialogue.
	DialogueAnswer(ctx context.Context, collectionID string) ([]byte, error)
	// DialogueDue returns when the dialogue of a collection is due. Errors: ErrNotFound.
	DialogueDue(ctx context.Context, collectionID string) (time.Time, error)
}

// DialogueWriter writes logins by dialogue.
type DialogueWriter interface {
	// AddDialogue stores the dialogue of a collection, due at the time due. Errors:
	// ErrExists when it has one.
	AddDialogue(ctx context.Context, collectionID, company string, due time.Time) error
	// PutDialogueAnswer stores a sealed answer in place of an older one; nil removes it.
	// Errors: ErrNotFound.
	PutDialogueAnswer(ctx context.Context, collectionID string, sealed []byte) error
	// SetDialogueDue makes a dialogue due at another time, with no attempts counted.
	// Errors: ErrNotFound.
	SetDialogueDue(ctx context.Context, collectionID string, due time.Time) error
	// DeleteDialogue deletes the dialogue of a collection, if it has one.
	DeleteDialogue(ctx context.Context, collectionID string) error
}
