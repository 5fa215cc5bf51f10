package ledger_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"testing"
	"time"

	"samla/internal/ledger"
)

var (
	now  = time.Date(2026, 3, 20, 8, 0, 0, 0, time.UTC)
	head = ledger.Head{Generation: 1994, Pos: 900, Swept: 20}
)

func TestCursor_IsReadAsItWasWritten(t *testing.T) {
	c := ledger.Cursor{Generation: 1994, Pos: 77, Known: 40, Base: 12, At: now}
	got, err := marker.Read("acc", marker.Text("acc", c), head, now.Add(ledger.CursorLife))
	if err != nil || got != c {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestCursor_IsRefused(t *testing.T) {
	c := ledger.Cursor{Generation: 1994, Pos: 77, At: now}
	with := func(change func(*ledger.Cursor)) string {
		other := c
		change(&other)
		return marker.Text("acc", other)
	}
	other := ledger.NewMarker(bytes.Repeat([]byte{1}, ledger.KeySize))
	for name, tc := range map[string]struct {
		text string
		want error
	}{
		"empty":           {"", ledger.ErrCursor},
		"no base64":       {"?", ledger.ErrCursor},
		"cut":             {marker.Text("acc", c)[:12], ledger.ErrCursor},
		"another account": {marker.Text("acd", c), ledger.ErrCursor},
		"another key":     {other.Text("acc", c), ledger.ErrCursor},
		"another form":    {"Ag" + marker.Text("acc", c)[2:], ledger.ErrCursor},
		"old generation":  {with(func(c *ledger.Cursor) { c.Generation = 1993 }), ledger.ErrCursorGeneration},
		"not reached":     {with(func(c *ledger.Cursor) { c.Pos = 901 }), ledger.ErrCursorGeneration},
		"old":             {with(func(c *ledger.Cursor) { c.At = now.Add(-ledger.CursorLife - time.Second) }), ledger.ErrCursorExpired},
		"before a sweep":  {with(func(c *ledger.Cursor) { c.Pos = 19 }), ledger.ErrCursorExpired},
	} {
		if _, err := marker.Read("acc", tc.text, head, now); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
	}
}

// A page that is not the last one does not make a cursor younger: what was removed
// after it may be swept when its time is over.
func TestCursor_IsNotRenewedByAPageInTheMiddle(t *testing.T) {
	c := ledger.Cursor{Generation: 1994, Pos: 77, At: now}
	later := now.Add(time.Hour)
	if got := c.Next(80, true, later); !got.At.Equal(now) || got.Pos != 80 {
		t.Errorf("in the middle: %+v", got)
	}
	if got := c.Next(80, false, later); !got.At.Equal(later) {
		t.Errorf("at the end: %+v", got)
	}
}

func FuzzCursor(f *testing.F) {
	f.Add(marker.Text("acc", ledger.Cursor{Generation: 1994, Pos: 77, At: now}))
	f.Fuzz(func(t *testing.T, text string) {
		c, err := marker.Read("acc", text, head, now)
		if err == nil && marker.Text("acc", c) != text {
			t.Error("a cursor was read that was not written")
		}
		if raw, bad := base64.RawURLEncoding.DecodeString(text); bad == nil && len(raw) > 0 {
			raw[len(raw)-1] ^= 1
			changed := base64.RawURLEncoding.EncodeToString(raw)
			// A text that is no cursor can be one that was changed: changed back, it is read.
			if c, changedErr := marker.Read("acc", changed, head, now); !errors.Is(changedErr, ledger.ErrCursor) && (err == nil || marker.Text("acc", c) != changed) {
				t.Errorf("a changed cursor: %v", changedErr)
			}
		}
	})
}
