package webhooks

import (
	"context"

	"samla/internal/store"
	"samla/internal/webhook"
)

// DeleteRestored deletes an endpoint that the journal says was deleted after the backup
// that was restored. Errors: store.ErrNotFound, or the store's.
func (s *Service) DeleteRestored(ctx context.Context, id string) error {
	e, err := s.Store.WebhookEndpoint(ctx, id)
	if err != nil {
		return err
	}
	return s.Store.Write(ctx, func(tx store.Tx) error { return tx.DeleteWebhookEndpoint(ctx, e.ClientID, id) })
}

// PauseRestored ends the secrets of an endpoint that the journal says were rotated after
// the backup that was restored: nothing is signed with them again. The newest one is not
// known, so the endpoint gets one that nobody knows, and is paused until its client has
// rotated again. Errors: store.ErrNotFound, or the store's.
func (s *Service) PauseRestored(ctx context.Context, id string) error {
	e, err := s.Store.WebhookEndpoint(ctx, id)
	if err != nil {
		return err
	}
	fresh, err := webhook.NewSecret(s.Random)
	if err != nil {
		return err
	}
	_, err = s.change(ctx, e.ClientID, id, func(e *webhook.Endpoint, c *webhook.Confidential) error {
		*c = c.Rotate(fresh, s.Clock.Now(), true)
		*e = e.Pause(webhook.Restored, s.Clock.Now())
		e.Reason = webhook.Restored // also of one that was paused: its client must know
		return nil
	})
	return err
}
