package bankid_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"samla/internal/sandbox/bankid"
)

func TestActRefusesBadActions(t *testing.T) {
	s, _ := newService()
	o := auth(t, s, bankid.AuthRequest{})
	start := o.AutoStartToken
	for _, tt := range []struct {
		name   string
		action bankid.PhoneAction
		code   string
	}{
		{"no action", bankid.PhoneAction{AutoStartToken: start}, bankid.InvalidParameters},
		{"unknown action", bankid.PhoneAction{Action: "sign", AutoStartToken: start}, bankid.InvalidParameters},
		{"no order", bankid.PhoneAction{Action: bankid.Open}, bankid.InvalidParameters},
		{"two orders", bankid.PhoneAction{Action: bankid.Open, AutoStartToken: start, QRData: "bankid"}, bankid.InvalidParameters},
		{"unknown token", bankid.PhoneAction{Action: bankid.Open, AutoStartToken: o.OrderRef}, bankid.UnknownOrder},
		{"number too short", bankid.PhoneAction{Action: bankid.Open, AutoStartToken: start, PersonalNumber: "1"}, bankid.InvalidParameters},
		{"nobody waits for the phone", bankid.PhoneAction{Action: bankid.Open, PersonalNumber: anna}, bankid.UnknownOrder},
		{"nobody is named", bankid.PhoneAction{Action: bankid.Approve, AutoStartToken: start}, bankid.PersonNeeded},
	} {
		t.Run(tt.name, func(t *testing.T) {
			act(t, s, tt.action, tt.code)
			wantState(t, s, o.OrderRef, "pending", "outstandingTransaction")
		})
	}
}

func TestPhoneOrderFindsItsPerson(t *testing.T) {
	s, _ := newService()
	auth(t, s, bankid.AuthRequest{Expected: bo})
	o := auth(t, s, bankid.AuthRequest{Kind: bankid.PhoneSign, Expected: anna})
	act(t, s, bankid.PhoneAction{Action: bankid.Approve, PersonalNumber: bo}, bankid.UnknownOrder) // not by phone
	act(t, s, bankid.PhoneAction{Action: bankid.Approve, PersonalNumber: anna}, "")
	wantState(t, s, o.OrderRef, "complete", "")
}

func TestPending(t *testing.T) {
	s, c := newService()
	s.Names = func(string) (string, string) { return "Anna", "Ek" }
	long := make([]rune, 200)
	for i := range long {
		long[i] = 'å' // two bytes: the cut must not split it
	}
	first := auth(t, s, bankid.AuthRequest{UserVisibleData: "x" + string(long)})
	c.Advance(10 * time.Second)
	second := auth(t, s, bankid.AuthRequest{Kind: bankid.Sign, Expected: anna, UserVisibleData: "Log in"})
	act(t, s, bankid.PhoneAction{Action: bankid.Open, AutoStartToken: second.AutoStartToken}, "")
	ended := auth(t, s, bankid.AuthRequest{Expected: bo})
	wantCode(t, s.Cancel(ended.OrderRef), "")

	want := []bankid.PendingOrder{
		{AutoStartToken: second.AutoStartToken, Kind: bankid.Sign, Expected: anna, Name: "Anna Ek", HintCode: "started", Text: "Log in"},
		{AutoStartToken: first.AutoStartToken, Kind: bankid.Auth, HintCode: "outstandingTransaction", Text: "x" + string(long[:149]) + "…", Age: 10 * time.Second},
	}
	if diff := cmp.Diff(want, s.Pending()); diff != "" {
		t.Errorf("pending (-want +got):\n%s", diff)
	}
	c.Advance(20 * time.Second)
	if got := s.Pending(); len(got) != 1 || got[0].HintCode != "userSign" {
		t.Errorf("after 30 s: %+v", got)
	}
	c.Advance(160 * time.Second)
	if got := s.Pending(); len(got) != 0 {
		t.Errorf("after 3 min: %+v", got)
	}
}

func TestPendingIsBounded(t *testing.T) {
	s, _ := newService()
	for range 101 {
		auth(t, s, bankid.AuthRequest{})
	}
	if n := len(s.Pending()); n != 100 {
		t.Errorf("lists %d orders, want 100", n)
	}
}
