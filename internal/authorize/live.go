package authorize

import (
	"context"
	"errors"
	"sync"
	"time"

	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/institution"
	"samla/internal/store"
)

// live holds what the person has to do right now, as the bank last told this
// process. The row holds what the bank told first; a QR text that is new each
// second is never written down.
type live struct {
	mu      sync.Mutex
	entries map[consent.ID]*entry
	puts    int
}

type entry struct {
	instructions *consent.Instructions
	at           time.Time // RefreshedAt of the instructions
	expires      time.Time // the soonest end that was told
	asking       bool      // a refresh is under way
	watched      bool      // this node has watched the authorisation
	over         bool      // the consent has ended; whoever watches it may stop
	until        time.Time // after this nobody asks any more
	shown        *Shown    // of instructions, with the QR text it was drawn for
}

// forgetAfter is how long after its authorisation ran out an entry is kept, and
// how many puts go by between two looks for such entries.
const (
	forgetAfter = time.Minute
	forgetEvery = 4096
)

func newLive() *live { return &live{entries: map[consent.ID]*entry{}} }

func (l *live) put(c consent.Consent, i *consent.Instructions) {
	if i == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entries[c.ID]
	if e == nil {
		e = &entry{until: c.AuthorizeBy.Add(forgetAfter)}
		l.entries[c.ID] = e
	}
	if l.puts++; l.puts%forgetEvery == 0 {
		for id, old := range l.entries {
			if i.RefreshedAt.After(old.until) {
				delete(l.entries, id)
			}
		}
	}
	if i.RefreshedAt.Before(e.at) {
		return
	}
	// The time to sign only ever runs: a bank that tells it anew each time, or
	// beyond our own, does not give more of it.
	now := *i
	if was := e.instructions; was != nil && now.QRData == "" && now.QRImage == "" {
		// The person has scanned the code: it stays on the screen as it was, and
		// the message says what comes next.
		now.QRData, now.QRImage = was.QRData, was.QRImage
	}
	now.ExpiresAt = sooner(c.AuthorizeBy, sooner(e.expires, i.ExpiresAt))
	e.instructions, e.at, e.expires, e.asking, e.shown = &now, i.RefreshedAt, now.ExpiresAt, false, nil
}

// sooner is the earlier of two moments, of which either may be unknown.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// watch is put for the node that watches.
func (l *live) watch(c consent.Consent, i *consent.Instructions) {
	l.put(c, i)
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.entries[c.ID]; e != nil {
		e.watched = true
	}
}

// end marks a consent that has ended elsewhere, so that its watcher stops.
func (l *live) end(id consent.ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.entries[id]; e != nil {
		e.over = true
	}
}

func (l *live) ended(id consent.ID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entries[id]
	if e == nil || !e.over {
		return false
	}
	delete(l.entries, id)
	return true
}

func (l *live) drop(id consent.ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.entries, id)
}

// staleAfter is how old a QR text may be before a poll asks the bank for a new
// one itself, because this node is not the one that watches. A node that has
// watched lately gives its watch time to answer.
const (
	staleAfter   = 900 * time.Millisecond
	watchedStale = 3 * time.Second
)

// Poll answers a status poll of a user's own consent: the consent, and what the
// person has to do while it awaits authorisation. Faults: ConsentNotFound, and
// Unauthorized once the user was anonymized.
func (s *Service) Poll(ctx context.Context, clientID, userID string, id consent.ID) (consent.Consent, *Shown, error) {
	view, err := s.Store.ConsentStatus(ctx, id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return view.Consent, nil, fault.New(fault.ConsentNotFound)
	case err != nil:
		return view.Consent, nil, err
	case view.ClientID != clientID, view.UserID != userID, view.CollectionID != "":
		return view.Consent, nil, fault.New(fault.ConsentNotFound)
	case view.UserGone:
		return view.Consent, nil, fault.New(fault.Unauthorized)
	}
	shown, err := s.Show(ctx, view.Consent)
	return view.Consent, shown, err
}

// Show tells what the person has to do, for a consent that awaits
// authorisation; nil when that is not known or nothing is asked. It is as fresh
// as this node knows; when that is too old for a moving QR code it asks the bank
// in the background, for the next poll.
func (s *Service) Show(ctx context.Context, c consent.Consent) (*Shown, error) {
	if c.Status != consent.AwaitingAuthorization {
		return nil, nil
	}
	now := s.Clock.Now()
	if shown, found := s.live.show(s, c, now); found {
		return shown, nil
	}
	secret, err := s.secret(ctx, c)
	if err != nil || secret.Instructions == nil {
		return nil, err
	}
	s.live.put(c, secret.Instructions)
	shown, _ := s.live.show(s, c, now)
	return shown, nil
}

func (l *live) show(s *Service, c consent.Consent, now time.Time) (*Shown, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entries[c.ID]
	if e == nil || e.instructions == nil {
		return nil, false
	}
	stale := staleAfter
	if e.watched {
		stale = watchedStale
	}
	if e.instructions.QRData != "" && now.Sub(e.at) > stale && !e.asking {
		e.asking, e.watched = true, false
		go s.refresh(context.Background(), c)
	}
	if text := qrText(e.instructions, now); e.shown == nil || e.shown.QRData != text {
		e.shown = show(c, s.Institutions[c.Company].Profile.QR, e.instructions, text)
	}
	return e.shown, true
}

// refresh asks the bank how the authorisation stands and keeps what it says for
// the next poll.
func (s *Service) refresh(ctx context.Context, c consent.Consent) {
	ctx, cancel := context.WithTimeout(institution.WithSubject(ctx, c.Subject()), 5*time.Second)
	defer cancel()
	defer func() {
		s.live.mu.Lock()
		if e := s.live.entries[c.ID]; e != nil {
			e.asking = false
		}
		s.live.mu.Unlock()
	}()
	authorizer := s.Institutions[c.Company].Authorizer
	if authorizer == nil {
		return
	}
	secret, err := s.secret(ctx, c)
	if err != nil {
		return
	}
	v := visit{Service: s, c: c, secret: secret}
	a, err := authorizer.AuthorizationStatus(ctx, v.access(), secret.AuthorizationID, secret.StatusLink, otherDevice(c))
	if err == nil && a.State == institution.AuthorizationPending {
		s.live.put(c, a.Instructions)
	}
}
