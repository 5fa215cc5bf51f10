package authorize

import (
	"cmp"
	"context"
	"encoding/base32"
	"errors"
	"io"
	"net/url"
	"time"

	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/seal"
	"samla/internal/store"
)

// Seen is what a browser sees that is on the way to the page of an institution, or back.
type Seen struct {
	View View
	// Company is the institution. With ViewElsewhere and ViewUnknown nothing else is set:
	// such a browser gets nothing of the person.
	Company  string
	ClientID string // who has asked for the consent
	Consent  consent.ID
	Leads    string // ViewGoes: the page of the institution; ViewEnded: the address of the client, or empty
	Code     string // ViewShowsCode: the short code to type in the first browser
	Until    time.Time
	Status   consent.Status
	Failure  consent.FailureCode
}

// View is the closed set of what a page shows.
type View string

// The views.
const (
	ViewUnknown    View = "UNKNOWN"     // there is no such way, or it is over
	ViewElsewhere  View = "ELSEWHERE"   // it belongs to another browser, and has been used
	ViewAsks       View = "ASKS"        // did this person begin this?
	ViewStopped    View = "STOPPED"     // this person did not begin it, and has ended it
	ViewGoes       View = "GOES"        // the browser goes on to Leads
	ViewWorks      View = "WORKS"       // the institution is being asked: look again soon
	ViewShowsCode  View = "SHOWS_CODE"  // came back in another browser: go on in the first one, with Code
	ViewEntersCode View = "ENTERS_CODE" // the first browser: type the code that the other one shows
	ViewChooses    View = "CHOOSES"     // the person chooses accounts next, on a page of this server: Leads
	ViewOthersSign View = "OTHERS_SIGN" // the person has signed, and somebody else has to, by Until: look again later. Leads is the address of the client, or empty
	ViewEnded      View = "ENDED"       // the consent has its outcome
)

// Visit answers a browser that opens the link to the page of an institution, or looks how
// it stands. browser is the cookie of the browser; it has to have one. agent is its
// User-Agent: a bank may want that of the person, and the client need not know it. confirmed
// says that the person has said to have begun this (consent.Visit.Opened).
func (s *Service) Visit(ctx context.Context, state, browser, agent string, confirmed bool) (Seen, error) {
	return orUnknown(s.visit(ctx, state, browser, agent, confirmed))
}

// orUnknown makes of an error that says that the consent, or what it hides, is gone what a
// browser sees of a way that there is not: an erasure may come between any two readings.
func orUnknown(seen Seen, err error) (Seen, error) {
	if errors.Is(err, seal.ErrKeyDestroyed) || errors.Is(err, store.ErrNotFound) {
		return Seen{View: ViewUnknown}, nil
	}
	return seen, err
}

func (s *Service) visit(ctx context.Context, state, browser, agent string, confirmed bool) (Seen, error) {
	c, err := s.visited(ctx, state, browser)
	if err != nil || c.ID == "" {
		return Seen{View: ViewUnknown}, err
	}
	hash := consent.HashOf(browser)
	leads, err := s.leadsTo(ctx, c)
	if err != nil {
		return Seen{}, err
	}
	if leads == "" {
		return s.seen(ctx, c, hash)
	}
	departure := consent.DepartureGoes
	if !c.Visit.Knows(hash) {
		if departure, err = s.openedBy(ctx, c, hash, agent, confirmed); err != nil {
			return Seen{}, err
		}
	}
	switch departure {
	case consent.DepartureGoes:
		return Seen{View: ViewGoes, Company: c.Company, ClientID: c.ClientID, Consent: c.ID, Status: c.Status, Leads: leads}, nil
	case consent.DepartureAsks:
		return Seen{View: ViewAsks, Company: c.Company, ClientID: c.ClientID}, nil
	}
	return Seen{View: ViewElsewhere, Company: c.Company}, nil
}

// leadsTo returns the page of the institution to which the link of a consent leads; empty
// if it does not, or no longer.
func (s *Service) leadsTo(ctx context.Context, c consent.Consent) (string, error) {
	if c.Step != consent.StepWatch || c.Visit == nil || c.Visit.Stage != consent.StageOpen {
		return "", nil
	}
	secret, err := s.openSecret(ctx, c)
	if err != nil || secret.Instructions == nil {
		return "", err
	}
	return secret.Instructions.RedirectURL, nil
}

// BeginsAt reports whether a form for the link of a consent that comes from a page of an
// origin (RFC 6454, such as "https://shop.example") is the word of the client that the
// person has begun there: it is the origin of the address to which the person returns, which
// the client has registered. No link leads a browser there without the client's doing.
func (s *Service) BeginsAt(ctx context.Context, state, origin string) (bool, error) {
	c, err := s.visited(ctx, state, "")
	return err == nil && c.ID != "" && c.Visit.ReturnsTo(origin), err
}

// Deny takes the word of a person who has the link that they did not begin this. It ends
// the consent, as if they had refused at the institution: nobody has got anything by it
// yet, and the person who began it can begin again. It changes nothing once somebody has come
// back, or by a link that leads nowhere.
func (s *Service) Deny(ctx context.Context, state, browser string) (Seen, error) {
	return orUnknown(s.deny(ctx, state, browser))
}

func (s *Service) deny(ctx context.Context, state, browser string) (Seen, error) {
	c, err := s.visited(ctx, state, browser)
	if err != nil || c.ID == "" {
		return Seen{View: ViewUnknown}, err
	}
	denied := false
	after, err := s.endBy(ctx, c.ID, func(old consent.Consent) (consent.Event, error) {
		leads, err := s.leadsTo(ctx, old)
		if err != nil {
			return nil, err
		}
		if denied = leads != ""; !denied {
			return nil, store.ErrUnchanged
		}
		return consent.FailedWith{Code: consent.AuthenticationCancelled}, nil
	})
	switch {
	case err != nil:
		return Seen{}, err
	case denied:
		s.Log.Warn("a person says that somebody else has begun to authorize a consent: it has ended", "company", after.Company, "client", after.ClientID, "consent", after.ID)
		s.Observer.Returned(after.Company, LinkDenied)
	case after.Failure != consent.AuthenticationCancelled:
		return s.seen(ctx, after, consent.HashOf(browser))
	}
	return Seen{View: ViewStopped, Company: after.Company}, nil
}

// visited returns the consent that a state names, or the zero consent if there is none. A
// state of an earlier way of it is good for a browser that has opened the link.
func (s *Service) visited(ctx context.Context, state, browser string) (consent.Consent, error) {
	id, ok := consentOf(state)
	if !ok {
		return consent.Consent{}, nil
	}
	c, err := s.Store.Consent(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return consent.Consent{}, nil
	}
	if err != nil || c.Visit.Is(state) || c.Visit.IsOnce(state) || c.Visit.Was(state) && c.Visit.Knows(consent.HashOf(browser)) {
		return c, err
	}
	return consent.Consent{}, nil
}

// seen returns what a browser sees of a consent that does not wait for it to go to the
// institution.
func (s *Service) seen(ctx context.Context, c consent.Consent, browser string) (Seen, error) {
	v := c.Visit
	if !v.Knows(browser) && browser != v.Holder {
		return Seen{View: ViewElsewhere, Company: c.Company}, nil
	}
	seen := Seen{View: ViewWorks, Company: c.Company, ClientID: c.ClientID, Consent: c.ID, Status: c.Status, Failure: c.Failure}
	switch {
	case !c.Status.Pending():
		seen.View, seen.Leads = ViewEnded, v.ReturnTo
	case v.Stage == consent.StageHeld && v.Knows(browser):
		seen.View = ViewEntersCode
	case v.Stage == consent.StageHeld:
		secret, err := s.openSecret(ctx, c)
		if err != nil || secret.Exchange == nil {
			return Seen{View: ViewElsewhere, Company: c.Company}, err
		}
		seen.View, seen.Code = ViewShowsCode, secret.Exchange.Code
	case v.Stage == consent.StageBarred:
		seen.View = ViewElsewhere
	case c.Step == consent.StepChoose && v.ReturnTo != "":
		seen.View, seen.Leads = ViewChooses, v.ReturnTo
	case c.Step == consent.StepWatch:
		secret, err := s.openSecret(ctx, c)
		if err != nil || !secret.PartlySigned {
			return seen, err
		}
		seen.View, seen.Until, seen.Leads = ViewOthersSign, c.AuthorizeBy, v.ReturnTo
		return seen, s.readSooner(ctx, c)
	}
	return seen, nil
}

// Return takes what a browser has brought back from the institution, and returns what it
// sees. name is that of the address (institution.Profile.ReturnName). The first return that is accepted is stored, and exchanged by the job of the
// consent; any other changes nothing. browser is the cookie of the browser.
func (s *Service) Return(ctx context.Context, name, state, browser string, by consent.Carrier, what url.Values) (Seen, error) {
	seen, stored, err := s.arrive(ctx, name, state, browser, by, what)
	if seen, err = orUnknown(seen, err); err == nil {
		s.Observer.Returned(cmp.Or(seen.Company, name), returnOutcome(stored, seen))
	}
	return seen, err
}

// arrive is Return without its observer. It reports whether what was brought is stored.
func (s *Service) arrive(ctx context.Context, name, state, browser string, by consent.Carrier, what url.Values) (seen Seen, stored bool, err error) {
	c, err := s.visited(ctx, state, browser)
	if err != nil || c.ID == "" || s.returnName(c.Company) != name {
		return Seen{View: ViewUnknown}, false, err
	}
	hash := consent.HashOf(browser)
	if !c.Visit.Is(state) && !c.Visit.IsOnce(state) {
		seen, err = s.seen(ctx, c, hash)
		return seen, false, err
	}
	code, err := s.shortCode()
	if err != nil {
		return Seen{}, false, err
	}
	var arrival consent.Arrival
	after, err := store.UpdateConsent(ctx, s.Store, c.ID, func(old consent.Consent) (consent.Consent, func(store.Tx) error, error) {
		arrival = consent.ArrivalElsewhere
		if old.Step != consent.StepWatch || !old.Visit.Is(state) && !old.Visit.IsOnce(state) {
			return old, nil, store.ErrUnchanged
		}
		secret, err := s.openSecret(ctx, old)
		if err != nil {
			return old, nil, err
		}
		bank := s.Institutions.Of(old.Company)
		j := job{Service: s, c: old, secret: secret, bank: bank}
		if j.returnsOnce() && !old.Visit.IsOnce(state) {
			return old, nil, store.ErrUnchanged
		}
		var v consent.Visit
		v, arrival = old.Visit.Arrived(hash, j.namesSigner(), what.Has("error") && !what.Has("code"), consent.HashOf(code))
		if arrival == consent.ArrivalKnown || arrival == consent.ArrivalElsewhere {
			return old, nil, store.ErrUnchanged
		}
		secret.Exchange = s.newExchange(by, what)
		if arrival == consent.ArrivalHeld {
			secret.Exchange.Code = code
		}
		return s.withVisit(ctx, old, v, secret)
	})
	if err != nil {
		return Seen{}, false, err
	}
	if arrival == consent.ArrivalAccepted {
		s.watching.Remove(string(after.ID))
		s.Jobs.Wake(store.Consents)
	}
	seen, err = s.seen(ctx, after, hash)
	return seen, arrival == consent.ArrivalAccepted || arrival == consent.ArrivalHeld, err
}

// withVisit returns a consent with a visit and a secret. If the visit is accepted, what was
// brought is exchanged next.
func (s *Service) withVisit(ctx context.Context, c consent.Consent, v consent.Visit, secret consent.Secret) (consent.Consent, func(store.Tx) error, error) {
	var e consent.Event = consent.Visited{Visit: v}
	now := s.Clock.Now()
	if v.Stage == consent.StageAccepted {
		e, c.WakeAt = consent.Brought{Visit: &v}, now
	}
	after, err := c.Apply(e, now)
	if err == nil {
		after, err = s.sealSecret(ctx, after, secret)
	}
	return after, nil, err
}

// EnterCode takes the short code that another browser shows. Wrong ones are counted.
func (s *Service) EnterCode(ctx context.Context, state, browser, code string) (Seen, error) {
	return orUnknown(s.enterCode(ctx, state, browser, code))
}

func (s *Service) enterCode(ctx context.Context, state, browser, code string) (Seen, error) {
	c, err := s.visited(ctx, state, browser)
	if err != nil || c.ID == "" {
		return Seen{View: ViewUnknown}, err
	}
	hash := consent.HashOf(browser)
	var outcome ReturnOutcome
	after, err := store.UpdateConsent(ctx, s.Store, c.ID, func(old consent.Consent) (consent.Consent, func(store.Tx) error, error) {
		outcome = ""
		if old.Step != consent.StepWatch || old.Visit.Stage != consent.StageHeld || !old.Visit.Knows(hash) {
			return old, nil, store.ErrUnchanged
		}
		secret, err := s.openSecret(ctx, old)
		if err != nil {
			return old, nil, err
		}
		v, right := old.Visit.Entered(hash, consent.HashOf(code))
		switch {
		case right:
			outcome = CodeAccepted
			if secret.Exchange != nil {
				secret.Exchange.Since = s.Clock.Now()
			}
		case v.Stage == consent.StageBarred:
			outcome = CodeBarred
		default:
			outcome = CodeWrong
		}
		return s.withVisit(ctx, old, v, secret)
	})
	if err != nil {
		return Seen{}, err
	}
	if outcome != "" {
		s.Observer.Returned(after.Company, outcome)
	}
	if after.Step == consent.StepComplete {
		s.watching.Remove(string(after.ID))
		s.Jobs.Wake(store.Consents)
	}
	return s.seen(ctx, after, hash)
}

// maxAgent is how much of a User-Agent is kept, in bytes.
const maxAgent = 500

// openedBy commits that a browser has opened the link, and returns what it may do. If it
// may not go on, nothing changes.
func (s *Service) openedBy(ctx context.Context, c consent.Consent, browser, agent string, begun bool) (departure consent.Departure, err error) {
	hash := c.Visit.Hash
	_, err = store.UpdateConsent(ctx, s.Store, c.ID, func(old consent.Consent) (consent.Consent, func(store.Tx) error, error) {
		departure = consent.DepartureBarred
		// The job that exchanges what another browser brought writes the row next, with tokens.
		// A browser that opens the link after another one came back must not become one that
		// may type the code of that one.
		if old.Step != consent.StepWatch || old.Visit == nil || old.Visit.Hash != hash || old.Visit.Stage != consent.StageOpen {
			return old, nil, store.ErrUnchanged
		}
		secret, err := s.openSecret(ctx, old)
		if err != nil {
			return old, nil, err
		}
		j := job{Service: s, c: old, secret: secret, bank: s.Institutions.Of(old.Company)}
		var v consent.Visit
		if v, departure = old.Visit.Opened(browser, j.namesSigner(), begun); departure != consent.DepartureGoes {
			return old, nil, store.ErrUnchanged
		}
		after, err := old.Apply(consent.Visited{Visit: v}, s.Clock.Now())
		if err == nil && secret.UserAgent == "" && secret.IPAddress != "" {
			secret.UserAgent = agent[:min(len(agent), maxAgent)]
			after, err = s.sealSecret(ctx, after, secret)
		}
		return after, nil, err
	})
	return departure, err
}

// codeAlphabet has no letters or digits that look alike.
var codeAlphabet = base32.NewEncoding("ABCDEFGHJKLMNPQRSTUVWXYZ23456789").WithPadding(base32.NoPadding)

// shortCode returns a new short code, of 30 random bits.
func (s *Service) shortCode() (string, error) {
	raw := make([]byte, 4)
	if _, err := io.ReadFull(s.Random, raw); err != nil {
		return "", err
	}
	return codeAlphabet.EncodeToString(raw)[:6], nil
}

// checkReturnTo returns a fault for an address that the client has not registered: persons
// are not sent anywhere else.
func (s *Service) checkReturnTo(ctx context.Context, r Request) error {
	if r.ReturnTo == "" || r.ReturnsHere {
		return nil
	}
	registered, err := s.Store.HasReturnURL(ctx, r.ClientID, r.ReturnTo)
	if err != nil || registered {
		return err
	}
	f := fault.New(fault.InvalidParameter)
	f.Fields = []fault.Field{{Pointer: r.ReturnToAt, Code: fault.Invalid, Message: "must be one of the addresses that are registered for the client (samla client return-url add)"}}
	return f
}
