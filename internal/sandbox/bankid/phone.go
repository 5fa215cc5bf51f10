package bankid

import (
	"time"

	"samla/internal/sandbox/bankid/order"
)

// Action is what the person does on the phone.
type Action string

// The actions. Approve on an order that is not open opens it first.
const (
	Open    Action = "open"
	Approve Action = "approve"
	Decline Action = "cancel"
)

// PhoneAction is one act of the person who holds the phone.
type PhoneAction struct {
	Action Action
	// AutoStartToken or QRData says which order; QRData is the text of an animated
	// code, or that of a static one (AutoStartURL). With neither, PersonalNumber
	// finds the phone order that waits for this person.
	AutoStartToken, QRData string
	// PersonalNumber is whose BankID it is, 12 digits; empty is the person the
	// order demands or expects.
	PersonalNumber string
}

// PhoneResult is the order after the act.
type PhoneResult struct {
	OrderRef string
	Status   string // "pending", "failed" or "complete"
	HintCode string // empty when complete
}

// Act lets the person act on an order. It is refused with InvalidParameters for
// an action, number or choice of order that is out of its rules; UnknownOrder;
// InvalidQR; StaleQR for a text older than QRLife, unless a phone has the order
// already; OrderEnded; WrongPerson; PersonNeeded. Any other error says that the
// act could not be written down (Keep). A refused act changes nothing.
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
	case isURL(a.QRData):
		token, err := parseStatic(a.QRData)
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
			if err := r.scan(a.QRData, second, now); err != nil {
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
	if r == nil || now.Sub(r.StartedAt) >= order.Life {
		return nil, &Error{UnknownOrder, "no order goes by this; it is forgotten or never was, so start a new one"}
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
			by = r.state.Person()
		}
		if s.Refuses != nil && by != "" {
			if why := s.Refuses(by); why != "" {
				return order.Refuse{By: by, Why: order.Hint(why)}, nil
			}
		}
		return order.Approve{By: by}, nil
	case Decline:
		return order.Decline{}, nil
	}
	return nil, &Error{InvalidParameters, `action is "open", "approve" or "cancel"`}
}

// PendingOrder is an order that waits for a phone.
type PendingOrder struct {
	AutoStartToken string
	Kind           Kind   // never empty
	Expected       string // 12-digit personal number, or empty for anybody
	Name           string // of the expected person; empty for anybody
	HintCode       string // "outstandingTransaction", "started" or "userSign"
	Text           string // what the phone shows, shortened
	Age            time.Duration
}

// maxPending bounds the list: it is read by a person.
const maxPending = 100

// Pending lists what can be opened, approved or declined now, the newest first,
// at most 100.
func (s *Service) Pending() []PendingOrder {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	var list []PendingOrder
	for e := s.byAge.Back(); e != nil && len(list) < maxPending; e = e.Prev() {
		r := e.Value.(*record)
		age := now.Sub(r.StartedAt)
		if age >= order.FinishWithin {
			break // everything further is older and has ended
		}
		r.state = r.state.Settle(now)
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
