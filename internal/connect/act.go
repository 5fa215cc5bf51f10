package connect

import (
	"context"
	"errors"

	"samla/internal/authorize"
	"samla/internal/consent"
	"samla/internal/dialogue"
	"samla/internal/fault"
	"samla/internal/flow"
	"samla/internal/store"
)

// Choose chooses an institution. One that is not offered, or does not answer, changes nothing.
func (s *Service) Choose(ctx context.Context, id, key string, rev int64, companyID string, v Visitor) (View, error) {
	i, known := s.Institutions.Find(companyID)
	return s.act(ctx, id, key, rev, v, func(f flow.Flow) flow.Event {
		if !known || i.Retired || !f.Terms.Offers(companyID, i.Company.PSD2) {
			return nil
		}
		return flow.Choose{Company: companyID}
	})
}

// Prefer lets the person sign on this device, or on another one. The order that goes on
// serves if it has what that takes, and nobody is in the app with it; else it ends, and
// another one is begun.
func (s *Service) Prefer(ctx context.Context, id, key string, rev int64, onDevice bool, v Visitor) (View, error) {
	f, err := s.find(ctx, id, key)
	if err != nil {
		return View{}, err
	}
	if f.State != flow.InApp {
		view := View{Flow: f}
		if _, err := s.sight(ctx, &view); err != nil {
			return View{}, err
		}
		if o := view.offer(); onDevice && o.Token || !onDevice && o.Code {
			return s.Act(ctx, id, key, rev, flow.Prefer{OnDevice: onDevice}, v)
		}
	}
	kind := OtherDevice
	if onDevice {
		kind = ThisDevice
	}
	return s.Begin(ctx, id, key, rev, Begin{Kind: kind}, v)
}

// Act does what needs nothing but an event: flow.Change, Again, Leave.
func (s *Service) Act(ctx context.Context, id, key string, rev int64, e flow.Event, v Visitor) (View, error) {
	return s.act(ctx, id, key, rev, v, func(flow.Flow) flow.Event { return e })
}

// act applies what the person has done who saw the flow with this rev, and looks.
func (s *Service) act(ctx context.Context, id, key string, rev int64, v Visitor, event func(flow.Flow) flow.Event) (View, error) {
	f, err := s.find(ctx, id, key)
	if err != nil {
		return View{}, err
	}
	stale := false
	after, err := store.UpdateConnectFlow(ctx, s.Store, f.ID, func(old flow.Flow) (flow.Flow, func(store.Tx) error, error) {
		e := event(old)
		if stale = e == nil; stale {
			return old, nil, store.ErrUnchanged
		}
		next, err := old.Act(rev, e, s.Clock.Now())
		if stale = err != nil; stale || next.Same(old) {
			return old, nil, store.ErrUnchanged
		}
		return next, nil, nil
	})
	if err != nil {
		return View{}, unknown(err)
	}
	view, err := s.look(ctx, after, v)
	view.Stale = stale
	return view, err
}

// Begin begins an approval, or another one in its place. With Problems nothing has changed.
func (s *Service) Begin(ctx context.Context, id, key string, rev int64, b Begin, v Visitor) (View, error) {
	f, err := s.find(ctx, id, key)
	if err != nil {
		return View{}, err
	}
	said, err := s.begin(ctx, f, rev, b, v)
	if err != nil {
		return View{}, err
	}
	view, err := s.look(ctx, said.Flow, v)
	view.Problems, view.Stale, view.Busy = said.Problems, said.Stale, view.Busy || said.Busy
	if len(said.Problems) > 0 || said.Busy {
		view.Typed = said.Typed
	}
	return view, err
}

// Cancel stops whatever goes on, here and at the institution, which is told with retries. It
// takes back a permission that was given in this flow and is not read to the end.
func (s *Service) Cancel(ctx context.Context, id, key string, v Visitor) (View, error) {
	f, err := s.find(ctx, id, key)
	if err != nil {
		return View{}, err
	}
	if !f.State.Over() && f.State != flow.Ended {
		if err := s.end(ctx, f); err != nil {
			return View{}, err
		}
	}
	view, err := s.act(ctx, id, key, f.Rev, v, func(flow.Flow) flow.Event { return flow.Cancel{} })
	if now := view.Flow; err == nil && now.State == flow.Cancelled && (now.ConsentID != f.ConsentID || now.CollectionID != f.CollectionID) {
		err = s.end(ctx, now) // another page has begun it meanwhile
	}
	return view, err
}

// end ends the approval of a flow, and what reads under it.
func (s *Service) end(ctx context.Context, f flow.Flow) error {
	if f.CollectionID != "" {
		if _, err := s.Collections.Stop(ctx, owner(f), f.CollectionID); err != nil {
			return gone(err)
		}
	}
	if f.ConsentID == "" {
		return nil
	}
	_, err := s.Consents.Revoke(ctx, f.ClientID, f.UserID, f.ConsentID)
	if errors.Is(err, fault.New(fault.ConsentNotRevocable)) {
		return nil // it has ended by itself
	}
	return gone(err)
}

// ChooseAccounts takes the accounts that the person lets be read. With View.None nothing has
// changed.
func (s *Service) ChooseAccounts(ctx context.Context, id, key string, rev int64, accounts []string, v Visitor) (View, error) {
	f, err := s.find(ctx, id, key)
	if err != nil {
		return View{}, err
	}
	stale := f.State != flow.PickAccounts || f.Rev != rev
	none := false
	if !stale {
		chosen, err := s.Consents.ChooseAccounts(ctx, f.ClientID, f.UserID, f.ConsentID, accounts)
		none = errors.Is(err, authorize.ErrNoChoice)
		if err != nil && !none {
			return View{}, gone(err)
		}
		stale = !chosen && !none
	}
	view, err := s.look(ctx, f, v)
	view.None, view.Stale = none, stale
	return view, err
}

// Listed returns the accounts from which the person chooses; nil in another state than
// flow.PickAccounts.
func (s *Service) Listed(ctx context.Context, f flow.Flow) ([]consent.Account, error) {
	if f.State != flow.PickAccounts {
		return nil, nil
	}
	list, err := s.Consents.Accounts(ctx, f.ClientID, f.UserID, f.ConsentID)
	return list, gone(err)
}

// Answer gives the answer of the person to the open question. An answer to another question
// changes nothing.
func (s *Service) Answer(ctx context.Context, id, key string, a dialogue.Answer, v Visitor) (View, error) {
	f, err := s.find(ctx, id, key)
	if err != nil {
		return View{}, err
	}
	said := View{}
	err = &fault.Fault{Code: fault.SupplementNotExpected}
	if f.CollectionID != "" && a.Question != "" {
		err = s.Collections.Supplement(ctx, owner(f), f.CollectionID, a)
	}
	var refused *fault.Fault
	switch {
	case err == nil:
	case errors.As(err, &refused) && refused.Code == fault.InvalidParameter:
		said.Problems = refused.Fields
	case errors.As(err, &refused) && refused.Code == fault.SupplementNotExpected:
		said.Stale = true
	default:
		return View{}, gone(err)
	}
	view, err := s.look(ctx, f, v)
	view.Problems, view.Stale = said.Problems, said.Stale
	return view, err
}
