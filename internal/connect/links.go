package connect

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"samla/internal/authorize"
	"samla/internal/fault"
	"samla/internal/flow"
	"samla/internal/idempotency"
	"samla/internal/ident"
	"samla/internal/store"
)

// LinkRequest asks for a link. The schema of the API has been applied.
type LinkRequest struct {
	ClientID string
	UserID   string
	Terms    flow.Terms
	Known    flow.Typed    // of the person; may be empty
	Life     time.Duration // 0 = flow.LinkLife
}

// NewLink is a link with its address, which is known only now.
type NewLink struct {
	flow.Link
	URL string
}

// Languages are those that the pages speak.
func Languages() []string { return []string{"sv", "en", "nb", "da", "fi"} }

// CreateLink makes a link. The response that answer prepares is stored in the same
// transaction. Faults: InvalidParameter, UserNotFound, UserAnonymized.
func (s *Service) CreateLink(ctx context.Context, r LinkRequest, answer idempotency.Answer[NewLink]) (NewLink, error) {
	if err := s.checkUser(ctx, r); err != nil {
		return NewLink{}, err
	}
	if err := s.checkLink(ctx, &r); err != nil {
		return NewLink{}, err
	}
	return s.makeLink(ctx, r, answer)
}

// makeLink makes a link that has been checked.
func (s *Service) makeLink(ctx context.Context, r LinkRequest, answer idempotency.Answer[NewLink]) (NewLink, error) {
	secret, err := s.secret()
	if err != nil {
		return NewLink{}, err
	}
	now := s.Clock.Now()
	life := r.Life
	if life == 0 {
		life = flow.LinkLife
	}
	l := NewLink{Link: flow.Link{ID: s.IDs.New(), ClientID: r.ClientID, UserID: r.UserID, Hash: flow.HashOf(secret), Terms: r.Terms,
		CreatedAt: now, ExpiresAt: now.Add(life)}, URL: s.PublicURL() + LinkPath + secret}
	if l.Sealed, err = s.sealTyped(ctx, r.UserID, typedPlace(linkTable, l.ID), r.Known); err != nil {
		return NewLink{}, userGone(authorize.SealError(err))
	}
	response, err := answer.Prepare(ctx, l)
	if err != nil {
		return NewLink{}, err
	}
	err = s.Store.Write(ctx, func(tx store.Tx) error {
		if err := authorize.LockUser(ctx, tx, r.ClientID, r.UserID); err != nil {
			return err
		}
		if err := tx.AddConnectLink(ctx, l.Link); err != nil {
			return err
		}
		return response.Complete(ctx, tx)
	})
	return l, userGone(err)
}

// userGone returns the fault for a client whose user was erased meanwhile.
func userGone(err error) error {
	if errors.Is(err, fault.New(fault.Unauthorized)) {
		return fault.New(fault.UserAnonymized)
	}
	return err
}

func (s *Service) checkUser(ctx context.Context, r LinkRequest) error {
	u, err := s.Store.User(ctx, r.ClientID, r.UserID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return fault.New(fault.UserNotFound)
	case err == nil && u.Anonymized():
		return fault.New(fault.UserAnonymized)
	}
	return err
}

// checkLink reports what the schema cannot: names that are not known, and addresses that the
// client has not registered. It completes the personal number to twelve digits.
func (s *Service) checkLink(ctx context.Context, r *LinkRequest) error {
	var wrong []fault.Field
	report := func(pointer, message string) {
		wrong = append(wrong, fault.Field{Pointer: pointer, Code: fault.Invalid, Message: message})
	}
	for i, id := range r.Terms.Companies {
		switch found, known := s.Institutions.Find(id); {
		case !known || found.Retired:
			report("/companies/"+strconv.Itoa(i), "is no known company")
		case !r.Terms.Offers(id, found.Company.PSD2):
			report("/companies/"+strconv.Itoa(i), "has none of the products")
		}
	}
	for i, p := range r.Terms.Products {
		if p != flow.Accounts && p != flow.Wealth {
			report("/products/"+strconv.Itoa(i), "must be ACCOUNTS or WEALTH")
		}
	}
	if !slices.Contains(Languages(), r.Terms.Language) {
		report("/language", "must be one of "+strings.Join(Languages(), ", "))
	}
	if r.Terms.ReturnURL != "" {
		registered, err := s.Store.HasReturnURL(ctx, r.ClientID, r.Terms.ReturnURL)
		if err != nil {
			return err
		}
		if !registered {
			report("/returnUrl", "must be one of the addresses that are registered for the client (samla client return-url add)")
		}
	}
	if r.Terms.Origin != "" {
		origins, err := s.Store.FrameOrigins(ctx, r.ClientID)
		if err != nil {
			return err
		}
		if !slices.Contains(origins, r.Terms.Origin) {
			report("/origin", "must be one of the origins that are registered for the client (samla client origin add)")
		}
	}
	if n := r.Known.PersonalNumber; n != "" {
		parsed, err := ident.ParsePersonalNumber(n, s.Clock.Now(), ident.AnyDigits())
		if err != nil {
			report("/person/personalNumber", "must be a Swedish personal or coordination number")
		}
		r.Known.PersonalNumber = parsed.Digits()
	}
	if len(wrong) > 0 {
		return fault.Params(wrong...)
	}
	return nil
}

// LinkState is how a link stands, for the client: the flow that it has become is set once it
// was opened.
type LinkState struct {
	flow.Link
	Flow *flow.Flow
}

// Link reads a link of a client. Fault: ConnectLinkNotFound.
func (s *Service) Link(ctx context.Context, clientID, id string) (LinkState, error) {
	l, err := s.Store.ConnectLink(ctx, clientID, id)
	if errors.Is(err, store.ErrNotFound) {
		return LinkState{}, fault.New(fault.ConnectLinkNotFound)
	}
	if err != nil || l.FlowID == "" {
		return LinkState{Link: l}, err
	}
	f, err := s.Store.ConnectFlow(ctx, l.FlowID)
	if errors.Is(err, store.ErrNotFound) {
		return LinkState{Link: l}, nil
	}
	if err != nil {
		return LinkState{}, err
	}
	f, _ = f.Apply(flow.Tick{}, s.Clock.Now())
	return LinkState{Link: l, Flow: &f}, nil
}

// Peek reads a link by its secret, and changes nothing. Error: ErrUnknown.
func (s *Service) Peek(ctx context.Context, secret string) (flow.Link, error) {
	if !isSecret(secret) {
		return flow.Link{}, ErrUnknown
	}
	l, err := s.Store.ConnectLinkByHash(ctx, flow.HashOf(secret))
	return l, unknown(err)
}

// Open opens a link, once, and returns its flow and the secret that its browser has to bring
// from then on. Errors: ErrUnknown, flow.ErrUsed, flow.ErrExpired.
func (s *Service) Open(ctx context.Context, linkSecret string) (flow.Flow, string, error) {
	l, err := s.Peek(ctx, linkSecret)
	if err != nil {
		return flow.Flow{}, "", err
	}
	key, err := s.secret()
	if err != nil {
		return flow.Flow{}, "", err
	}
	opened, f, err := l.Opened(s.IDs.New(), flow.HashOf(key), s.Clock.Now())
	if err != nil {
		return flow.Flow{}, "", err
	}
	known, err := s.openTyped(ctx, l.UserID, typedPlace(linkTable, l.ID), l.Sealed)
	if err == nil {
		f.Sealed, err = s.sealTyped(ctx, l.UserID, typedPlace(flowTable, f.ID), known)
	}
	if errors.Is(authorize.SealError(err), fault.New(fault.Unauthorized)) {
		return flow.Flow{}, "", ErrUnknown // the user was erased
	}
	if err != nil {
		return flow.Flow{}, "", fmt.Errorf("open a link: %w", err)
	}
	err = s.Store.Write(ctx, func(tx store.Tx) error {
		if err := authorize.LockUser(ctx, tx, l.ClientID, l.UserID); err != nil {
			return err
		}
		if err := tx.OpenConnectLink(ctx, opened); err != nil {
			return err
		}
		return tx.AddConnectFlow(ctx, f)
	})
	switch {
	case errors.Is(err, store.ErrConflict):
		return flow.Flow{}, "", flow.ErrUsed
	case errors.Is(err, fault.New(fault.Unauthorized)), errors.Is(err, store.ErrNotFound):
		return flow.Flow{}, "", ErrUnknown
	}
	return f, key, err
}
