package bankid_test

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"samla/internal/clock"
	"samla/internal/sandbox/bankid"
	"samla/internal/sandbox/bankid/order"
)

// openService returns a service with the journal at path, as after a restart. An earlier
// service on that path is not closed, as after a kill.
func openService(t testing.TB, c clock.Clock, path string) *bankid.Service {
	t.Helper()
	s := bankid.New(c, rand.Reader)
	if err := s.OpenJournal(path); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestJournal_ContinuesOrdersAfterKill(t *testing.T) {
	c, path := clock.NewManual(start), filepath.Join(t.TempDir(), "orders")
	s := openService(t, c, path)
	scanned := auth(t, s, bankid.AuthRequest{Expected: anna, UserVisibleData: "Log in"})
	declined := auth(t, s, bankid.AuthRequest{})
	act(t, s, bankid.PhoneAction{Action: bankid.Decline, AutoStartToken: declined.AutoStartToken}, "")
	busy := auth(t, s, bankid.AuthRequest{Expected: bo})
	_, err := s.Auth(bankid.AuthRequest{Expected: bo})
	wantCode(t, err, bankid.AlreadyInProgress)
	cancelled := auth(t, s, bankid.AuthRequest{})
	wantCode(t, s.Cancel(cancelled.OrderRef), "")
	phone := auth(t, s, bankid.AuthRequest{Kind: bankid.PhoneAuth, Expected: bo})
	late := auth(t, s, bankid.AuthRequest{})
	before := s.Pending()

	s = openService(t, c, path)
	if diff := cmp.Diff(before, s.Pending()); diff != "" {
		t.Errorf("pending (-before +after):\n%s", diff)
	}
	wantState(t, s, declined.OrderRef, "failed", "userCancel")
	wantState(t, s, busy.OrderRef, "failed", "cancelled")
	wantState(t, s, cancelled.OrderRef, "failed", "cancelled")
	_, err = s.Auth(bankid.AuthRequest{Expected: "198611239883"})
	wantCode(t, err, "")
	act(t, s, bankid.PhoneAction{Action: bankid.Approve, PersonalNumber: bo}, "")
	wantState(t, s, phone.OrderRef, "complete", "")

	c.Advance(29 * time.Second)
	r := act(t, s, bankid.PhoneAction{Action: bankid.Open, QRData: bankid.QRData(scanned.QRStartToken, scanned.QRStartSecret, 29)}, "")
	if r.HintCode != "started" {
		t.Errorf("result on the phone: %+v", r)
	}
	c.Advance(time.Second)
	s = openService(t, c, path)
	wantState(t, s, late.OrderRef, "failed", "startFailed") // 30 s from its start
	wantState(t, s, scanned.OrderRef, "pending", "userSign")
	c.Advance(149 * time.Second)
	act(t, s, bankid.PhoneAction{Action: bankid.Approve, AutoStartToken: scanned.AutoStartToken}, "")
	s = openService(t, c, path)
	if got := wantState(t, s, scanned.OrderRef, "complete", ""); got.User.PersonalNumber != anna || got.Request.UserVisibleData != "Log in" {
		t.Error("the result is of another order")
	}
	_, err = s.Collect(scanned.OrderRef)
	wantCode(t, err, bankid.InvalidParameters)
	s = openService(t, c, path)
	wantState(t, s, scanned.OrderRef, "complete", "") // collected once more after the restart
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

// OpenJournal ignores an incomplete last line, because it was never acknowledged. It
// fails on an invalid line before that.
func TestOpenJournal_HandlesIncompleteAndInvalidLines(t *testing.T) {
	c, path := clock.NewManual(start), filepath.Join(t.TempDir(), "orders")
	s := openService(t, c, path)
	o := auth(t, s, bankid.AuthRequest{Expected: anna})
	act(t, s, bankid.PhoneAction{Action: bankid.Open, AutoStartToken: o.AutoStartToken}, "")
	act(t, s, bankid.PhoneAction{Action: bankid.Approve, AutoStartToken: o.AutoStartToken}, "")
	lines, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, lines[:len(lines)-10], 0o600); err != nil {
		t.Fatal(err)
	}
	s = openService(t, c, path)
	wantState(t, s, o.OrderRef, "pending", "started")
	act(t, s, bankid.PhoneAction{Action: bankid.Approve, AutoStartToken: o.AutoStartToken}, "")
	s = openService(t, c, path)
	wantState(t, s, o.OrderRef, "complete", "")

	if err := os.WriteFile(path, []byte("{\n"+string(lines)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := bankid.New(c, rand.Reader).OpenJournal(path); err == nil || strings.Contains(err.Error(), anna) {
		t.Errorf("invalid line: %v", err)
	}
}

func TestOpenJournal_DropsExpiredOrders(t *testing.T) {
	c, path := clock.NewManual(start), filepath.Join(t.TempDir(), "orders")
	s := openService(t, c, path)
	old := auth(t, s, bankid.AuthRequest{})
	collected := auth(t, s, bankid.AuthRequest{})
	wantCode(t, s.Cancel(collected.OrderRef), "")
	wantState(t, s, collected.OrderRef, "failed", "cancelled")
	c.Advance(order.MaxAge - time.Second)
	young := auth(t, s, bankid.AuthRequest{})
	lines := func() int {
		t.Helper()
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(data), "\n")
	}
	openService(t, c, path)
	if n := lines(); n != 3 {
		t.Errorf("%d lines for three orders", n)
	}
	c.Advance(time.Second)
	s = openService(t, c, path)
	if n := lines(); n != 1 {
		t.Errorf("%d lines for one order", n)
	}
	_, err := s.Collect(old.OrderRef)
	wantCode(t, err, bankid.InvalidParameters)
	wantState(t, s, young.OrderRef, "pending", "outstandingTransaction")
}

// With a failing journal no order changes, and the error is not an *Error.
func TestJournal_FailureChangesNothing(t *testing.T) {
	if err := bankid.New(clock.NewManual(start), rand.Reader).OpenJournal(filepath.Join(t.TempDir(), "no", "folder")); err == nil {
		t.Error("a journal in a missing directory was opened")
	}
	s, o := bankid.WithFailingJournal(t, anna)
	var apiErr *bankid.Error
	failed := func(what string, err error) {
		t.Helper()
		if err == nil || errors.As(err, &apiErr) {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err := s.Auth(bankid.AuthRequest{})
	failed("a new order", err)
	_, err = s.Auth(bankid.AuthRequest{Expected: anna})
	failed("a second order", err)
	_, err = s.Act(bankid.PhoneAction{Action: bankid.Approve, AutoStartToken: o.AutoStartToken})
	failed("an approval", err)
	failed("a cancel", s.Cancel(o.OrderRef))
	wantState(t, s, o.OrderRef, "pending", "outstandingTransaction")
	if n := len(s.Pending()); n != 1 {
		t.Errorf("%d orders pending", n)
	}
	failed("Close", s.Close())
}

func TestAuth_RepeatedRequestReturnsSameOrder(t *testing.T) {
	s, c := newService()
	ask := bankid.AuthRequest{RequestID: "one", Expected: anna}
	o := auth(t, s, ask)
	if again := auth(t, s, ask); again != o {
		t.Error("the same request started another order")
	}
	wantState(t, s, o.OrderRef, "pending", "outstandingTransaction")
	_, err := s.Auth(bankid.AuthRequest{RequestID: "two", Expected: anna})
	wantCode(t, err, bankid.AlreadyInProgress)
	o = auth(t, s, ask)
	c.Advance(order.OpenWithin)
	if again := auth(t, s, ask); again == o {
		t.Error("an order that has ended was returned again")
	}
}

// For any file, OpenJournal either fails or results in a service that works and whose
// journal can be opened again.
func FuzzOpenJournal(f *testing.F) {
	f.Add([]byte(`{"ref":"a","order":{"orderRef":"a","autoStartToken":"b","startedAt":"2026-04-01T08:00:00Z"},"request":{"expected":"` + anna + `"},"state":{"status":"pending"}}` + "\n" + `{"ref":"a","state":{"status":"complete","collected":true}}` + "\n"))
	f.Add([]byte(`{"ref":"a","order":{"orderRef":"b"},"request":{}}` + "\n"))
	f.Add([]byte("{}\nnull\n{\"ref\":"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		c, path := clock.NewManual(start), filepath.Join(dir, "orders")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		s := bankid.New(c, rand.Reader)
		if s.OpenJournal(path) != nil {
			return
		}
		o := auth(t, s, bankid.AuthRequest{})
		s.Pending()
		c.Advance(time.Second)
		wantState(t, openService(t, c, path), o.OrderRef, "pending", "outstandingTransaction")
	})
}
