package collections

import (
	"context"

	"samla/internal/api"
	"samla/internal/authorize"
	"samla/internal/collect"
	"samla/internal/collection"
	"samla/internal/idempotency"
)

// Operations are the operations that versions have in common. An older version sets
// api.Call.Rewrite before it calls one: they answer in the form of 2026-04-01.
type Operations struct {
	Consents    *authorize.Service
	Collections *collect.Service
}

// OwnerOf returns whose collections the caller can see (docs/reference/api.md 5.2).
func OwnerOf(c *api.Call) collect.Owner {
	return collect.Owner{ClientID: c.Caller().ClientID, UserID: c.Caller().UserID, KeyID: c.Caller().KeyID, Route: c.OperationID()}
}

// Start starts the collection of a valid request and answers with its status. body is the
// one that was read, for the Idempotency-Key. location returns the path of the status.
func (o Operations) Start(c *api.Call, r collect.Request, body []byte, location func(id string) string) error {
	r.Owner, r.Version = OwnerOf(c), c.RoutedIn()
	return c.Create(body, func(ctx context.Context, respond api.Respond) error {
		_, err := o.Collections.Start(ctx, r, func(ctx context.Context, made collection.Collection) (*idempotency.Record, error) {
			return respond(ctx, location(made.ID), made.UserID, AppendStatus(nil, &made, nil, nil, o.Collections.PollBy(made)))
		})
		return err
	})
}

// Status polls a collection and answers with its status (docs/reference/api.md 5.7).
func (o Operations) Status(c *api.Call) error {
	view, due, err := o.Collections.Poll(c.Context(), OwnerOf(c), c.ID())
	if err != nil {
		return err
	}
	var signing *authorize.Shown
	if view.Consent != nil {
		if signing, err = o.Consents.Show(c.Context(), *view.Consent); err != nil {
			return err
		}
	}
	return c.WriteAppended(func(b []byte) []byte { return AppendStatus(b, &view.Collection, signing, view.Shown, due) })
}

// Supplement takes an answer of the person (docs/reference/api.md 5.8).
func (o Operations) Supplement(c *api.Call) error {
	answer, err := ReadSupplement(c.Body())
	if err != nil {
		return err
	}
	if err := o.Collections.Supplement(c.Context(), OwnerOf(c), c.ID(), answer); err != nil {
		return err
	}
	return c.WriteNothing()
}

// Data returns the stored products of the collection in the path (docs/reference/api.md
// 5.9).
func (o Operations) Data(c *api.Call) (collect.Data, error) {
	return o.Collections.Data(c.Context(), OwnerOf(c), c.ID())
}
