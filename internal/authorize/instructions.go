package authorize

import (
	"sync"
	"time"

	"samla/internal/consent"
	"samla/internal/institution"
)

// instructionCache holds the instructions that the bank last gave this process. The
// row holds the first ones; a QR text that is new each second is never stored.
type instructionCache struct {
	mu      sync.Mutex
	entries map[consent.ID]*entry
	puts    int
	// refreshes counts the refreshes of all entries that were begun.
	refreshes int
}

type entry struct {
	instructions consent.Instructions
	expires      time.Time // the earliest expiry that the bank gave
	until        time.Time // after this there are no polls
	asking       int       // number of the refresh under way; 0 = none
	panel        *panel    // what polls show now; nil before the first poll
}

// panel is what polls show of one state of the instructions. It is made by the
// first poll that needs it, outside the lock of the cache.
type panel struct {
	once    sync.Once
	shown   *Shown
	text    string // of the QR code
	drawing *drawing
}

// drawing is the picture of one QR text, drawn once.
type drawing struct {
	once sync.Once
	text string
	png  string
}

// forgetAfter is how long an entry is kept after its authorization has timed out.
// Every forgetEvery puts such entries are removed.
const (
	forgetAfter = time.Minute
	forgetEvery = 4096
)

func newInstructionCache() *instructionCache {
	return &instructionCache{entries: map[consent.ID]*entry{}}
}

// put stores instructions unless it has newer ones.
func (l *instructionCache) put(c consent.Consent, i *consent.Instructions) {
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
	l.forgetOld(i.RefreshedAt)
	if i.RefreshedAt.Before(e.instructions.RefreshedAt) {
		return
	}
	now := *i
	if now.QRData == "" && now.QRImage == "" {
		// The person has scanned the code: it stays on the screen as it was, and
		// the message says what comes next.
		now.QRData, now.QRImage = e.instructions.QRData, e.instructions.QRImage
	}
	// The time to sign never grows: a bank that gives a new expiry in each answer,
	// or one after our own deadline, does not extend it.
	now.ExpiresAt = sooner(c.AuthorizeBy, sooner(e.expires, i.ExpiresAt))
	e.instructions, e.expires, e.asking = now, now.ExpiresAt, 0
	if e.panel != nil {
		e.panel = &panel{text: e.panel.text, drawing: e.panel.drawing}
	}
}

// forgetOld removes entries without polls, once every forgetEvery calls.
func (l *instructionCache) forgetOld(now time.Time) {
	if l.puts++; l.puts%forgetEvery != 0 {
		return
	}
	for id, e := range l.entries {
		if now.After(e.until) {
			delete(l.entries, id)
		}
	}
}

// sooner is the earlier of two times. A zero time is unknown.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func (l *instructionCache) drop(id consent.ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.entries, id)
}

// show returns what the person is shown at the time now; found is false when the
// cache has nothing for the consent. A refresh that is not 0 says that the QR text is
// older than stale, and that the caller has to ask the bank for a newer one; it is the
// number of this refresh.
func (l *instructionCache) show(c consent.Consent, gives institution.QRKind, now time.Time, stale time.Duration) (shown *Shown, refresh int, found bool) {
	l.mu.Lock()
	e := l.entries[c.ID]
	if e == nil {
		l.mu.Unlock()
		return nil, 0, false
	}
	if stale > 0 && e.instructions.QRData != "" && now.Sub(e.instructions.RefreshedAt) > stale && e.asking == 0 {
		l.refreshes++
		e.asking, refresh = l.refreshes, l.refreshes
	}
	text := qrText(&e.instructions, now)
	if e.panel == nil || e.panel.text != text {
		e.panel = &panel{text: text, drawing: &drawing{text: text}}
	}
	p, i := e.panel, e.instructions
	l.mu.Unlock()
	p.once.Do(func() { p.shown = show(c, gives, &i, p.drawing) })
	return p.shown, refresh, true
}

// asked ends a refresh, unless its result has done so: then the next one may be under
// way already.
func (l *instructionCache) asked(id consent.ID, refresh int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.entries[id]; e != nil && e.asking == refresh {
		e.asking = 0
	}
}
