package bankid_test

import (
	"testing"
	"time"

	"samla/internal/sandbox/bankid"
)

func TestHabit_EndsOrdersAsIfThePersonActed(t *testing.T) {
	for name, tt := range map[string]struct {
		habit         bankid.Habit
		after         time.Duration
		status, hint  string
		signedBy      string
		approvalFails string
	}{
		"not yet":           {bankid.Habit{OpenAfter: 2 * time.Second}, time.Second, "pending", "outstandingTransaction", "", ""},
		"opens":             {bankid.Habit{OpenAfter: 2 * time.Second}, 2 * time.Second, "pending", "started", "", ""},
		"never signs":       {bankid.Habit{OpenAfter: 2 * time.Second}, 3 * time.Minute, "failed", "expiredTransaction", "", ""},
		"never opens":       {bankid.Habit{}, 30 * time.Second, "failed", "startFailed", "", ""},
		"approves":          {bankid.Habit{OpenAfter: time.Second, ActAfter: 2 * time.Second, Action: bankid.Approve}, 2 * time.Second, "complete", "", anna, ""},
		"asked much later":  {bankid.Habit{OpenAfter: time.Second, ActAfter: 2 * time.Second, Action: bankid.Approve}, 2 * time.Minute, "complete", "", anna, ""},
		"lets another sign": {bankid.Habit{ActAfter: time.Second, Action: bankid.Approve, By: bo}, time.Second, "complete", "", bo, ""},
		"cancels":           {bankid.Habit{OpenAfter: time.Second, ActAfter: 2 * time.Second, Action: bankid.Decline}, 2 * time.Second, "failed", "userCancel", "", ""},
		"is blocked":        {bankid.Habit{ActAfter: time.Second, Action: bankid.Approve}, time.Second, "failed", "certificateErr", "", "certificateErr"},
		"acts too late":     {bankid.Habit{ActAfter: time.Minute, Action: bankid.Approve}, 2 * time.Minute, "failed", "startFailed", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s, c := newService()
			s.Habit = func(p string) (bankid.Habit, bool) { return tt.habit, p == anna }
			s.ApprovalFailure = func(string) string { return tt.approvalFails }
			o := auth(t, s, bankid.AuthRequest{Expected: anna})
			other := auth(t, s, bankid.AuthRequest{Expected: bo})
			c.Advance(tt.after)
			got := wantState(t, s, o.OrderRef, tt.status, tt.hint)
			if tt.signedBy != "" && got.User.PersonalNumber != tt.signedBy {
				t.Error("signed by another person")
			}
			if tt.after < 30*time.Second {
				wantState(t, s, other.OrderRef, "pending", "outstandingTransaction")
			}
		})
	}
}

// The person's own phone may be faster than the habit.
func TestHabit_DoesNotUndoWhatThePhoneDid(t *testing.T) {
	s, c := newService()
	s.Habit = func(string) (bankid.Habit, bool) {
		return bankid.Habit{OpenAfter: time.Second, ActAfter: 2 * time.Second, Action: bankid.Approve}, true
	}
	o := auth(t, s, bankid.AuthRequest{Expected: anna})
	act(t, s, bankid.PhoneAction{Action: bankid.Decline, AutoStartToken: o.AutoStartToken}, "")
	c.Advance(time.Minute)
	wantState(t, s, o.OrderRef, "failed", "userCancel")
}

// An order that a habit has completed is not in progress for the next one.
func TestHabit_EndsTheOrderBeforeTheNext(t *testing.T) {
	s, c := newService()
	s.Habit = func(string) (bankid.Habit, bool) {
		return bankid.Habit{ActAfter: 2 * time.Second, Action: bankid.Approve}, true
	}
	first := auth(t, s, bankid.AuthRequest{Expected: anna})
	c.Advance(3 * time.Second)
	if n := len(s.Pending()); n != 0 {
		t.Errorf("%d orders are pending", n)
	}
	auth(t, s, bankid.AuthRequest{Expected: anna})
	act(t, s, bankid.PhoneAction{Action: bankid.Decline, AutoStartToken: first.AutoStartToken}, bankid.OrderEnded)
	wantCode(t, s.Cancel(first.OrderRef), bankid.InvalidParameters)
	wantState(t, s, first.OrderRef, "complete", "")
}
