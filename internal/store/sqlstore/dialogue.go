package sqlstore

import (
	"context"
	"time"

	"samla/internal/store"
)

// DialogueAnswer implements store.DialogueReader.
func (r reader) DialogueAnswer(ctx context.Context, collectionID string) ([]byte, error) {
	sealed, err := one(ctx, r.q, column[[]byte], `SELECT answer FROM dialogues WHERE id = $1`, collectionID)
	return fromBlob(sealed), err
}

// DialogueDue implements store.DialogueReader.
func (r reader) DialogueDue(ctx context.Context, collectionID string) (time.Time, error) {
	wake, err := one(ctx, r.q, column[int64], `SELECT wake_at FROM dialogues WHERE id = $1`, collectionID)
	return fromMicros(wake), err
}

// AddDialogue implements store.DialogueWriter.
func (t *tx) AddDialogue(ctx context.Context, collectionID, company string, due time.Time) error {
	n, err := t.q.exec(ctx, `INSERT INTO dialogues (id, company, answer, wake_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
		collectionID, company, blob(nil), micros(due))
	return requireRow(n, err, store.ErrExists)
}

// PutDialogueAnswer implements store.DialogueWriter.
func (t *tx) PutDialogueAnswer(ctx context.Context, collectionID string, sealed []byte) error {
	n, err := t.q.exec(ctx, `UPDATE dialogues SET answer = $2 WHERE id = $1`, collectionID, blob(sealed))
	return requireRow(n, err, store.ErrNotFound)
}

// SetDialogueDue implements store.DialogueWriter.
func (t *tx) SetDialogueDue(ctx context.Context, collectionID string, due time.Time) error {
	n, err := t.q.exec(ctx, `UPDATE dialogues SET wake_at = $2, job_attempts = 0, job_error = '', parked_at = 0 WHERE id = $1`,
		collectionID, micros(due))
	return requireRow(n, err, store.ErrNotFound)
}

// DeleteDialogue implements store.DialogueWriter.
func (t *tx) DeleteDialogue(ctx context.Context, collectionID string) error {
	return t.q.execLater(ctx, `DELETE FROM dialogues WHERE id = $1`, collectionID)
}
