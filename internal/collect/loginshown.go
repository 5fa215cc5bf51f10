package collect

import (
	"context"
	"errors"
	"sync"
	"time"

	"samla/internal/clock"
	"samla/internal/collection"
	"samla/internal/dialogue"
	"samla/internal/institution"
	"samla/internal/lru"
	"samla/internal/qr"
	"samla/internal/seal"
)

// knownLogin is what an institution said last of one login, as this node knows it. The node
// that watches the login puts what it hears; others read the store.
type knownLogin struct {
	rev   int64 // of the row
	state dialogue.State
	at    time.Time // when the institution said it, or it was read

	mu     sync.Mutex
	panel  *panel
	asking bool // a refresh is under way
}

// panel is what polls show in one second. The first poll that needs it makes it.
type panel struct {
	second int64
	once   sync.Once
	shown  *dialogue.Shown
}

// Bounds of what is kept in memory of logins for polls: bytes, and time.
const (
	maxKnown = 64 << 20
	knownAge = 2 * time.Minute
)

func newKnownLogins(c clock.Clock) *lru.Cache[string, *knownLogin] {
	return lru.NewWeighed[string](c, maxKnown, knownAge, func(t *knownLogin) int { return t.state.Weight() })
}

// setKnown makes polls show a state. It must be stored, except for a QR code that moves.
func (s *Service) setKnown(c collection.Collection, state dialogue.State) {
	s.knownLogins.Put(c.ID, &knownLogin{rev: c.Rev, state: state, at: s.Clock.Now()})
}

// shown returns what the person is shown now, or nil. It belongs to the status of c: if the
// login has moved to another status after c was read, nothing is shown, and the next poll
// has both.
func (s *Service) shown(ctx context.Context, c collection.Collection) (*dialogue.Shown, error) {
	if c.Mode != collection.Dialogue || c.Status.Terminal() {
		return nil, nil
	}
	t, known := s.knownLogins.Peek(c.ID)
	if !known || t.rev < c.Rev {
		secret, err := s.secret(ctx, c)
		if errors.Is(err, seal.ErrKeyDestroyed) {
			return nil, nil // it was erased after the row was read
		}
		if err != nil || secret.Dialogue == nil {
			return nil, err
		}
		t = &knownLogin{rev: c.Rev, state: *secret.Dialogue, at: s.Clock.Now()}
		if now, put := s.knownLogins.Peek(c.ID); put && now.rev >= t.rev {
			t = now // the watch was faster
		} else {
			s.knownLogins.Put(c.ID, t)
		}
	}
	if t.rev > c.Rev && collection.StatusOf(t.state, c.Status) != c.Status {
		return nil, nil
	}
	now := s.Clock.Now()
	s.refresh(c, t, now)
	return t.shown(now), nil
}

// shown returns what is shown at the time now. The picture of a QR text is drawn once,
// and no lock is held meanwhile.
func (t *knownLogin) shown(now time.Time) *dialogue.Shown {
	second := t.state.Second(now)
	t.mu.Lock()
	if t.panel == nil || t.panel.second != second {
		t.panel = &panel{second: second}
	}
	p := t.panel
	t.mu.Unlock()
	p.once.Do(func() {
		if p.shown = t.state.Shown(now); p.shown != nil && p.shown.QRText != "" {
			p.shown.QRImage = (&qr.Drawing{Text: p.shown.QRText}).Image()
		}
	})
	return p.shown
}

const (
	// staleAfter is how old a QR text or picture of the institution's own may be before a
	// poll on a node that does not watch the login asks for a newer one.
	staleAfter = 900 * time.Millisecond
	// refreshTime bounds one such question, maxRefreshes how many are under way at once.
	refreshTime  = 5 * time.Second
	maxRefreshes = 64
)

// refresh asks the institution for the turn in the background, for the next poll, if what
// this node has is a QR text or picture that has moved on. The node that watches the login
// sees everything else.
func (s *Service) refresh(c collection.Collection, t *knownLogin, now time.Time) {
	w := t.state.Turn.Wait
	if w == nil || w.QRText == "" && w.QRImage == "" || w.QRSecret != "" || now.Sub(t.at) <= staleAfter || s.loginWatch.Watches(c.ID) {
		return
	}
	bank, _ := s.Institutions.Find(c.Company)
	t.mu.Lock()
	ask := bank.Loginer != nil && !t.asking
	t.asking = t.asking || ask
	t.mu.Unlock()
	if !ask {
		return
	}
	done := func() {
		t.mu.Lock()
		t.asking = false
		t.mu.Unlock()
	}
	select {
	case s.refreshes <- struct{}{}:
	default: // enough questions are under way; a later poll asks again
		done()
		return
	}
	go func() {
		defer func() { <-s.refreshes }()
		defer done()
		ctx, cancel := context.WithTimeout(institution.WithSubject(context.Background(), c.Subject()), refreshTime)
		defer cancel()
		turn, err := bank.Loginer.Turn(ctx, t.state.Session)
		if err != nil {
			return
		}
		next, err := t.state.Apply(dialogue.Told{Turn: turn}, s.limitsOf(c.Company), s.Clock.Now())
		if err == nil && next.Moved(t.state) {
			s.setKnown(c, next)
		}
	}()
}
