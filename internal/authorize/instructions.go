package authorize

import (
	"cmp"
	"sync"
	"time"

	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/qr"
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
	rev          int64     // of the newest row that was seen
	started      time.Time // when the authorization began
	told         time.Time // the earliest expiry that the bank gave of it
	until        time.Time // after this there are no polls
	asking       int       // number of the refresh under way; 0 = none
	moves        bool      // the bank gave a QR text with its last answer
	polled       time.Time // the last poll; before the first one, the first answer
	panel        *panel    // what polls show now; nil before the first poll
}

// panel is what polls show of one state of the instructions. It is made by the
// first poll that needs it, outside the lock of the cache.
type panel struct {
	once    sync.Once
	shown   *Shown
	text    string // of the QR code
	drawing *qr.Drawing
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

// put stores what the bank has given for the authorization that s describes, unless the
// cache has newer instructions. i is nil if the bank gave nothing new.
func (l *instructionCache) put(c consent.Consent, s consent.Signing, i *consent.Instructions) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entries[c.ID]
	if e == nil || e.started.Before(s.Started) {
		if i == nil {
			return
		}
		if e == nil {
			e = &entry{}
			l.entries[c.ID] = e
		}
		// What was shown of an earlier authorization is no longer of use.
		*e = entry{until: c.AuthorizeBy.Add(forgetAfter), started: s.Started, rev: e.rev, panel: e.panel, polled: e.polled}
		if e.polled.IsZero() {
			e.polled = i.RefreshedAt
		}
	}
	e.rev = max(e.rev, c.Rev)
	now := e.instructions
	if i != nil {
		l.forgetOld(i.RefreshedAt)
		if s.Started.Before(e.started) || i.RefreshedAt.Before(e.instructions.RefreshedAt) {
			return
		}
		now = *i
		e.moves = i.QRData != ""
		keep(&now, e.instructions)
		e.told, e.asking = sooner(e.told, i.ExpiresAt), 0
	}
	now.ExpiresAt = sooner(e.told, s.ShownUntil())
	if now == e.instructions {
		return
	}
	e.instructions = now
	if e.panel != nil {
		e.panel = &panel{text: e.panel.text, drawing: e.panel.drawing}
	}
}

// keep adds what the bank gave earlier and does not repeat: it stays on the screen as it
// was, and the message says what comes next.
func keep(now *consent.Instructions, earlier consent.Instructions) {
	if !now.HasCode() {
		now.QRData, now.QRImage = earlier.QRData, earlier.QRImage
		now.QRStartToken, now.QRSecret = earlier.QRStartToken, earlier.QRSecret
	}
	if now.QRStartToken == earlier.QRStartToken { // its seconds count from the first answer
		now.QRStartedAt = earlier.QRStartedAt
	}
	now.AutoStartToken = cmp.Or(now.AutoStartToken, earlier.AutoStartToken)
	now.RedirectURL, now.Start = cmp.Or(now.RedirectURL, earlier.RedirectURL), cmp.Or(now.Start, earlier.Start)
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
// cache has nothing for the consent. A refresh that is not 0 says that the QR text, or
// what has stopped working, is older than stale, and that the caller has to ask the bank
// for a newer one; it is the number of this refresh.
func (l *instructionCache) show(c consent.Consent, gives institution.QRKind, now time.Time, stale time.Duration) (shown *Shown, refresh int, found bool) {
	l.mu.Lock()
	e := l.entries[c.ID]
	if e == nil || stale > 0 && e.rev < c.Rev { // the row may have other instructions
		l.mu.Unlock()
		return nil, 0, false
	}
	if stale > 0 && (e.instructions.QRData != "" || !now.Before(e.instructions.ExpiresAt)) && now.Sub(e.instructions.RefreshedAt) > stale && e.asking == 0 {
		l.refreshes++
		e.asking, refresh = l.refreshes, l.refreshes
	}
	text := qrText(&e.instructions, now)
	if e.panel == nil || e.panel.text != text {
		e.panel = &panel{text: text, drawing: &qr.Drawing{Text: text}}
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
