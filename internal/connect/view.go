package connect

import (
	"context"
	"crypto/subtle"
	"errors"
	"slices"
	"time"

	"samla/internal/authorize"
	"samla/internal/collect"
	"samla/internal/consent"
	"samla/internal/dialogue"
	"samla/internal/fault"
	"samla/internal/flow"
	"samla/internal/institution"
	"samla/internal/psu"
	"samla/internal/store"
)

// Visitor is the browser of a person that asks now.
type Visitor struct {
	Address   string // IP address
	UserAgent string
}

// maxAgent is how much of a User-Agent is kept, in bytes.
const maxAgent = 500

// psu returns the context of the person, who is present: the page asks.
func (v Visitor) psu(t flow.Terms) psu.Context {
	return psu.Context{IPAddress: v.Address, UserAgent: v.UserAgent[:min(len(v.UserAgent), maxAgent)], Locale: localeOf(t.Language)}
}

func localeOf(language string) string {
	return map[string]string{"sv": "sv-SE", "en": "en-GB", "nb": "nb-NO", "da": "da-DK", "fi": "fi-FI"}[language]
}

// View is what a page shows.
type View struct {
	Flow        flow.Flow
	Institution institution.Institution // chosen; zero: none
	Ways        []Way                   // to approve at it, in Review
	Needs       []string                // what it wants to be told before: company.Needs*
	Typed       flow.Typed
	Problems    []fault.Field // of what was typed; nothing has changed then
	Stale       bool          // what was done came too late, and changed nothing
	Busy        bool          // this server takes nobody new at the moment: the person tries again

	None bool // no account was chosen, or one that is not in the list; nothing has changed then

	Consent    *consent.Consent  // of the approval; nil: none, or a login by dialogue
	Shown      *authorize.Shown  // what the person is shown to approve
	Collection *collect.View     // nil: none
	Former     []consent.Summary // permissions of the user that hold, in Start
	Holds      bool              // the permission that is given again holds until then, in Review
}

// Has reports whether the page asks for something the institution wants to be told.
func (v View) Has(need string) bool {
	for _, n := range v.Needs {
		if n == need {
			return true
		}
	}
	return false
}

// Offers reports whether the institution offers a way of this kind.
func (v View) Offers(kind WayKind) bool {
	return slices.ContainsFunc(v.Ways, func(w Way) bool { return w.Kind == kind })
}

// find returns the flow that a browser with this secret may see. Error: ErrUnknown.
func (s *Service) find(ctx context.Context, id, key string) (flow.Flow, error) {
	f, err := s.Store.ConnectFlow(ctx, id)
	if err != nil {
		return f, unknown(err)
	}
	if subtle.ConstantTimeCompare([]byte(flow.HashOf(key)), []byte(f.Key)) != 1 {
		return flow.Flow{}, ErrUnknown
	}
	return f, nil
}

// seenEvery is how often it is stored that the person looks.
const seenEvery = 30 * time.Second

// View returns how a flow stands now. It asks the services how the approval stands, and
// begins the collection that follows a permission: so that happens only while the person's
// page asks. Error: ErrUnknown.
func (s *Service) View(ctx context.Context, id, key string, v Visitor) (View, error) {
	f, err := s.find(ctx, id, key)
	if err != nil {
		return View{}, err
	}
	return s.look(ctx, f, v)
}

// look is View of a flow that the browser may see.
func (s *Service) look(ctx context.Context, f flow.Flow, v Visitor) (View, error) {
	now := s.Clock.Now()
	f, err := s.apply(ctx, f, flow.Tick{})
	if err != nil {
		return View{}, err
	}
	if f.State != flow.Ended && now.Sub(f.SeenAt) >= seenEvery {
		err := s.Store.Write(ctx, func(tx store.Tx) error { return tx.RecordFlowSeen(ctx, f.ID, now) })
		if err != nil {
			return View{}, unknown(err)
		}
		f.SeenAt = now
	}
	view, err := s.observe(ctx, f)
	if err == nil {
		view, err = s.onceMore(ctx, view, v)
	}
	if err != nil {
		return View{}, err
	}
	if view.Flow.State == flow.Returned && view.Flow.Signed && view.Flow.CollectionID == "" {
		if view, err = s.proceed(ctx, view, v); err != nil {
			return View{}, err
		}
	}
	return s.complete(ctx, view)
}

// observe asks how the approval, or the collection, stands, and stores what has changed.
func (s *Service) observe(ctx context.Context, f flow.Flow) (View, error) {
	view := View{Flow: f}
	sight, err := s.sight(ctx, &view)
	if err != nil || sight == nil {
		return view, err
	}
	view.Flow, err = s.apply(ctx, f, flow.See{Sight: *sight})
	return view, err
}

// sight returns how the institution's side stands; nil: nothing goes on.
func (s *Service) sight(ctx context.Context, view *View) (*flow.Sight, error) {
	f := view.Flow
	if f.ConsentID == "" && f.CollectionID == "" {
		return nil, nil
	}
	if f.CollectionID != "" {
		found, _, err := s.Collections.Poll(ctx, owner(f), f.CollectionID)
		if err != nil {
			return nil, gone(err)
		}
		view.Collection = &found
		sight := flow.OfCollection(found.Collection, found.Shown, f.OnDevice, f.State)
		return &sight, nil
	}
	found, shown, err := s.Consents.Poll(ctx, f.ClientID, f.UserID, f.ConsentID)
	if err != nil {
		return nil, gone(err)
	}
	view.Consent, view.Shown = &found, shown
	sight := flow.OfConsent(found, offerOf(shown), f.OnDevice)
	if f.Terms.ConsentOnly && sight.Signed {
		sight.State = flow.Done
	}
	return &sight, nil
}

// gone returns ErrUnknown where the person was erased, or what the flow is about.
func gone(err error) error {
	for _, code := range []fault.Code{fault.Unauthorized, fault.ConsentNotFound, fault.CollectionNotFound} {
		if errors.Is(err, fault.New(code)) {
			return ErrUnknown
		}
	}
	return err
}

func owner(f flow.Flow) collect.Owner {
	return collect.Owner{ClientID: f.ClientID, UserID: f.UserID}
}

// offer returns what the order of the view can be signed with.
func (v View) offer() flow.Offer {
	if v.Collection == nil {
		return offerOf(v.Shown)
	}
	s := v.Collection.Shown
	if s == nil || s.For != dialogue.BankID {
		return flow.Offer{}
	}
	return flow.Offer{Code: s.QRText != "" || s.QRImage != "", Token: s.AutoStartToken != ""}
}

func offerOf(s *authorize.Shown) flow.Offer {
	if s == nil {
		return flow.Offer{}
	}
	return flow.Offer{Code: s.QRData != "" || s.QRImage != "", Token: s.AutoStartToken != "", Page: s.Form == authorize.Redirect, Message: s.UserMessage.Code}
}

// apply applies an event that nobody has to have seen the state for. If the flow has moved
// on meanwhile, the event is about another approval, or comes late: the newer flow is
// returned.
func (s *Service) apply(ctx context.Context, f flow.Flow, e flow.Event) (flow.Flow, error) {
	now := s.Clock.Now()
	if next, err := f.Apply(e, now); err != nil || next.Same(f) {
		return f, nil
	}
	after, err := store.UpdateConnectFlow(ctx, s.Store, f.ID, func(old flow.Flow) (flow.Flow, func(store.Tx) error, error) {
		if old.ConsentID != f.ConsentID || old.CollectionID != f.CollectionID {
			return old, nil, store.ErrUnchanged
		}
		next, err := old.Apply(e, now)
		if err != nil || next.Same(old) {
			return old, nil, store.ErrUnchanged
		}
		return next, nil, nil
	})
	return after, unknown(err)
}

// proceed begins the collection under the permission that the person has given. The flow and
// the collection are one commit: of two pages that come here at once, one begins it.
func (s *Service) proceed(ctx context.Context, view View, v Visitor) (View, error) {
	f := view.Flow
	_, err := s.Collections.Start(ctx, s.readRequest(ctx, f, v), nil)
	switch code := fault.CodeOf(err); {
	case err == nil, errors.Is(err, store.ErrConflict):
	case code == fault.Unavailable:
		view.Busy = true
		return view, nil
	case code == fault.Unauthorized:
		return view, ErrUnknown
	case code == fault.Internal:
		return view, err
	default: // the permission ended just now
		view.Flow, err = s.apply(ctx, f, flow.See{Sight: flow.Sight{State: flow.Failed, Failure: string(code)}})
		return view, err
	}
	if f, err = s.Store.ConnectFlow(ctx, f.ID); err != nil {
		return view, unknown(err)
	}
	return s.observe(ctx, f)
}

// complete adds what the state's page needs besides.
func (s *Service) complete(ctx context.Context, view View) (View, error) {
	f := view.Flow
	view.Institution, _ = s.Institutions.Find(f.Company)
	switch f.State {
	case flow.QR, flow.App, flow.InApp:
		view.Ways = waysOf(view.Institution)
	case flow.Review, flow.AskEmail:
		view.Ways = waysOf(view.Institution)
		view.Needs = needsOfAll(view.Institution, view.Ways)
		typed, err := s.openTyped(ctx, f.UserID, typedPlace(flowTable, f.ID), f.Sealed)
		if errors.Is(authorize.SealError(err), fault.New(fault.Unauthorized)) {
			return view, ErrUnknown
		}
		if err != nil {
			return view, err
		}
		view.Typed = typed
		if f.Terms.Renews != "" {
			return s.completeRenewal(ctx, view)
		}
	case flow.Reading, flow.Done:
		if f.ConsentID != "" && view.Consent == nil {
			found, err := s.Store.ConsentStatus(ctx, f.ConsentID)
			if err != nil {
				return view, unknown(err)
			}
			view.Consent = &found.Consent
		}
	case flow.Start:
		rows, err := s.Consents.List(ctx, f.ClientID, f.UserID, store.Page{Limit: formerLimit})
		if err != nil {
			return view, err
		}
		for _, c := range rows {
			if c.Status == consent.Authorized {
				view.Former = append(view.Former, c)
			}
		}
	}
	return view, nil
}

// formerLimit is among how many of a user's consents the list looks for those that hold.
const formerLimit = 100
