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

// transition is an arrow of the diagram at Consent.Apply.
type transition struct{ from, to aspsp.ConsentStatus }

var allowed = map[transition]bool{
	{aspsp.Received, aspsp.Valid}: true, {aspsp.Received, aspsp.Rejected}: true, {aspsp.Received, aspsp.TerminatedByTPP}: true,
	{aspsp.Received, aspsp.Partly}: true, {aspsp.Partly, aspsp.Valid}: true, {aspsp.Partly, aspsp.Rejected}: true, {aspsp.Partly, aspsp.TerminatedByTPP}: true,
	{aspsp.Valid, aspsp.RevokedByPSU}: true, {aspsp.Valid, aspsp.TerminatedByTPP}: true, {aspsp.Valid, aspsp.Expired}: true,
}

var all = []aspsp.ConsentStatus{
	aspsp.Received, aspsp.Rejected, aspsp.Valid, aspsp.RevokedByPSU, aspsp.Expired, aspsp.TerminatedByTPP, aspsp.Partly,
}

func TestConsent_FollowsStateDiagram(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := start
		c := aspsp.Consent{
			Status: aspsp.Received, Created: now, Changed: now, Recurring: rapid.Bool().Draw(t, "recurring"),
			Until: (persona.DayAt(now) + persona.Day(rapid.IntRange(0, 200).Draw(t, "days"))).String(),
		}
		for range rapid.IntRange(1, 12).Draw(t, "events") {
			now = now.Add(time.Duration(rapid.IntRange(0, 40*24*60).Draw(t, "minutes")) * time.Minute)
			event := rapid.SampledFrom([]aspsp.ConsentEvent{
				aspsp.Authorized{Signer: "x"}, aspsp.Authorized{Signer: "y"}, aspsp.Authorized{Signer: "x", More: true},
				aspsp.AuthorisationFailed{}, aspsp.CoSignerRefused{}, aspsp.Revoked{}, aspsp.Terminated{}, aspsp.TimePassed{},
			}).Draw(t, "event")
			next, err := c.Apply(event, now)
			switch {
			case err != nil && !errors.Is(err, aspsp.ErrState):
				t.Fatalf("error %v", err)
			case err != nil && !cmp.Equal(c, next):
				t.Fatalf("an event with an error changed %+v to %+v", c, next)
			case next.Status != c.Status && !allowed[transition{c.Status, next.Status}]:
				t.Fatalf("%s became %s", c.Status, next.Status)
			case next.Status != c.Status && !next.Changed.Equal(now):
				t.Fatalf("Changed is %v, want %v", next.Changed, now)
			case next.Status == aspsp.Valid && (next.Signer == "" || next.SCA.IsZero()):
				t.Fatal("valid without a signer")
			case next.Status == aspsp.Valid && c.Status == aspsp.Partly && next.Signer != c.Signer:
				t.Fatal("the second signature has changed whose the consent is")
			case next.Status == aspsp.Partly && (next.Signer == "" || !next.SCA.IsZero()):
				t.Fatal("partly authorised without a signer, or as if valid")
			}
			if _, passed := event.(aspsp.TimePassed); passed {
				if err != nil {
					t.Fatal("TimePassed returned an error")
				}
				if next.Status == aspsp.Valid && persona.DayAt(now).String() > next.Until {
					t.Fatalf("valid on %v, until %s", now, next.Until)
				}
				if again, _ := next.Apply(aspsp.TimePassed{}, now); !cmp.Equal(next, again) {
					t.Fatal("a second TimePassed at the same time changed the consent")
				}
			}
			c = next
		}
	})
}

// Every event is applied in every status.
func TestConsent_AppliesEventsByStatus(t *testing.T) {
	for _, status := range all {
		for _, c := range []struct {
			event aspsp.ConsentEvent
			from  []aspsp.ConsentStatus
			to    aspsp.ConsentStatus
		}{
			{aspsp.Authorized{Signer: "x"}, []aspsp.ConsentStatus{aspsp.Received, aspsp.Partly}, aspsp.Valid},
			{aspsp.CoSignerRefused{}, all[6:], aspsp.Rejected},
			{aspsp.AuthorisationFailed{}, all[:1], aspsp.Rejected},
			{aspsp.Revoked{}, all[2:3], aspsp.RevokedByPSU},
			{aspsp.Terminated{}, []aspsp.ConsentStatus{aspsp.Received, aspsp.Partly, aspsp.Valid}, aspsp.TerminatedByTPP},
		} {
			valid := false
			for _, from := range c.from {
				valid = valid || from == status
			}
			next, err := aspsp.Consent{Status: status}.Apply(c.event, start)
			if valid != (err == nil) || (valid && next.Status != c.to) || (!valid && next.Status != status) {
				t.Errorf("%T on %s: %s, %v", c.event, status, next.Status, err)
			}
		}
		if status.Final() != (status != aspsp.Received && status != aspsp.Partly && status != aspsp.Valid) {
			t.Errorf("%s: Final", status)
		}
	}
}

func TestAuthorisation_FollowsStateDiagram(t *testing.T) {
	rank := map[aspsp.SCAStatus]int{aspsp.MethodSelected: 0, aspsp.Started: 1, aspsp.Finalised: 2, aspsp.Failed: 2}
	rapid.Check(t, func(t *rapid.T) {
		psuID := rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "psuID")
		a := aspsp.Authorisation{Status: aspsp.MethodSelected, PSUID: psuID}
		for range rapid.IntRange(1, 8).Draw(t, "events") {
			event := rapid.SampledFrom([]aspsp.SCAEvent{
				aspsp.OrderPending{Hint: "outstandingTransaction"}, aspsp.OrderPending{Hint: "userSign"},
				aspsp.OrderSigned{Signer: "a"}, aspsp.OrderFailed{Hint: "userCancel"},
			}).Draw(t, "event")
			next, err := a.Apply(event)
			if (err != nil) != a.Status.Final() || (err != nil && next.Status != a.Status) {
				t.Fatalf("%T on %s: %v", event, a.Status, err)
			}
			if rank[next.Status] < rank[a.Status] {
				t.Fatalf("%s became %s", a.Status, next.Status)
			}
			if next.Status == aspsp.Finalised && (next.Signer != "a" || (psuID != "" && psuID != "a")) {
				t.Fatalf("%q signed, PSU-ID is %q", next.Signer, psuID)
			}
			if next.Status == aspsp.Failed && next.Hint == "" {
				t.Fatal("failed without a hint")
			}
			a = next
		}
	})
}

// An authorisation on the bank's page goes forward only, is granted by its person only, and
// is confirmed once.
func TestAuthorisation_OnThePageFollowsStateDiagram(t *testing.T) {
	rank := map[aspsp.SCAStatus]int{
		aspsp.SCAReceived: 0, aspsp.PSUIdentified: 1, aspsp.AuthenticationStarted: 1, aspsp.PSUAuthenticated: 2, aspsp.Started: 3,
		aspsp.Unconfirmed: 4, aspsp.Finalised: 5, aspsp.Failed: 5,
	}
	rapid.Check(t, func(t *rapid.T) {
		confirm := rapid.Bool().Draw(t, "confirm")
		a := aspsp.OnPage()
		for range rapid.IntRange(1, 10).Draw(t, "events") {
			event := rapid.SampledFrom([]aspsp.SCAEvent{
				aspsp.PageReached{Status: aspsp.PSUIdentified}, aspsp.PageReached{Status: aspsp.PSUAuthenticated}, aspsp.PageReached{Status: aspsp.Started},
				aspsp.PageReached{Status: aspsp.AuthenticationStarted}, aspsp.PageReached{Status: aspsp.SCAReceived},
				aspsp.PageApproved{Signer: "a", Confirm: confirm}, aspsp.Confirmed{}, aspsp.OrderFailed{Hint: "refused"},
				aspsp.OrderSigned{Signer: "b"}, aspsp.OrderPending{Hint: "userSign"},
			}).Draw(t, "event")
			next, err := a.Apply(event)
			switch _, confirmed := event.(aspsp.Confirmed); {
			case err != nil && !errors.Is(err, aspsp.ErrState), err != nil && next.Status != a.Status:
				t.Fatalf("%T on %s: %v", event, a.Status, err)
			case err == nil && a.Status.Final():
				t.Fatalf("%T changed an authorisation that has ended", event)
			case err == nil && rank[next.Status] <= rank[a.Status]:
				t.Fatalf("%s became %s", a.Status, next.Status)
			case next.Status == aspsp.Finalised && (next.Signer != "a" || confirm != confirmed && err == nil):
				t.Fatalf("%T by %q, confirmation %v", event, next.Signer, confirm)
			}
			a = next
		}
	})
}
