package bankid

import (
	"time"

	"samla/internal/sandbox/bankid/order"
)

// Action is an action of the person on the phone.
type Action string

// The actions. Approve opens the order first if it is not open.
const (
	Open    Action = "open"
	Approve Action = "approve"
	Decline Action = "cancel"
)

// PhoneAction is an action on one order.
type PhoneAction struct {
	Action Action
	// AutoStartToken or QRData identifies the order. QRData is the text of an animated
	// QR code or of a static one (AutoStartURL). Without either, PersonalNumber
	// identifies the phone order that waits for this person.
	AutoStartToken, QRData string
	// PersonalNumber is the person who acts, 12 digits; empty means the person whom the
	// order requires or expects.
	PersonalNumber string
}

// PhoneResult is the state of the order after the action.
type PhoneResult struct {
	OrderRef string
	Status   string // "pending", "failed" or "complete"
	HintCode string // empty when complete
}

// Act performs an action on an order. Errors: InvalidParameters for an invalid action,
// number or choice of order; UnknownOrder; InvalidQR; StaleQR for a text older than
// QRLife, unless the order is already open; OrderEnded; WrongPerson; PersonNeeded. An
// error that is not an *Error means that the journal failed. With an error nothing has
// changed.
func (s *Service) Act(a PhoneAction) (PhoneResult, error) {
	if a.PersonalNumber != "" && !isPersonalNumber(a.PersonalNumber) {
		return PhoneResult{}, &Error{InvalidParameters, "personalNumber has 12 digits and a matching check digit"}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	r, err := s.find(a, now)
	if err != nil {
		return PhoneResult{}, err
	}
	if err := s.follow(r, now); err != nil {
		return PhoneResult{}, err
	}
	event, err := s.event(a, r)
	if err != nil {
		return PhoneResult{}, err
	}
	if err := s.apply(r, event, now); err != nil {
		return PhoneResult{}, phoneError(err, r.state)
	}
	return PhoneResult{OrderRef: r.OrderRef, Status: string(r.state.Status), HintCode: string(r.state.Hint)}, nil
}

func (s *Service) find(a PhoneAction, now time.Time) (*record, error) {
	var r *record
	switch {
	case a.AutoStartToken != "" && a.QRData != "":
		return nil, &Error{InvalidParameters, "give autoStartToken or qrData, not both"}
	case a.AutoStartToken != "":
		r = s.byStart[a.AutoStartToken]
	case isStaticURL(a.QRData):
		token, err := parseStaticURL(a.QRData)
		if err != nil {
			return nil, &Error{InvalidQR, "qrData is not the text of a BankID QR code"}
		}
		r = s.byStart[token]
	case a.QRData != "":
		token, second, err := parseQR(a.QRData)
		if err != nil {
			return nil, &Error{InvalidQR, "qrData is not the text of a BankID QR code"}
		}
		if r = s.byQR[token]; r != nil {
			if err := r.checkQR(a.QRData, second, now); err != nil {
				return nil, err
			}
		}
	case a.PersonalNumber != "":
		if r = s.byPerson[a.PersonalNumber]; r != nil && !r.request.Kind.phone() {
			r = nil
		}
	default:
		return nil, &Error{InvalidParameters, "give autoStartToken or qrData"}
	}
	if r == nil || now.Sub(r.StartedAt) >= order.MaxAge {
		return nil, &Error{UnknownOrder, "no such order, or it has expired; start a new one"}
	}
	return r, nil
}

func (s *Service) event(a PhoneAction, r *record) (order.Event, error) {
	switch a.Action {
	case Open:
		return order.Open{By: a.PersonalNumber}, nil
	case Approve:
		by := a.PersonalNumber
		if by == "" {
			by = r.state.DefaultSigner()
		}
		if s.ApprovalFailure != nil && by != "" {
			if hint := s.ApprovalFailure(by); hint != "" {
				return order.FailApproval{By: by, Hint: order.Hint(hint)}, nil
			}
		}
		return order.Approve{By: by}, nil
	case Decline:
		return order.Decline{}, nil
	}
	return nil, &Error{InvalidParameters, `action is "open", "approve" or "cancel"`}
}

// PendingOrder is a pending order as the phone shows it.
type PendingOrder struct {
	AutoStartToken string
	Kind           Kind   // never empty
	Expected       string // 12-digit personal number; empty: any person
	Name           string // name of the expected person; empty: any person
	HintCode       string // "outstandingTransaction", "started" or "userSign"
	Text           string // truncated UserVisibleData
	Age            time.Duration
}

// maxPending is the maximum length of the list, which a person reads.
const maxPending = 100

// Pending returns the newest pending orders, at most 100, newest first.
func (s *Service) Pending() []PendingOrder {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	var list []PendingOrder
	for e := s.uncollected.Back(); e != nil && len(list) < maxPending; e = e.Prev() {
		r := e.Value.(*record)
		age := now.Sub(r.StartedAt)
		if age >= order.FinishWithin {
			break // all remaining orders are older and have ended
		}
		_ = s.follow(r, now) // an error of the journal is returned by the next change
		r.state = r.state.Advance(now)
		if r.state.Status != order.Pending {
			continue
		}
		p := PendingOrder{
			AutoStartToken: r.AutoStartToken, Kind: r.request.Kind, Expected: r.request.Expected,
			HintCode: string(r.state.Hint), Text: r.request.UserVisibleData, Age: age,
		}
		if p.Kind == "" {
			p.Kind = Auth
		}
		if p.Expected != "" {
			p.Name = s.user(p.Expected).Name
		}
		list = append(list, p)
	}
	return list
}
