package operator

import "time"

// The limits of signing in.
const (
	// FreeAttempts is how many wrong attempts in a row have no consequence.
	FreeAttempts = 5
	// FirstWait is how long the attempt after those has to wait; each further wrong attempt
	// doubles it, up to LongestWait.
	FirstWait   = 30 * time.Second
	LongestWait = time.Hour
	// Forgiven is how long after the last wrong attempt they no longer count.
	Forgiven = 24 * time.Hour
	// AddressFree is FreeAttempts for all accounts together from one address.
	AddressFree = 20
)

// Attempts are wrong attempts to sign in, of one account or from one address, since the
// last right one. The zero value has none.
type Attempts struct {
	Wrong int
	Last  time.Time
}

// Open returns the time from which the next attempt is allowed, of which free ones need no
// wait; the zero time if it is allowed now.
func (a Attempts) Open(free int, now time.Time) time.Time {
	if a.Wrong < free || now.Sub(a.Last) >= Forgiven {
		return time.Time{}
	}
	wait := LongestWait
	if doubled := a.Wrong - free; doubled < 16 {
		wait = min(FirstWait<<doubled, LongestWait)
	}
	if open := a.Last.Add(wait); now.Before(open) {
		return open
	}
	return time.Time{}
}

// Begun returns the attempts with one more that is taken for wrong until it turns out
// right. It is counted before it is examined, so that many attempts at once have no more
// tries than one after the other.
func (a Attempts) Begun(now time.Time) Attempts {
	if now.Sub(a.Last) >= Forgiven {
		a.Wrong = 0
	}
	return Attempts{Wrong: a.Wrong + 1, Last: now}
}

// The lives of a session.
const (
	IdleLife     = 30 * time.Minute
	AbsoluteLife = 12 * time.Hour
	// FreshLife is how long after a sign-in a session may change how its operator signs in,
	// or who else is an operator. Then they prove who they are again: a browser that somebody
	// left open must not become an account of somebody else's.
	FreshLife = 10 * time.Minute
	// SeenEvery is how exactly the last use of a session is kept.
	SeenEvery = time.Minute
	// EnrolLife is how long a link for a new operator works.
	EnrolLife = 24 * time.Hour
	// CeremonyLife is how long a challenge for a passkey, or a new secret for codes, waits
	// for its answer.
	CeremonyLife = 5 * time.Minute
)

// Session is a browser in which an operator has signed in.
type Session struct {
	ID         string // public: names it in a list
	OperatorID string
	Began      time.Time
	Seen       time.Time // last use, by the minute
	Ended      time.Time // zero: not ended by anybody
	Agent      string    // such as "Firefox on Linux"
	By         Method
}

// Method is how an operator signed in.
type Method string

// The methods.
const (
	ByPasskey  Method = "passkey"
	ByPassword Method = "password"
	ByRecovery Method = "recovery"  // password and a recovery code
	ByEnrol    Method = "enrolment" // the link of a new operator
	ByHook     Method = "dev"       // samla dev has signed them in
)

// Live reports whether a session is in use: nobody has ended it, it was used within
// IdleLife, and began within AbsoluteLife.
func (s Session) Live(now time.Time) bool {
	return s.Ended.IsZero() && now.Sub(s.Seen) < IdleLife && now.Sub(s.Began) < AbsoluteLife
}

// Fresh reports whether the operator has proved who they are within FreshLife and grace,
// which is the time that a form takes. A session of samla dev has nothing to prove with.
func (s Session) Fresh(now time.Time, grace time.Duration) bool {
	return s.By == ByHook || now.Sub(s.Began) < FreshLife+grace
}

// Touched returns the session after a use, and whether this is worth a write.
func (s Session) Touched(now time.Time) (Session, bool) {
	if now.Sub(s.Seen) < SeenEvery {
		return s, false
	}
	s.Seen = now
	return s, true
}
