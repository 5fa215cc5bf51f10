package collect

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/collection"
	"samla/internal/dialogue"
)

// A poll that has read the row before the login moved on shows no question in a status that
// does not ask one.
func TestShown_BelongsToTheStatusThatWasRead(t *testing.T) {
	clk := clock.NewManual(time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC))
	s := &Service{Deps: Deps{Clock: clk}, knownLogins: newKnownLogins(clk)}
	asks := dialogue.State{Session: "s", Turn: dialogue.Turn{ID: "t", Ask: &dialogue.Ask{Question: "q", Kind: dialogue.Code}}}
	stored := collection.Collection{ID: "c", Mode: collection.Dialogue, Status: collection.TwoFactorPending, Rev: 3}
	s.setKnown(stored, asks)
	for _, c := range []struct {
		status collection.Status
		rev    int64
		want   bool
	}{
		{collection.Running, 1, false}, {collection.Login, 2, false}, {collection.TwoFactorPending, 2, true}, {collection.TwoFactorPending, 3, true},
	} {
		row := stored
		row.Status, row.Rev = c.status, c.rev
		if shown, err := s.shown(t.Context(), row); err != nil || (shown != nil) != c.want {
			t.Errorf("%s, version %d: %+v, %v", c.status, c.rev, shown, err)
		}
	}
}

// Logins with large turns do not fill the memory: the oldest are read from the store again.
func TestTold_IsBoundedByBytes(t *testing.T) {
	clk := clock.NewManual(time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC))
	s := &Service{Deps: Deps{Clock: clk}, knownLogins: newKnownLogins(clk)}
	large := dialogue.State{Turn: dialogue.Turn{Wait: &dialogue.Wait{QRImage: strings.Repeat("x", 256<<10)}}}
	const logins = 1000
	for i := range logins {
		s.setKnown(collection.Collection{ID: strconv.Itoa(i)}, large)
	}
	kept := 0
	for i := range logins {
		if _, known := s.knownLogins.Peek(strconv.Itoa(i)); known {
			kept++
		}
	}
	if kept == 0 || kept > maxKnown/(256<<10) {
		t.Errorf("%d of %d logins are kept", kept, logins)
	}
}
