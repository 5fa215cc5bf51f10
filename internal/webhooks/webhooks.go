// Package webhooks owns the endpoints of clients and delivers events to them
// (docs/reference/api.md 7). Service is what clients do with endpoints; Dispatcher sends.
// The rules are in package webhook, one attempt is package webhook/post.
package webhooks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"samla/internal/clock"
	"samla/internal/event"
	"samla/internal/fault"
	"samla/internal/idempotency"
	"samla/internal/seal"
	"samla/internal/store"
	"samla/internal/uuid7"
	"samla/internal/webhook"
)

// Deps is what the service works with. All members but Woken, Deleted and Rotated are
// required.
type Deps struct {
	Store   store.Store
	Vault   seal.Vault
	Clock   clock.Clock
	IDs     *uuid7.Generator
	Random  io.Reader // for secrets
	Targets webhook.Targets
	// Woken is called after a commit that may have made deliveries of an endpoint due.
	Woken func(endpointID string)
	// Deleted and Rotated are called before the transaction that deletes an endpoint, or
	// rotates its secret. An error leaves it as it is. The journal beside the keys is
	// written there, so that a restored backup does not revive what was ended.
	Deleted, Rotated func(ctx context.Context, endpointID string) error
}

// Service is safe for concurrent use. The errors of its methods are faults; one that a
// method does not document is Internal. An endpoint of another client is
// WebhookEndpointNotFound.
type Service struct{ Deps }

// New returns the service.
func New(d Deps) *Service {
	if d.Woken == nil {
		d.Woken = func(string) {}
	}
	none := func(context.Context, string) error { return nil }
	if d.Deleted == nil {
		d.Deleted = none
	}
	if d.Rotated == nil {
		d.Rotated = none
	}
	return &Service{d}
}

// Endpoint is an endpoint with its URL. Secret is set by the calls that show it.
type Endpoint struct {
	webhook.Endpoint
	URL    string
	Secret webhook.Secret
}

// Place is where the URL and the secrets of an endpoint are stored.
func Place(id string) seal.Place {
	return seal.Place{Table: "webhook_endpoints", Column: "sealed", Row: id}
}

func sealed(ctx context.Context, v seal.Vault, id string, c webhook.Confidential) ([]byte, error) {
	plain, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	return v.Seal(ctx, seal.System, Place(id), plain)
}

func opened(ctx context.Context, v seal.Vault, e webhook.Endpoint) (c webhook.Confidential, err error) {
	plain, err := v.Open(ctx, seal.System, Place(e.ID), e.Sealed)
	if err != nil {
		return c, err
	}
	return c, json.Unmarshal(plain, &c)
}

// checkURL returns the fault of a URL that is refused. It repeats no part of it.
func (s *Service) checkURL(url string) error {
	if err := s.Targets.CheckURL(url); err != nil {
		return fault.Param("/url", fault.Invalid, err.Error())
	}
	return nil
}

// eventTypes returns the types that were asked for, sorted and each once; nil: the
// defaults.
func eventTypes(wanted []string) ([]string, error) {
	if wanted == nil {
		return webhook.DefaultEvents(), nil
	}
	known := webhook.SelectableEvents()
	for i, t := range wanted {
		if !slices.Contains(known, t) {
			return nil, fault.Param(fmt.Sprintf("/events/%d", i), fault.Invalid, "must be a type of event")
		}
	}
	wanted = slices.Clone(wanted)
	slices.Sort(wanted)
	return slices.Compact(wanted), nil
}

// Create creates an endpoint and shows its secret. events are the types that it gets; nil:
// the defaults. Faults: InvalidParameter at /url and /events, WebhookEndpointLimit.
func (s *Service) Create(ctx context.Context, clientID, url string, events []string, answer idempotency.Answer[Endpoint]) (Endpoint, error) {
	e, err := s.create(ctx, clientID, url, events, answer)
	return e, faultOf("create an endpoint", err)
}

func (s *Service) create(ctx context.Context, clientID, url string, events []string, answer idempotency.Answer[Endpoint]) (e Endpoint, err error) {
	if err := s.checkURL(url); err != nil {
		return e, err
	}
	now := s.Clock.Now()
	e.Endpoint = webhook.Endpoint{ID: s.IDs.New(), ClientID: clientID, State: webhook.Active, CreatedAt: now, ChangedAt: now, Rev: 1}
	if e.Events, err = eventTypes(events); err != nil {
		return e, err
	}
	if e.Secret, err = webhook.NewSecret(s.Random); err != nil {
		return e, err
	}
	e.URL = url
	if e.Sealed, err = sealed(ctx, s.Vault, e.ID, webhook.Confidential{URL: url, Current: e.Secret}); err != nil {
		return e, err
	}
	response, err := answer.Prepare(ctx, e)
	if err != nil {
		return e, err
	}
	return e, s.Store.Write(ctx, func(tx store.Tx) error {
		all, err := tx.WebhookEndpoints(ctx, clientID)
		if err != nil {
			return err
		}
		if len(all) >= webhook.MaxEndpoints {
			return fault.New(fault.WebhookEndpointLimit)
		}
		if err := tx.AddWebhookEndpoint(ctx, e.Endpoint); err != nil || response == nil {
			return err
		}
		return response.Complete(ctx, tx)
	})
}

// List returns the endpoints of a client, oldest first.
func (s *Service) List(ctx context.Context, clientID string) ([]Endpoint, error) {
	all, err := s.Store.WebhookEndpoints(ctx, clientID)
	if err != nil {
		return nil, faultOf("list endpoints", err)
	}
	list := make([]Endpoint, len(all))
	for i, e := range all {
		if list[i], err = s.shown(ctx, e); err != nil {
			return nil, faultOf("list endpoints", err)
		}
	}
	return list, nil
}

func (s *Service) shown(ctx context.Context, e webhook.Endpoint) (Endpoint, error) {
	c, err := opened(ctx, s.Vault, e)
	return Endpoint{Endpoint: e, URL: c.URL}, err
}

// own reads an endpoint of a client.
func (s *Service) own(ctx context.Context, clientID, id string) (webhook.Endpoint, error) {
	e, err := s.Store.WebhookEndpoint(ctx, id)
	if err == nil && e.ClientID != clientID {
		err = store.ErrNotFound
	}
	return e, err
}

// change changes an endpoint of a client, and what is confidential of it.
func (s *Service) change(ctx context.Context, clientID, id string, change func(*webhook.Endpoint, *webhook.Confidential) error) (Endpoint, error) {
	return s.changeAnd(ctx, clientID, id, nil, change)
}

// changeAnd does so and stores the response that answer prepares.
func (s *Service) changeAnd(ctx context.Context, clientID, id string, answer idempotency.Answer[Endpoint],
	change func(*webhook.Endpoint, *webhook.Confidential) error) (Endpoint, error) {
	var shown Endpoint
	stored, err := store.UpdateWebhookEndpoint(ctx, s.Store, id, func(old webhook.Endpoint) (webhook.Endpoint, func(store.Tx) error, error) {
		if old.ClientID != clientID {
			return old, nil, store.ErrNotFound
		}
		c, err := opened(ctx, s.Vault, old)
		if err != nil {
			return old, nil, err
		}
		next, before := old, c
		if err := change(&next, &c); err != nil {
			return old, nil, err
		}
		shown = Endpoint{URL: c.URL, Secret: c.Current}
		if c != before {
			if next.Sealed, err = sealed(ctx, s.Vault, id, c); err != nil {
				return old, nil, err
			}
		}
		shown.Endpoint = next
		response, err := answer.Prepare(ctx, shown)
		if err != nil || response == nil {
			return next, nil, err
		}
		return next, func(tx store.Tx) error { return response.Complete(ctx, tx) }, nil
	})
	shown.Endpoint = stored
	if err == nil {
		s.Woken(id)
	}
	return shown, err
}

// Patch is a change of an endpoint. Nil members stay as they are.
type Patch struct {
	URL    *string
	Events []string
}

// Update changes an endpoint. Faults: WebhookEndpointNotFound, InvalidParameter at /url
// and /events.
func (s *Service) Update(ctx context.Context, clientID, id string, p Patch) (Endpoint, error) {
	if p.URL != nil {
		if err := s.checkURL(*p.URL); err != nil {
			return Endpoint{}, err
		}
	}
	events, err := eventTypes(p.Events)
	if err != nil {
		return Endpoint{}, err
	}
	e, err := s.change(ctx, clientID, id, func(e *webhook.Endpoint, c *webhook.Confidential) error {
		if p.URL != nil && *p.URL != c.URL {
			c.URL, e.FailingSince = *p.URL, time.Time{}
		}
		if p.Events != nil {
			e.Events = events
		}
		return nil
	})
	return e, faultOf("change an endpoint", err)
}

// Rotate makes a new secret and shows it. The one before stays valid for webhook.Overlap
// unless immediate is set. Fault: WebhookEndpointNotFound.
func (s *Service) Rotate(ctx context.Context, clientID, id string, immediate bool, answer idempotency.Answer[Endpoint]) (Endpoint, error) {
	return s.rotate(ctx, clientID, id, immediate, answer, func(webhook.Endpoint) error { return nil })
}

// ErrChanged means that an endpoint has changed since it had a revision.
var ErrChanged = errors.New("webhooks: the endpoint has changed")

// RotateOnce does so if the endpoint still has the revision rev, so that a form that is sent
// twice makes one secret. Errors: ErrChanged, and as Rotate.
func (s *Service) RotateOnce(ctx context.Context, clientID, id string, rev int64, immediate bool) (Endpoint, error) {
	return s.rotate(ctx, clientID, id, immediate, nil, func(e webhook.Endpoint) error {
		if e.Rev != rev {
			return ErrChanged
		}
		return nil
	})
}

func (s *Service) rotate(ctx context.Context, clientID, id string, immediate bool, answer idempotency.Answer[Endpoint], check func(webhook.Endpoint) error) (Endpoint, error) {
	e, err := s.own(ctx, clientID, id)
	if err == nil {
		err = check(e)
	}
	if err != nil {
		return Endpoint{}, faultOf("rotate a secret", err)
	}
	fresh, err := webhook.NewSecret(s.Random)
	if err == nil {
		err = s.Rotated(ctx, id)
	}
	if err != nil {
		return Endpoint{}, faultOf("rotate a secret", err)
	}
	rotated, err := s.changeAnd(ctx, clientID, id, answer, func(e *webhook.Endpoint, c *webhook.Confidential) error {
		*c = c.Rotate(fresh, s.Clock.Now(), immediate)
		return check(*e)
	})
	return rotated, faultOf("rotate a secret", err)
}

// Pause stops deliveries. Events are kept. Fault: WebhookEndpointNotFound.
func (s *Service) Pause(ctx context.Context, clientID, id string) (Endpoint, error) {
	e, err := s.change(ctx, clientID, id, func(e *webhook.Endpoint, _ *webhook.Confidential) error {
		*e = e.Pause(webhook.ByClient, s.Clock.Now())
		return nil
	})
	return e, faultOf("pause an endpoint", err)
}

// piece is how many deliveries one transaction changes.
const piece = 500

// Resume starts deliveries again: those kept meanwhile, oldest first, and after those that
// come now. Fault: WebhookEndpointNotFound.
func (s *Service) Resume(ctx context.Context, clientID, id string) (Endpoint, error) {
	e, err := s.own(ctx, clientID, id)
	if err != nil {
		return Endpoint{}, faultOf("resume an endpoint", err)
	}
	if e.State == webhook.Paused {
		err = s.inPieces(ctx, func(tx store.Tx) (int, error) { return tx.MoveToBacklog(ctx, id, piece) })
		if err == nil {
			err = s.inPieces(ctx, func(tx store.Tx) (int, error) { return tx.HastenBacklog(ctx, id, s.Clock.Now(), piece) })
		}
		if err != nil {
			return Endpoint{}, faultOf("resume an endpoint", err)
		}
	}
	resumed, err := s.change(ctx, clientID, id, func(e *webhook.Endpoint, _ *webhook.Confidential) error {
		*e = e.Resume(s.Clock.Now())
		return nil
	})
	return resumed, faultOf("resume an endpoint", err)
}

// inPieces runs transactions until one changes less than a piece.
func (s *Service) inPieces(ctx context.Context, fn func(store.Tx) (int, error)) error {
	for n := piece; n >= piece; {
		err := s.Store.Write(ctx, func(tx store.Tx) (err error) {
			n, err = fn(tx)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Delete deletes an endpoint. No attempt begins afterwards. Fault: WebhookEndpointNotFound.
func (s *Service) Delete(ctx context.Context, clientID, id string) error {
	_, err := s.own(ctx, clientID, id)
	if err == nil {
		err = s.Deleted(ctx, id)
	}
	if err == nil {
		err = s.Store.Write(ctx, func(tx store.Tx) error { return tx.DeleteWebhookEndpoint(ctx, clientID, id) })
	}
	if err == nil {
		s.Woken(id)
	}
	return faultOf("delete an endpoint", err)
}

// Test adds the event TEST, which only this endpoint gets, and returns it. While the
// endpoint is paused it is kept. Fault: WebhookEndpointNotFound.
func (s *Service) Test(ctx context.Context, clientID, id string) (event.Event, error) {
	if _, err := s.own(ctx, clientID, id); err != nil {
		return event.Event{}, faultOf("test an endpoint", err)
	}
	e := event.Test(s.IDs, clientID, id, s.Clock.Now())
	err := s.Store.Write(ctx, func(tx store.Tx) error { return tx.AddEvent(ctx, e) })
	return e, faultOf("test an endpoint", err)
}

// Attempts lists the delivery log of an endpoint, newest first. Fault:
// WebhookEndpointNotFound.
func (s *Service) Attempts(ctx context.Context, clientID, id string, p store.Page) ([]webhook.Attempt, error) {
	if _, err := s.own(ctx, clientID, id); err != nil {
		return nil, faultOf("list attempts", err)
	}
	all, err := s.Store.WebhookAttempts(ctx, id, p)
	return all, faultOf("list attempts", err)
}

// ReplayEvent delivers one event of the client again, whatever its type. Faults:
// WebhookEndpointNotFound, EventNotFound.
func (s *Service) ReplayEvent(ctx context.Context, clientID, id, eventID string) error {
	if _, err := s.own(ctx, clientID, id); err != nil {
		return faultOf("replay an event", err)
	}
	e, err := s.Store.Event(ctx, clientID, eventID)
	if errors.Is(err, store.ErrNotFound) {
		return fault.New(fault.EventNotFound)
	}
	if err == nil {
		err = s.Store.Write(ctx, func(tx store.Tx) error { return tx.ReplayEvent(ctx, id, e, s.Clock.Now()) })
	}
	if err == nil {
		s.Woken(id)
	}
	return faultOf("replay an event", err)
}

// Sweep deletes deliveries and attempts that are older than events are kept.
func (s *Service) Sweep(ctx context.Context) error {
	for {
		var n int
		err := s.Store.Write(ctx, func(tx store.Tx) (err error) {
			n, err = tx.SweepWebhooks(ctx, s.Clock.Now().Add(-event.Kept), piece)
			return err
		})
		if err != nil || n == 0 {
			return err
		}
	}
}

// faultOf returns the fault for the error of an operation, and nil for nil.
func faultOf(operation string, err error) error {
	var f *fault.Fault
	switch {
	case err == nil:
		return nil
	case errors.As(err, &f):
		return f
	case errors.Is(err, store.ErrNotFound):
		return fault.New(fault.WebhookEndpointNotFound)
	}
	return fault.Wrap(fmt.Errorf("webhooks: %s: %w", operation, err))
}
