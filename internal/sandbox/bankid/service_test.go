package bankid_test

import (
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"samla/internal/clock"
	"samla/internal/sandbox/bankid"
)

// Test numbers published by Skatteverket.
const (
	anna = "199006022397"
	bo   = "194408139089"
)

var start = time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)

func newService() (*bankid.Service, *clock.Manual) {
	c := clock.NewManual(start)
	return bankid.New(c, rand.Reader), c
}

func auth(t *testing.T, s *bankid.Service, r bankid.AuthRequest) bankid.Order {
	t.Helper()
	o, err := s.Auth(r)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// wantCode fails unless err is an *Error with this code; "" means no error.
func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var apiErr *bankid.Error
	switch {
	case err == nil && code == "":
	case err == nil || !errors.As(err, &apiErr):
		t.Fatalf("error %v, want code %q", err, code)
	case apiErr.Code != code:
		t.Fatalf("code %q (%s), want %q", apiErr.Code, apiErr.Details, code)
	}
}

func wantState(t *testing.T, s *bankid.Service, ref, status, hint string) bankid.Collected {
	t.Helper()
	c, err := s.Collect(ref)
	if err != nil {
		t.Fatal(err)
	}
	if c.OrderRef != ref || c.Status != status || c.HintCode != hint {
		t.Fatalf("collected %s/%s, want %s/%s", c.Status, c.HintCode, status, hint)
	}
	return c
}

func act(t *testing.T, s *bankid.Service, a bankid.PhoneAction, code string) bankid.PhoneResult {
	t.Helper()
	r, err := s.Act(a)
	wantCode(t, err, code)
	return r
}

func TestService_CompletesLogin(t *testing.T) {
	s, c := newService()
	s.Names = func(string) (string, string) { return "Anna", "Ek" }
	o := auth(t, s, bankid.AuthRequest{EndUserIP: "192.0.2.1", Expected: anna})
	wantState(t, s, o.OrderRef, "pending", "outstandingTransaction")

	c.Advance(4 * time.Second)
	r := act(t, s, bankid.PhoneAction{Action: bankid.Open, QRData: bankid.QRData(o.QRStartToken, o.QRStartSecret, 4)}, "")
	if want := (bankid.PhoneResult{OrderRef: o.OrderRef, Status: "pending", HintCode: "started"}); r != want {
		t.Errorf("result on the phone %+v, want %+v", r, want)
	}
	wantState(t, s, o.OrderRef, "pending", "started")
	c.Advance(time.Second)
	wantState(t, s, o.OrderRef, "pending", "userSign")

	act(t, s, bankid.PhoneAction{Action: bankid.Approve, AutoStartToken: o.AutoStartToken}, "")
	got := wantState(t, s, o.OrderRef, "complete", "")
	want := &bankid.User{PersonalNumber: anna, Name: "Anna Ek", GivenName: "Anna", Surname: "Ek"}
	if diff := cmp.Diff(want, got.User); diff != "" {
		t.Errorf("user (-want +got):\n%s", diff)
	}
	_, err := s.Collect(o.OrderRef)
	wantCode(t, err, bankid.InvalidParameters)
	act(t, s, bankid.PhoneAction{Action: bankid.Approve, AutoStartToken: o.AutoStartToken}, bankid.OrderEnded)
}

func TestService_AnotherPersonCanSign(t *testing.T) {
	s, _ := newService()
	o := auth(t, s, bankid.AuthRequest{Expected: anna})
	act(t, s, bankid.PhoneAction{Action: bankid.Approve, AutoStartToken: o.AutoStartToken, PersonalNumber: bo}, "")
	if got := wantState(t, s, o.OrderRef, "complete", "").User; got.PersonalNumber != bo || got.Name != "Test Person" {
		t.Errorf("signed by %q", got.Name)
	}
}

func TestService_RequiredPersonMustSign(t *testing.T) {
	s, _ := newService()
	o := auth(t, s, bankid.AuthRequest{Requirement: anna})
	act(t, s, bankid.PhoneAction{Action: bankid.Approve, AutoStartToken: o.AutoStartToken, PersonalNumber: bo}, bankid.WrongPerson)
	wantState(t, s, o.OrderRef, "pending", "outstandingTransaction")
	act(t, s, bankid.PhoneAction{Action: bankid.Approve, AutoStartToken: o.AutoStartToken}, "")
	if wantState(t, s, o.OrderRef, "complete", "").User.PersonalNumber != anna {
		t.Error("signed by another person than required")
	}
}

func TestService_ApprovalFailureFailsOrder(t *testing.T) {
	s, _ := newService()
	s.ApprovalFailure = func(p string) string {
		if p == bo {
			return "certificateErr"
		}
		return ""
	}
	o := auth(t, s, bankid.AuthRequest{Expected: bo})
	r := act(t, s, bankid.PhoneAction{Action: bankid.Approve, AutoStartToken: o.AutoStartToken}, "")
	if r.Status != "failed" || r.HintCode != "certificateErr" {
		t.Errorf("result on the phone: %s/%s", r.Status, r.HintCode)
	}
	wantState(t, s, o.OrderRef, "failed", "certificateErr")
	o = auth(t, s, bankid.AuthRequest{Expected: anna})
	act(t, s, bankid.PhoneAction{Action: bankid.Approve, AutoStartToken: o.AutoStartToken}, "")
	wantState(t, s, o.OrderRef, "complete", "")
}

func TestAuth_SecondOrderCancelsBoth(t *testing.T) {
	s, c := newService()
	first := auth(t, s, bankid.AuthRequest{Expected: anna})
	auth(t, s, bankid.AuthRequest{Expected: bo})
	auth(t, s, bankid.AuthRequest{})
	auth(t, s, bankid.AuthRequest{}) // orders without an expected person are independent

	_, err := s.Auth(bankid.AuthRequest{Requirement: anna})
	wantCode(t, err, bankid.AlreadyInProgress)
	wantState(t, s, first.OrderRef, "failed", "cancelled")
	if n := len(s.Pending()); n != 3 {
		t.Errorf("%d orders pending, want the 3 of others", n)
	}
	second := auth(t, s, bankid.AuthRequest{Expected: anna}) // no order of hers is pending now
	c.Advance(30 * time.Second)                              // the order fails by timeout
	auth(t, s, bankid.AuthRequest{Expected: anna})
	wantState(t, s, second.OrderRef, "failed", "startFailed")
}

func TestCancel_FailsOrder(t *testing.T) {
	s, _ := newService()
	o := auth(t, s, bankid.AuthRequest{Expected: anna})
	wantCode(t, s.Cancel(o.OrderRef), "")
	wantCode(t, s.Cancel(o.OrderRef), bankid.InvalidParameters)
	wantCode(t, s.Cancel("no such order"), bankid.InvalidParameters)
	wantState(t, s, o.OrderRef, "failed", "cancelled")

	o = auth(t, s, bankid.AuthRequest{Expected: anna})
	r := act(t, s, bankid.PhoneAction{Action: bankid.Decline, AutoStartToken: o.AutoStartToken}, "")
	if r.Status != "failed" || r.HintCode != "userCancel" {
		t.Errorf("result on the phone: %s/%s", r.Status, r.HintCode)
	}
	wantState(t, s, o.OrderRef, "failed", "userCancel")
}

func TestAuth_RejectsInvalidRequests(t *testing.T) {
	s, _ := newService()
	for name, r := range map[string]bankid.AuthRequest{
		"address":       {EndUserIP: "300.1.1.1"},
		"short number":  {Expected: "9006022397"},
		"letters":       {Expected: "19900602239A"},
		"check digit":   {Expected: "196408833224"},
		"hyphen":        {Requirement: "19900602-239"},
		"two persons":   {Expected: anna, Requirement: bo},
		"text too long": {UserVisibleData: strings.Repeat("a", bankid.MaxVisible+1)},
		"text no UTF-8": {UserVisibleData: "\xff"},
		"kind":          {Kind: "payment"},
		"phone, nobody": {Kind: bankid.PhoneAuth},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.Auth(r)
			wantCode(t, err, bankid.InvalidParameters)
		})
	}
	if len(s.Pending()) != 0 {
		t.Error("a rejected request has started an order")
	}
}

func TestAuth_FailsWithoutRandomness(t *testing.T) {
	s := bankid.New(clock.NewManual(start), strings.NewReader("too short"))
	if _, err := s.Auth(bankid.AuthRequest{}); err == nil {
		t.Error("an order was started without randomness")
	}
}

func TestService_AllowsConcurrentUse(t *testing.T) {
	s, c := newService()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				o, err := s.Auth(bankid.AuthRequest{})
				if err != nil {
					t.Error(err)
					return
				}
				s.Pending()
				c.Advance(time.Millisecond)
				if _, err := s.Act(bankid.PhoneAction{Action: bankid.Approve, AutoStartToken: o.AutoStartToken, PersonalNumber: anna}); err != nil {
					t.Error(err)
				}
				if got, err := s.Collect(o.OrderRef); err != nil || got.Status != "complete" {
					t.Errorf("%s, %v", got.Status, err)
				}
			}
		})
	}
	wg.Wait()
}
