package ledger

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"
)

// CursorLife is how long a cursor can be used, counted from the state that it stands
// for (docs/reference/api.md 12.3).
const CursorLife = 90 * 24 * time.Hour

// TombstoneLife is how long a removed row is kept: a day longer than any cursor that
// has not seen it, because the clocks of nodes differ.
const TombstoneLife = CursorLife + 24*time.Hour

// Errors of cursors.
var (
	// ErrCursor: not a cursor of this account's feed.
	ErrCursor = errors.New("ledger: not a cursor of this feed")
	// ErrCursorExpired: older than CursorLife.
	ErrCursorExpired = errors.New("ledger: the cursor has expired")
	// ErrCursorGeneration: of an earlier generation of the feed.
	ErrCursorGeneration = errors.New("ledger: the feed was started again")
)

// Cursor is a place in an account's feed.
type Cursor struct {
	Generation int64
	Pos        int64 // of the last row that the follower has
	// Known is the position of the last state that the follower has had as a whole.
	Known int64
	// Base is the position of the feed when the follower began. It had nothing then, so
	// it is not told what was removed before.
	Base int64
	// At is the time of the state that the cursor stands for: when a page is not the
	// last one, that of the cursor before.
	At time.Time
}

const (
	cursorForm = 1
	macSize    = 16
)

// Text returns the cursor as clients have it: opaque, and authenticated for one account
// with the key of its feed.
func (m *Marker) Text(account string, c Cursor) string {
	b := []byte{cursorForm}
	b = binary.AppendVarint(b, c.Generation)
	b = binary.AppendVarint(b, c.Pos)
	b = binary.AppendVarint(b, c.Known)
	b = binary.AppendVarint(b, c.Base)
	b = binary.AppendVarint(b, c.At.UnixMicro())
	return base64.RawURLEncoding.EncodeToString(append(b, m.cursorMAC(account, b)...))
}

func (m *Marker) cursorMAC(account string, b []byte) []byte {
	m.buffer = append(append(m.buffer[:0], kindCursor), byte(len(account)))
	m.buffer = append(append(m.buffer, account...), b...)
	m.hash()
	return m.sum[:macSize]
}

// Head is where a feed is.
type Head struct {
	// Generation is greater for each time that the feed was started again. It is the time
	// of that in Unix milliseconds, if possible, so that no generation from after a backup
	// comes again after the backup was restored.
	Generation int64
	Pos        int64 // of the last row that was written
	Swept      int64 // of the last tombstone that was swept
}

// Restart returns the generation after this one.
func (h Head) Restart(now time.Time) int64 { return max(h.Generation+1, now.UnixMilli()) }

// Begin returns the cursor of a follower that has nothing.
func (h Head) Begin(now time.Time) Cursor {
	return Cursor{Generation: h.Generation, Base: h.Pos, At: now}
}

// Read returns the cursor in a text. Errors: ErrCursor, ErrCursorExpired,
// ErrCursorGeneration.
func (m *Marker) Read(account, text string, h Head, now time.Time) (Cursor, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) < 1+macSize || b[0] != cursorForm {
		return Cursor{}, ErrCursor
	}
	b, mac := b[:len(b)-macSize], b[len(b)-macSize:]
	if !hmac.Equal(mac, m.cursorMAC(account, b)) {
		return Cursor{}, ErrCursor
	}
	b = b[1:]
	var numbers [5]int64
	for i := range numbers {
		n, size := binary.Varint(b)
		if size <= 0 {
			return Cursor{}, ErrCursor
		}
		numbers[i], b = n, b[size:]
	}
	c := Cursor{Generation: numbers[0], Pos: numbers[1], Known: numbers[2], Base: numbers[3], At: time.UnixMicro(numbers[4]).UTC()}
	switch {
	case c.Generation != h.Generation || c.Pos > h.Pos:
		// A position that the feed has not reached is of a state that was lost.
		return Cursor{}, ErrCursorGeneration
	case now.Sub(c.At) > CursorLife, max(c.Pos, c.Base) < h.Swept:
		return Cursor{}, ErrCursorExpired
	}
	return c, nil
}

// Next returns the cursor after a page: at the last row of it, or, when no more rows
// follow, at the head that was read before the page.
func (c Cursor) Next(last int64, more bool, now time.Time) Cursor {
	c.Pos = max(c.Pos, last)
	if !more {
		c.Known, c.At = c.Pos, now
	}
	return c
}

// Kind is how a row differs from the last state that a follower has had as a whole.
type Kind int8

// The kinds. A follower stores what is added and modified under its id, and deletes what
// is removed, also an id that it does not have: between two whole states a row can be
// told more than once.
const (
	Added Kind = iota
	Modified
	Gone
)

// Told returns how a row, of which the last change is after the cursor, is told. born is
// the position at which it was added, or came back.
func (c Cursor) Told(removed bool, born int64) Kind {
	switch {
	case removed:
		return Gone
	case born > c.Known:
		return Added
	default:
		return Modified
	}
}
