package authorize_test

import (
	"errors"
	"testing"
	"time"

	"samla/internal/authorize"
	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/institution"
	"samla/internal/watch"
)

// every is the pace of a question each d, and within as given.
func every(d, within time.Duration) watch.Pace { return watch.Pace{After: d, Within: within} }

// How often the bank is asked follows what the person is shown and does.
func TestPace_FollowsWhatIsShown(t *testing.T) {
	const s = time.Second
	moving := &consent.Instructions{AutoStartToken: "token", QRData: "bankid.x"}
	still := &consent.Instructions{AutoStartToken: "token"}
	secret := &consent.Instructions{QRStartToken: "t", QRSecret: "s"}
	for _, c := range []struct {
		name     string
		interval time.Duration
		answers  []*consent.Instructions
		progress consent.Progress
		idle     time.Duration // since the last poll
		want     watch.Pace
	}{
		{"a text that moves", s, []*consent.Instructions{moving}, consent.NotScanned, 0, every(s, s)},
		{"a text that moves, slow bank", 2 * s, []*consent.Instructions{moving}, consent.NotScanned, 0, every(2*s, 2*s)},
		{"a text that moves, polled lately", s, []*consent.Instructions{moving}, consent.NotScanned, 5 * s, every(s, s)},
		{"a text that moves, not polled", s, []*consent.Instructions{moving}, consent.NotScanned, 6 * s, every(4*s, 10*s)},
		{"scanned", s, []*consent.Instructions{moving, still}, consent.Scanned, 0, every(s, 2*s)},
		{"scanned, not polled", s, []*consent.Instructions{moving, still}, consent.Scanned, 6 * s, every(4*s, 10*s)},
		{"nothing that moves", s, []*consent.Instructions{still}, consent.NotScanned, 0, every(3*s, 5*s)},
		{"nothing that moves, signing", s, []*consent.Instructions{still}, consent.Scanned, 0, every(s, 2*s)},
		{"text computed here", s, []*consent.Instructions{secret}, consent.NotScanned, 0, every(3*s, 5*s)},
		{"nothing known", s, nil, consent.ProgressUnknown, 0, every(3*s, 5*s)},
		{"slow bank, nothing that moves", 8 * s, []*consent.Instructions{still}, consent.NotScanned, 0, every(8*s, 8*s)},
	} {
		profile := institution.Profile{PollInterval: c.interval}.WithDefaults()
		if got := authorize.Pace(profile, c.progress, c.idle, c.answers...); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

// A person who does not poll costs few questions; the next poll gets a new text at once.
func TestWatch_AsksLessOftenWithoutPolls(t *testing.T) {
	b := newEnv(t)
	b.bank.onStatus = func(int) (institution.Authorization, error) { return b.pending("bankid.again"), nil }
	c := b.create()
	b.MustRun(b.Handle, string(c.ID))
	pace := func() watch.Pace {
		b.Clock.Advance(time.Second)
		return b.Ask(t.Context(), c.ID).Pace
	}
	for range 5 {
		if got := pace(); got.After != time.Second {
			t.Errorf("soon after the beginning the pace is %+v", got)
		}
	}
	b.Clock.Advance(time.Second)
	if got := pace(); got.After != 4*time.Second {
		t.Errorf("not polled for a while, the pace is %+v", got)
	}
	b.poll(b.Service, c.ID)
	if got := pace(); got.After != time.Second {
		t.Errorf("polled again, the pace is %+v", got)
	}
}

// More persons than can be kept fresh are refused, and what is refused or fails takes no
// room.
func TestCreate_RefusesMorePersonsThanCanBeKeptFresh(t *testing.T) {
	b := newEnv(t)
	b.Service = b.serviceWith(authorize.WatchLimits{MaxWaiting: 2})
	first, second := b.create(), b.create()
	_, err := b.Create(t.Context(), b.request(), nil)
	isFault(t, "a third person", err, fault.Unavailable)
	var f *fault.Fault
	if !errors.As(err, &f) || f.RetryAfter <= 0 {
		t.Errorf("refused without a time: %+v", f)
	}
	b.MustRun(b.Handle, string(second.ID)) // watched now, and counted once
	_, err = b.Create(t.Context(), b.request(), nil)
	isFault(t, "a third person", err, fault.Unavailable)
	if _, err := b.End(t.Context(), first.ID, consent.Revocation{Cause: consent.CauseUser}); err != nil {
		t.Fatal(err)
	}
	draft, err := b.Draft(t.Context(), b.request())
	if err != nil {
		t.Errorf("a person has left: %v", err)
	}
	b.Discard(draft.ID)
	unknown := b.request()
	unknown.UserID = b.IDs.New()
	_, err = b.Create(t.Context(), unknown, nil)
	isFault(t, "an unknown user", err, fault.Unauthorized)
	if _, err := b.Create(t.Context(), b.request(), nil); err != nil {
		t.Errorf("what was not stored takes room: %v", err)
	}
}
