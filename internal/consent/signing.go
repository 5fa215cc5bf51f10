package consent

import "time"

// Progress is how far the person is in an authorization, as far as the bank says it.
type Progress int

// The steps of the person.
const (
	ProgressUnknown Progress = iota
	NotScanned               // nobody has scanned the code or opened the app with the token
	Scanned                  // the app is open: what was shown has been used
)

// The times of a BankID order (docs/reference/banks.md 12.4). It waits StartWithin for
// the app, and SignWithin for the signature.
const (
	StartWithin = 30 * time.Second
	SignWithin  = 3 * time.Minute
)

// TakenOver is the age from which an authorization was followed by another process
// before this one, which may have seen the scan.
const TakenOver = 3 * time.Second

const (
	// overdue is how long after the end of an order that the bank has not reported a
	// new authorization is started.
	overdue = time.Second
	// renewStep is the least time between the starts of the first two authorizations of a
	// consent. It grows by renewStep each time, up to renewMost.
	renewStep = 3 * time.Second
	renewMost = 30 * time.Second
	// leastTime is how much of the consent's time a new authorization needs to be of use.
	leastTime = 10 * time.Second
	// unexplained is how long after StartWithin a failure without a reason counts as the
	// end of an order that nobody has scanned.
	unexplained = 15 * time.Second
	// patience is how many questions in a row may be refused, for the authorization and
	// for the consent, before that is the bank's final word. One may come from a gateway.
	patience = 3
	// lookEvery is after how many unusable answers, and after how many questions past
	// StartWithin, the consent itself is read.
	lookEvery = 5
)

// Signing is what is known of the authorization that the person sees. Its methods
// decide what follows an answer of the bank. Only the bank's final word ends a signing
// before its deadline; no answer, and one that cannot be read, end nothing.
type Signing struct {
	Started  time.Time // when the order of this authorization began
	Until    time.Time // its end, as the bank gives it; zero = not given
	Deadline time.Time // of the consent
	Renewed  int       // how many authorizations were started after the first
	Shown    bool      // data of a BankID order was shown to the person
	// Careful: a second order would end one that the person may be signing, so it must
	// be certain that nobody has scanned that. The bank starts orders for a given
	// person, or another process has followed this one before.
	Careful bool
	// Expired: the order has ended without a scan, and a new one has to be started.
	Expired bool
	// Present: the person's screen has been polled lately. A person who has left and
	// begins again elsewhere must not meet an order that this consent has started.
	Present  bool
	Progress Progress

	code    bool // an answer about the status has had a code to scan
	asked   int  // questions since the start
	unheard int  // unusable answers in a row
	refused int  // refusals in a row, for the authorization and for the consent
}

// Word is what an answer about an authorization says.
type Word int

// The words of a bank about an authorization.
const (
	SaysPending Word = iota
	SaysSigned
	SaysFailed
	SaysNothing // no answer, or none that can be used
	Refuses     // the bank does not give the status
)

// Answer is an answer about an authorization.
type Answer struct {
	Word     Word
	Failure  FailureCode // with SaysFailed
	Progress Progress
	Code     bool      // it has a code to scan
	Until    time.Time // the end of the order, as the bank gives it; zero = not given
}

// Action is what follows an answer.
type Action int

// The actions.
const (
	AskAgain    Action = iota // after the usual time
	ReadConsent               // the consent's own status decides
	Grant
	Renew  // start another authorization of the same consent
	Reopen // open another consent at the bank, and start its authorization
	Fail
)

// Verdict is what follows an answer. With Fail it has the failure.
type Verdict struct {
	Action  Action
	Failure FailedWith
}

// Heard decides what follows an answer about the authorization.
func (s Signing) Heard(a Answer, now time.Time) (Signing, Verdict) {
	s.asked++
	if a.Word != SaysNothing {
		s.unheard = 0
	}
	switch a.Word {
	case SaysSigned:
		s.Progress = Scanned
		return s, Verdict{Action: ReadConsent}
	case Refuses:
		return s, Verdict{Action: ReadConsent}
	case SaysNothing:
		if s.unheard++; s.Expired && s.mayRenew(now) || s.unheard%lookEvery == 0 {
			return s, Verdict{Action: ReadConsent}
		}
		return s, Verdict{}
	case SaysFailed:
		if !s.ranOut(a.Failure, now) {
			return s, Verdict{Fail, FailedWith{Code: a.Failure}}
		}
		s.Expired = true
		if !s.mayRenew(now) {
			return s, Verdict{}
		}
		return s, Verdict{Action: ReadConsent}
	}
	s.refused = 0
	if !a.Until.IsZero() {
		s.Until = earlier(s.Until, a.Until) // a bank that gives a later one in each answer does not extend it
	}
	switch {
	case a.Progress != ProgressUnknown && s.Progress != Scanned:
		s.Progress = a.Progress
	case a.Progress == ProgressUnknown && s.code && !a.Code:
		s.Progress = Scanned // banks take the code away after the scan
	}
	s.code = s.code || a.Code
	if (s.Expired || !now.Before(s.over())) && s.mayRenew(now) || s.asked%lookEvery == 0 && now.Sub(s.Started) > StartWithin {
		return s, Verdict{Action: ReadConsent}
	}
	return s, Verdict{}
}

// over returns when the order has ended for certain if nobody has scanned it. If that is
// not known, it is the time within which the person could still sign.
func (s Signing) over() time.Time {
	switch {
	case !s.Shown || s.Progress == Scanned:
		return s.Deadline
	case !s.Until.IsZero():
		return s.Until.Add(overdue)
	case s.Progress == ProgressUnknown && s.Careful:
		return s.Started.Add(SignWithin + overdue)
	}
	return s.Started.Add(StartWithin + overdue)
}

// ranOut reports whether a failure means that the order ended because nobody scanned it.
func (s Signing) ranOut(f FailureCode, now time.Time) bool {
	if !s.Shown || s.Progress == Scanned || s.Deadline.Sub(now) < leastTime {
		return false
	}
	age := now.Sub(s.Started)
	switch f {
	case AuthenticationTimeout:
		return true
	case AuthenticationConflict: // the order before it was still open, and has ended with this one
		return s.Renewed > 0 && age < renewStep
	case AuthenticationFailed:
		return s.Progress == ProgressUnknown && age >= StartWithin-overdue && age < StartWithin+unexplained
	}
	return false
}

// Read decides what follows a reading of the consent itself.
func (s Signing) Read(r Reading, now time.Time) (Signing, Verdict) {
	if r.Word != ConsentRefused {
		s.refused = 0
	}
	switch r.Word {
	case ConsentIsValid:
		return s, Verdict{Action: Grant}
	case ConsentUnread:
		return s, Verdict{}
	case ConsentIsPending:
		if !s.Expired && now.Before(s.over()) || !s.mayRenew(now) {
			return s, Verdict{}
		}
		return s, Verdict{Action: Renew}
	case ConsentRefused:
		if s.refused++; s.refused < patience {
			return s, Verdict{}
		}
	}
	switch {
	case !s.Expired:
		return s, Verdict{Fail, r.Failure}
	case s.Deadline.Sub(now) < leastTime:
		return s, Verdict{Fail, FailedWith{AuthenticationTimeout, r.Failure.Cause}}
	case !s.mayRenew(now):
		return s, Verdict{}
	}
	return s, Verdict{Action: Reopen}
}

// mayRenew reports whether another authorization may be started now. Their number is
// bounded by the growing time between them.
func (s Signing) mayRenew(now time.Time) bool {
	wait := min(time.Duration(s.Renewed+1)*renewStep, renewMost)
	return s.Present && !now.Before(s.Started.Add(wait)) && s.Deadline.Sub(now) >= leastTime
}

// ReadsPerDay returns the reads of a day without the person that a bank has granted,
// if they are fewer than the law allows; else 0. perDay is 0 if the bank does not say. A
// consent for one collection has one.
func ReadsPerDay(perDay int, oneOff bool) int {
	switch {
	case oneOff:
		return 1
	case perDay < MostReadsPerDay:
		return max(perDay, 0)
	}
	return 0
}

// MostReadsPerDay is how often a consent may be read in 24 hours without the person
// (RTS art. 36(5)).
const MostReadsPerDay = 4

// ReadingWord is what a reading of the consent says.
type ReadingWord int

// The words of a bank about a consent that is being signed.
const (
	ConsentIsPending ReadingWord = iota
	ConsentIsValid
	ConsentHasEnded
	ConsentUnread  // no answer, or none that can be used
	ConsentRefused // the bank does not show it
)

// Reading is what a bank says of a consent that is being signed. Failure is what ends
// the signing with ConsentHasEnded and ConsentRefused.
type Reading struct {
	Word    ReadingWord
	Failure FailedWith
}

// ShownUntil returns when what the person sees stops working.
func (s Signing) ShownUntil() time.Time {
	end := s.Until
	if end.IsZero() && s.Shown {
		end = s.Started.Add(StartWithin)
		if s.Progress == Scanned {
			end = s.Started.Add(SignWithin)
		}
	}
	return earlier(end, s.Deadline)
}
