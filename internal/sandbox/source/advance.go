package source

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"samla/internal/sandbox/bankid"
)

// told advances a session, stores the state if it changed, and returns the turn. The caller
// holds mu.
func (s *Service) told(n *session, base string, now time.Time) (turn, error) {
	before := n.State
	t, err := s.turn(n, base, now)
	if err == nil && n.State != before {
		err = s.write(n)
	}
	if err != nil {
		n.State = before
		return turn{}, err
	}
	return t, nil
}

// turn advances the state of a session by time and by BankID, and returns its turn.
func (s *Service) turn(n *session, base string, now time.Time) (turn, error) {
	n.State = n.script.advance(n.State, now)
	v := view{session: n, base: base, now: now}
	for !n.State.ended() && n.script[n.State.Step].Kind == stepBankID {
		moved, scanned, err := s.sign(n, now)
		if err != nil {
			return turn{}, err
		}
		if v.scanned = scanned; !moved {
			break
		}
		n.State = n.script.advance(n.State, now)
	}
	return n.script.turn(n.State, v)
}

// sign starts or collects the order of the current step. It reports whether the step is
// over, and whether the app has opened the order.
func (s *Service) sign(n *session, now time.Time) (moved, scanned bool, err error) {
	if n.State.Order == nil {
		o, err := s.BankID.Auth(bankid.AuthRequest{RequestID: n.company.ID + "/" + n.RequestID + "/" + strconv.Itoa(n.State.Asked), Expected: n.Login.PersonalNumber,
			EndUserIP: n.Login.IPAddress, UserVisibleData: "Log in to " + n.company.DisplayName})
		if e := (*bankid.Error)(nil); errors.As(err, &e) {
			n.State = n.State.refused(e.Code)
			return true, false, nil
		} else if err != nil {
			return false, false, fmt.Errorf("source: %w", err)
		}
		n.State = n.State.ordered(o)
		return false, false, nil
	}
	c, err := s.BankID.Collect(n.State.Order.OrderRef)
	switch e := (*bankid.Error)(nil); {
	case errors.As(err, &e): // BankID does not have it any more
		n.State = n.State.refused("expiredTransaction")
		return true, false, nil
	case err != nil:
		return false, false, fmt.Errorf("source: %w", err)
	case c.User != nil:
		n.State = n.script.signed(n.State, c.User.PersonalNumber, n.Login.PersonalNumber, now)
		return true, false, nil
	case c.Status == "failed" && c.HintCode == notScanned && now.Sub(n.State.Entered) < signTime:
		n.State = n.State.renewed() // the person sees a new code
		return true, false, nil
	case c.Status == "failed":
		n.State = n.State.refused(c.HintCode)
		return true, false, nil
	}
	return false, c.HintCode != "outstandingTransaction", nil
}

func isBankID(err error) bool { e := (*bankid.Error)(nil); return errors.As(err, &e) }
