package authorize

import (
	"time"

	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/institution"
	"samla/internal/watch"
)

const (
	// idleAfter is how long a person who does not poll still counts as present.
	idleAfter = 5 * time.Second
	// The pace at which a bank is asked about a person who is not present. The end of a
	// signing is noticed all the same.
	idlePace, idleWithin = 4 * time.Second, 10 * time.Second
	// The pace at which a bank is asked when nothing that is shown changes and the person
	// has not begun to sign.
	stillPace, stillWithin = 3 * time.Second, 5 * time.Second
)

// paceOf returns how often a bank is asked how an authorization stands: as often as it
// allows when its answers move the QR text or the person is signing, and less often
// otherwise, or when the person has not polled for a while.
func paceOf(p institution.Profile, moves bool, progress consent.Progress, sincePoll time.Duration) watch.Pace {
	pace, within := p.PollInterval, p.PollInterval
	switch {
	case sincePoll > idleAfter:
		pace, within = max(pace, idlePace), max(pace, idleWithin)
	case moves:
	case progress == consent.Scanned:
		within = 2 * pace
	default:
		pace, within = max(pace, stillPace), max(pace, stillWithin)
	}
	return watch.Pace{After: pace, Within: within}
}

// state returns whether the bank moves the QR text of a consent, and when the last poll
// was. Where nothing is known to be shown, it is now.
func (l *instructionCache) state(id consent.ID, now time.Time) (moves bool, polled time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.entries[id]; e != nil {
		return e.moves, e.polled
	}
	return false, now
}

// seen notes a poll at the time now. It reports whether the person had not polled for a
// while.
func (l *instructionCache) seen(id consent.ID, now time.Time) (back bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entries[id]
	if e == nil {
		return false
	}
	back = now.Sub(e.polled) > idleAfter
	e.polled = now
	return back
}

// When a client that is refused may come again: consents that are being opened soon make
// room, persons who sign do later.
const (
	openingAgain = time.Second
	busyAgain    = 5 * time.Second
)

// admit reserves room for a new consent, until it is watched or ends. Fault: Unavailable
// with RetryAfter when this node could not keep it and those who wait already fresh.
func (s *Service) admit(id consent.ID, company string) error {
	profile := s.Institutions.Of(company).Profile
	why := s.watching.Admit(watch.Item{ID: string(id), Group: company, Cost: profile.SignatureCost,
		Pace: watch.Pace{After: profile.PollInterval, Within: longestPace(profile)}})
	if why == watch.Admitted {
		return nil
	}
	s.Log.Warn("new consents are refused for now", "company", company, "error", string(why), "waiting", s.watching.Len())
	f := fault.Detailed(fault.Unavailable, "Too many persons are signing at the moment.")
	f.RetryAfter = busyAgain
	if why == watch.Opening {
		f.RetryAfter = openingAgain
	}
	return f
}

// longestPace is how long a new consent can wait for each question while the person is
// present.
func longestPace(p institution.Profile) time.Duration {
	if p.QR == institution.QRText {
		return p.PollInterval
	}
	return max(p.PollInterval, stillWithin)
}
