package aspsp_test

import (
	"errors"
	"testing"
	"time"

	"samla/internal/sandbox/aspsp"
	"samla/internal/sandbox/persona"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var start = time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)

// step is a move that the drawing in Consent.Apply allows.
type step struct{ from, to aspsp.ConsentStatus }

var allowed = map[step]bool{
	{aspsp.Received, aspsp.Valid}: true, {aspsp.Received, aspsp.Rejected}: true, {aspsp.Received, aspsp.TerminatedByTPP}: true,
	{aspsp.Valid, aspsp.RevokedByPSU}: true, {aspsp.Valid, aspsp.TerminatedByTPP}: true, {aspsp.Valid, aspsp.Expired}: true,
}

var all = []aspsp.ConsentStatus{
	aspsp.Received, aspsp.Rejected, aspsp.Valid, aspsp.RevokedByPSU, aspsp.Expired, aspsp.TerminatedByTPP,
}

func TestConsentMovesAsDrawn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := start
		c := aspsp.Consent{
			Status: aspsp.Received, Created: now, Changed: now, Recurring: rapid.Bool().Draw(t, "recurring"),
			Until: (persona.DayAt(now) + persona.Day(rapid.IntRange(0, 200).Draw(t, "days"))).String(),
		}
		for range rapid.IntRange(1, 12).Draw(t, "events") {
			now = now.Add(time.Duration(rapid.IntRange(0, 40*24*60).Draw(t, "minutes")) * time.Minute)
			event := rapid.SampledFrom([]aspsp.ConsentEvent{
				aspsp.Authorised{Signer: "x"}, aspsp.Refused{}, aspsp.Withdrawn{}, aspsp.Ended{}, aspsp.Passed{},
			}).Draw(t, "event")
			next, err := c.Apply(event, now)
			switch {
			case err != nil && !errors.Is(err, aspsp.ErrState):
				t.Fatalf("error %v", err)
			case err != nil && !cmp.Equal(c, next):
				t.Fatalf("a refused event changed %+v to %+v", c, next)
			case next.Status != c.Status && !allowed[step{c.Status, next.Status}]:
				t.Fatalf("%s became %s", c.Status, next.Status)
			case next.Status != c.Status && !next.Changed.Equal(now):
				t.Fatalf("the moment of the change is %v", next.Changed)
			case next.Status == aspsp.Valid && (next.Signer == "" || next.SCA.IsZero()):
				t.Fatal("valid without a signer")
			}
			if _, passed := event.(aspsp.Passed); passed {
				if err != nil {
					t.Fatal("time was refused")
				}
				if next.Status == aspsp.Valid && persona.DayAt(now).String() > next.Until {
					t.Fatalf("valid on %v, until %s", now, next.Until)
				}
				if again, _ := next.Apply(aspsp.Passed{}, now); !cmp.Equal(next, again) {
					t.Fatal("the same moment twice is not the same")
				}
			}
			c = next
		}
	})
}

// Each event meets each status.
func TestConsentEventTable(t *testing.T) {
	for _, status := range all {
		for _, c := range []struct {
			event aspsp.ConsentEvent
			from  []aspsp.ConsentStatus
			to    aspsp.ConsentStatus
		}{
			{aspsp.Authorised{Signer: "x"}, all[:1], aspsp.Valid},
			{aspsp.Refused{}, all[:1], aspsp.Rejected},
			{aspsp.Withdrawn{}, all[2:3], aspsp.RevokedByPSU},
			{aspsp.Ended{}, []aspsp.ConsentStatus{aspsp.Received, aspsp.Valid}, aspsp.TerminatedByTPP},
		} {
			fits := false
			for _, from := range c.from {
				fits = fits || from == status
			}
			next, err := aspsp.Consent{Status: status}.Apply(c.event, start)
			if fits != (err == nil) || (fits && next.Status != c.to) || (!fits && next.Status != status) {
				t.Errorf("%T on %s: %s, %v", c.event, status, next.Status, err)
			}
		}
		if status.Final() != (status != aspsp.Received && status != aspsp.Valid) {
			t.Errorf("%s: Final", status)
		}
	}
}

func TestAuthorisationMovesAsDrawn(t *testing.T) {
	rank := map[aspsp.SCAStatus]int{aspsp.MethodSelected: 0, aspsp.Started: 1, aspsp.Finalised: 2, aspsp.Failed: 2}
	rapid.Check(t, func(t *rapid.T) {
		named := rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "named")
		a := aspsp.Authorisation{Status: aspsp.MethodSelected, PSUID: named}
		for range rapid.IntRange(1, 8).Draw(t, "events") {
			event := rapid.SampledFrom([]aspsp.SCAEvent{
				aspsp.Pending{Hint: "outstandingTransaction"}, aspsp.Pending{Hint: "userSign"},
				aspsp.Signed{Signer: "a"}, aspsp.Broken{Hint: "userCancel"},
			}).Draw(t, "event")
			next, err := a.Apply(event)
			if (err != nil) != a.Status.Final() || (err != nil && next.Status != a.Status) {
				t.Fatalf("%T on %s: %v", event, a.Status, err)
			}
			if rank[next.Status] < rank[a.Status] {
				t.Fatalf("%s became %s", a.Status, next.Status)
			}
			if next.Status == aspsp.Finalised && (next.Signer != "a" || (named != "" && named != "a")) {
				t.Fatalf("%q signed, %q was named", next.Signer, named)
			}
			if next.Status == aspsp.Failed && next.Hint == "" {
				t.Fatal("failed without a hint")
			}
			a = next
		}
	})
}
