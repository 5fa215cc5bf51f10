package authorize

import "slices"

// Observer is told what came of persons who were sent to a page of an institution, and of
// the tokens that institutions gave. Its methods are called after the commit, by many
// goroutines, and must not block. company is that of the consent; of a return with an
// unknown state it is what the address names, which anybody can choose.
type Observer interface {
	Returned(company string, o ReturnOutcome)
	Exchanged(company string, o ExchangeOutcome)
	Refreshed(company string, o RefreshOutcome)
}

// ReturnOutcome is what came of a browser that came back, of a short code that was typed, or
// of the question whether the person began.
type ReturnOutcome string

// The outcomes of returns.
const (
	ReturnAccepted  ReturnOutcome = "ACCEPTED"   // it is exchanged next
	ReturnHeld      ReturnOutcome = "HELD"       // in another browser, which shows a short code
	ReturnRepeated  ReturnOutcome = "REPEATED"   // a reload, the back button, or a second code: it changed nothing
	ReturnElsewhere ReturnOutcome = "ELSEWHERE"  // of another browser, with what was used before
	ReturnUnknown   ReturnOutcome = "UNKNOWN"    // its state is not known, or is that of another institution
	CodeAccepted    ReturnOutcome = "CODE_TYPED" // the short code was typed in the first browser
	CodeWrong       ReturnOutcome = "CODE_WRONG" // another code was typed
	CodeBarred      ReturnOutcome = "BARRED"     // the last code that may be wrong was
	LinkDenied      ReturnOutcome = "DENIED"     // the person who got the link says that somebody else began this
)

// ReturnOutcomes lists all of them.
func ReturnOutcomes() []ReturnOutcome {
	return []ReturnOutcome{ReturnAccepted, ReturnHeld, ReturnRepeated, ReturnElsewhere, ReturnUnknown, CodeAccepted, CodeWrong, CodeBarred, LinkDenied}
}

// ExchangeOutcome is what came of one exchange of what a person came back with.
type ExchangeOutcome string

// The outcomes of exchanges.
const (
	ExchangeDone     ExchangeOutcome = "DONE"
	ExchangeNext     ExchangeOutcome = "NEXT"     // another one follows
	ExchangePending  ExchangeOutcome = "PENDING"  // nothing has happened; the person goes on
	ExchangeRefused  ExchangeOutcome = "REFUSED"  // the person or the institution refused, or what came back does not fit
	ExchangeMismatch ExchangeOutcome = "MISMATCH" // another person signed than the one who was named
	ExchangeRepeated ExchangeOutcome = "REPEATED" // it failed and is repeated
	ExchangeFailed   ExchangeOutcome = "FAILED"   // it failed, and so did the consent
)

// ExchangeOutcomes lists all of them.
func ExchangeOutcomes() []ExchangeOutcome {
	return []ExchangeOutcome{ExchangeDone, ExchangeNext, ExchangePending, ExchangeRefused, ExchangeMismatch, ExchangeRepeated, ExchangeFailed}
}

// RefreshOutcome is what came of an access token that had to be replaced.
type RefreshOutcome string

// The outcomes of refreshes.
const (
	RefreshReplaced RefreshOutcome = "REPLACED"
	RefreshDenied   RefreshOutcome = "DENIED"    // the institution refuses the grant; it is asked again before that is believed
	RefreshEnded    RefreshOutcome = "ENDED"     // it has refused it again: the consent ends
	RefreshLost     RefreshOutcome = "LOST"      // without an answer
	RefreshFailed   RefreshOutcome = "FAILED"    // another failure
	RefreshHeldBack RefreshOutcome = "HELD_BACK" // not asked: an outage of the institution is suspected
)

// RefreshOutcomes lists all of them.
func RefreshOutcomes() []RefreshOutcome {
	return []RefreshOutcome{RefreshReplaced, RefreshDenied, RefreshEnded, RefreshLost, RefreshFailed, RefreshHeldBack}
}

// SuspectedOutages lists the companies that refuse the refresh tokens of many persons, as
// this node sees it. They are asked seldom, and end no consent by it.
func (s *Service) SuspectedOutages() []string {
	now := s.Clock.Now()
	all := append(s.denials.suspected(now), s.refusals.suspected(now)...)
	slices.Sort(all)
	return slices.Compact(all)
}

// returnOutcome names what came of a return.
func returnOutcome(stored bool, seen Seen) ReturnOutcome {
	switch {
	case stored && seen.View == ViewShowsCode:
		return ReturnHeld
	case stored:
		return ReturnAccepted
	case seen.View == ViewUnknown:
		return ReturnUnknown
	case seen.View == ViewElsewhere:
		return ReturnElsewhere
	}
	return ReturnRepeated
}

// unobserved is the Observer of a service that has none.
type unobserved struct{}

func (unobserved) Returned(string, ReturnOutcome)    {}
func (unobserved) Exchanged(string, ExchangeOutcome) {}
func (unobserved) Refreshed(string, RefreshOutcome)  {}
