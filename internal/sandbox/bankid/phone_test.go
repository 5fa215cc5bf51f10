package bankid_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"samla/internal/sandbox/bankid"
)

func TestAct_RejectsInvalidActions(t *testing.T) {
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
		{"no phone order of the person", bankid.PhoneAction{Action: bankid.Open, PersonalNumber: anna}, bankid.UnknownOrder},
		{"no person", bankid.PhoneAction{Action: bankid.Approve, AutoStartToken: start}, bankid.PersonNeeded},
	} {
		t.Run(tt.name, func(t *testing.T) {
			act(t, s, tt.action, tt.code)
			wantState(t, s, o.OrderRef, "pending", "outstandingTransaction")
		})
	}
}

func TestAct_AcceptsTextOfStaticCode(t *testing.T) {
	for _, text := range []string{
		"bankid:///?autostarttoken=T", "bankid:///?autostarttoken=T&redirect=null", "https://app.bankid.com/?autostarttoken=T",
		"https://app.bankid.com/?redirect=https%3A%2F%2Fx.example%2F&autostarttoken=T",
	} {
		s, c := newService()
		o := auth(t, s, bankid.AuthRequest{Expected: anna})
		c.Advance(20 * time.Second) // a static code does not become stale
		act(t, s, bankid.PhoneAction{Action: bankid.Approve, QRData: strings.ReplaceAll(text, "=T", "="+o.AutoStartToken)}, "")
		wantState(t, s, o.OrderRef, "complete", "")
	}
	s, _ := newService()
	o := auth(t, s, bankid.AuthRequest{Expected: anna})
	if got, want := bankid.AutoStartURL(o.AutoStartToken), "bankid:///?autostarttoken="+o.AutoStartToken; got != want {
		t.Errorf("the URL is %q", got)
	}
	token := "autostarttoken=" + o.AutoStartToken
	for text, code := range map[string]string{
		"bankid:///?autostarttoken=" + o.OrderRef: bankid.UnknownOrder,
		"bankid:///?autostarttoken=":              bankid.InvalidQR,
		"bankid:///?":                             bankid.InvalidQR,
		"bankid:///?" + token + "&" + token:       bankid.InvalidQR,
		"bankid:///?" + token + "&x=%zz":          bankid.InvalidQR,
		"bankid://" + token:                       bankid.InvalidQR,
		"https://app.bankid.example/?" + token:    bankid.InvalidQR,
		"http://app.bankid.com/?" + token:         bankid.InvalidQR,
		o.AutoStartToken:                          bankid.InvalidQR,
	} {
		act(t, s, bankid.PhoneAction{Action: bankid.Approve, QRData: text}, code)
	}
	wantState(t, s, o.OrderRef, "pending", "outstandingTransaction")
}

func TestAct_FindsPhoneOrderByPerson(t *testing.T) {
	s, _ := newService()
	auth(t, s, bankid.AuthRequest{Expected: bo})
	o := auth(t, s, bankid.AuthRequest{Kind: bankid.PhoneSign, Expected: anna})
	act(t, s, bankid.PhoneAction{Action: bankid.Approve, PersonalNumber: bo}, bankid.UnknownOrder) // bo's order is not a phone order
	act(t, s, bankid.PhoneAction{Action: bankid.Approve, PersonalNumber: anna}, "")
	wantState(t, s, o.OrderRef, "complete", "")
}

func TestPending_ListsNewestFirst(t *testing.T) {
	s, c := newService()
	s.Names = func(string) (string, string) { return "Anna", "Ek" }
	long := make([]rune, 200)
	for i := range long {
		long[i] = 'å' // two bytes, which must not be split
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

func TestPending_ReturnsAtMost100(t *testing.T) {
	s, _ := newService()
	for range 101 {
		auth(t, s, bankid.AuthRequest{})
	}
	if n := len(s.Pending()); n != 100 {
		t.Errorf("%d orders, want 100", n)
	}
}
