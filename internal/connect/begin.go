package connect

import (
	"context"
	"errors"
	"net/mail"
	"slices"
	"time"

	"samla/internal/authorize"
	"samla/internal/collect"
	"samla/internal/collection"
	"samla/internal/company"
	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/flow"
	"samla/internal/ident"
	"samla/internal/institution"
	"samla/internal/psu"
	"samla/internal/store"
)

// Begin is what a person presses in Review, with what the form has.
type Begin struct {
	Kind   WayKind
	Method string // of ByMethod
	Typed  flow.Typed
}

// begin creates the consent, or the login, that the person approves, in one commit with the
// flow: a second press finds another state. What was typed is kept for another try.
func (s *Service) begin(ctx context.Context, f flow.Flow, rev int64, b Begin, v Visitor) (View, error) {
	i, known := s.Institutions.Find(f.Company)
	ways := waysOf(i)
	at := slices.IndexFunc(ways, func(w Way) bool { return w.Kind == b.Kind && (w.Kind != ByMethod || w.Method == b.Method) })
	if _, err := f.Act(rev, flow.Begin{}, s.Clock.Now()); err != nil || !known || at < 0 {
		return View{Flow: f, Stale: true}, nil
	}
	way := ways[at]
	before, err := s.openTyped(ctx, f.UserID, typedPlace(flowTable, f.ID), f.Sealed)
	if err != nil {
		return View{}, gone(authorize.SealError(err))
	}
	typed, problems := s.checkTyped(i, way, merged(before, b.Typed))
	if len(problems) > 0 {
		return View{Flow: f, Typed: merged(before, b.Typed), Problems: problems}, nil
	}
	sealed, err := s.sealTyped(ctx, f.UserID, typedPlace(flowTable, f.ID), typed)
	if err != nil {
		return View{}, gone(authorize.SealError(err))
	}
	if signed, err := s.signed(ctx, f); err != nil || signed { // a late press must not end what was given
		return View{Flow: f, Stale: signed}, err
	}
	if err := s.end(ctx, f); err != nil { // another way: the order before it ends first
		return View{}, err
	}
	put := func(tx store.Tx, e flow.Begin) error {
		e.Method, e.OnDevice = way.Method, way.OnDevice
		next, err := f.Act(rev, e, s.Clock.Now())
		if err == nil {
			next.Sealed = sealed
			_, err = tx.PutConnectFlow(ctx, next)
		}
		return err
	}
	if i.Company.PSD2 {
		r := s.consentRequest(f, i, way, typed, v)
		r.Also = func(tx store.Tx, c consent.Consent) error { return put(tx, flow.Begin{ConsentID: c.ID}) }
		err = s.beginConsent(ctx, f, r)
	} else {
		r := s.loginRequest(f, way, typed, v)
		r.Also = func(tx store.Tx, c collection.Collection) error { return put(tx, flow.Begin{CollectionID: c.ID}) }
		_, err = s.Collections.Start(ctx, r, nil)
	}
	view, err := s.begun(ctx, f, err)
	if view.Busy || len(view.Problems) > 0 {
		view.Typed = typed // nothing is stored; the page sends it again
	}
	return view, err
}

// signed reports whether the person has signed what goes on, as far as the institution has
// said so: a page that was in the background may not show it yet.
func (s *Service) signed(ctx context.Context, f flow.Flow) (bool, error) {
	sight, err := s.sight(ctx, &View{Flow: f})
	return sight != nil && sight.Signed, err
}

// begun returns the flow after an approval was begun, or was not.
func (s *Service) begun(ctx context.Context, f flow.Flow, err error) (View, error) {
	view := View{Flow: f}
	switch code := fault.CodeOf(err); {
	case err == nil:
	case errors.Is(err, store.ErrConflict), errors.Is(err, flow.ErrStale):
		view.Stale = true
	case errors.Is(err, store.ErrNotFound), code == fault.Unauthorized:
		return view, ErrUnknown
	case code == fault.Unavailable:
		view.Busy = true
	case code == fault.InvalidParameter: // of another person than the one who gives it again
		var refused *fault.Fault
		errors.As(err, &refused)
		view.Problems = refused.Fields
		return view, nil
	default:
		return view, err
	}
	view.Flow, err = s.Store.ConnectFlow(ctx, f.ID)
	return view, unknown(err)
}

// merged returns what is known of the person, with what was typed now in its place.
func merged(known, now flow.Typed) flow.Typed {
	if now.PersonalNumber != "" {
		known.PersonalNumber = now.PersonalNumber
	}
	if now.Email != "" {
		known.Email = now.Email
	}
	if now.UserID != "" {
		known.UserID = now.UserID
	}
	return known
}

// The pointers of problems in what was typed.
const (
	AtPersonalNumber = "/personalNumber"
	AtEmail          = "/email"
	AtUserID         = "/userId"
)

// maxTyped bounds each text, in bytes.
const maxTyped = 255

// checkTyped returns what was typed as it is used, or what is wrong with it.
func (s *Service) checkTyped(i institution.Institution, w Way, t flow.Typed) (flow.Typed, []fault.Field) {
	var wrong []fault.Field
	needs := needsOf(i, w)
	check := func(need, pointer, text string, good bool) {
		switch {
		case text == "" && slices.Contains(needs, need):
			wrong = append(wrong, fault.Field{Pointer: pointer, Code: fault.Required})
		case text != "" && !good:
			wrong = append(wrong, fault.Field{Pointer: pointer, Code: fault.Invalid})
		}
	}
	var options []ident.Option
	if i.Company.AnyPersonalNumber {
		options = append(options, ident.AnyDigits())
	}
	parsed, err := ident.ParsePersonalNumber(t.PersonalNumber, s.Clock.Now(), options...)
	check(company.NeedsPersonalNumber, AtPersonalNumber, t.PersonalNumber, err == nil)
	if err == nil {
		t.PersonalNumber = parsed.Digits()
	}
	_, err = mail.ParseAddress(t.Email)
	check(company.NeedsEmail, AtEmail, t.Email, err == nil && len(t.Email) <= maxTyped)
	check(company.NeedsUserID, AtUserID, t.UserID, len(t.UserID) <= maxTyped)
	return t, wrong
}

// consentRequest returns the request for the consent that the person approves.
func (s *Service) consentRequest(f flow.Flow, i institution.Institution, w Way, t flow.Typed, v Visitor) authorize.Request {
	r := authorize.Request{ClientID: f.ClientID, UserID: f.UserID, Company: f.Company, LoginMethod: w.Method, Purpose: f.Terms.Purpose,
		Scope: consent.Scope{Balances: f.Terms.Balances, Transactions: f.Terms.Transactions}, ValidUntil: s.validUntil(f.Terms),
		PSU: v.psu(f.Terms), Chooses: f.Terms.Renews == ""}
	r.PSU.PersonalNumber, r.NumberAt = psu.Number(t.PersonalNumber), AtPersonalNumber
	if i.Profile.Redirects || i.Profile.LoginFirst {
		r.ReturnTo, r.ReturnsHere = s.PublicURL()+Path+f.ID, true
	}
	return r
}

func (s *Service) validUntil(t flow.Terms) time.Time {
	if t.ValidDays == 0 {
		return time.Time{}
	}
	return s.Clock.Now().AddDate(0, 0, t.ValidDays)
}

// loginRequest returns the request for a login by dialogue.
func (s *Service) loginRequest(f flow.Flow, w Way, t flow.Typed, v Visitor) collect.Request {
	return collect.Request{Owner: owner(f), Company: f.Company, LoginMethod: w.Method,
		Login: &collect.Login{PersonalNumber: psu.Number(t.PersonalNumber), Email: t.Email, UserID: t.UserID, PSU: v.psu(f.Terms)}}
}

// readRequest returns the request for the collection that reads under the permission.
func (s *Service) readRequest(ctx context.Context, f flow.Flow, v Visitor) collect.Request {
	return collect.Request{Owner: owner(f), Company: f.Company, ConsentID: f.ConsentID, PSU: v.psu(f.Terms),
		Also: func(tx store.Tx, c collection.Collection) error {
			next, err := f.Apply(flow.Read{CollectionID: c.ID}, s.Clock.Now())
			if err == nil {
				_, err = tx.PutConnectFlow(ctx, next)
			}
			return err
		}}
}
