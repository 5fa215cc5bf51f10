package bankid

import (
	"crypto/rand"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/sandbox/bankid/order"
)

func sizes(s *Service) [4]int {
	return [4]int{len(s.byRef), len(s.byStart), len(s.byQR), s.uncollected.Len() + s.collected.Len()}
}

func TestService_DropsExpiredOrders(t *testing.T) {
	c := clock.NewManual(time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC))
	s := New(c, rand.Reader)
	old, err := s.Auth(AuthRequest{Expected: "199006022397"})
	if err != nil {
		t.Fatal(err)
	}
	c.Advance(order.MaxAge)
	var apiErr *Error
	if _, err := s.Act(PhoneAction{Action: Open, AutoStartToken: old.AutoStartToken}); !errors.As(err, &apiErr) || apiErr.Code != UnknownOrder {
		t.Errorf("action on an expired order: %v", err)
	}
	if _, err := s.Auth(AuthRequest{}); err != nil {
		t.Fatal(err)
	}
	if got := sizes(s); got != [4]int{1, 1, 1, 1} || len(s.byPerson) != 0 {
		t.Errorf("%v orders, %d persons", got, len(s.byPerson))
	}
}

func TestAuth_FailsWhenServiceIsFull(t *testing.T) {
	c := clock.NewManual(time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC))
	s := New(c, rand.Reader)
	s.limit = 3
	var last Order
	for range s.limit {
		var err error
		if last, err = s.Auth(AuthRequest{}); err != nil {
			t.Fatal(err)
		}
	}
	var apiErr *Error
	if _, err := s.Auth(AuthRequest{}); !errors.As(err, &apiErr) || apiErr.Code != TooManyRequests {
		t.Fatalf("one order too many: %v", err)
	}
	if err := s.Cancel(last.OrderRef); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Collect(last.OrderRef); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Auth(AuthRequest{}); err != nil {
		t.Errorf("after one order was collected: %v", err)
	}
}

func TestService_LimitsCollectedOrders(t *testing.T) {
	s := New(clock.NewManual(time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)), rand.Reader)
	for range maxCollected + 10 {
		o, err := s.Auth(AuthRequest{Expected: "199006022397"})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Cancel(o.OrderRef); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Collect(o.OrderRef); err != nil {
			t.Fatal(err)
		}
	}
	if got := sizes(s); got != [4]int{maxCollected, maxCollected, maxCollected, maxCollected} || len(s.byPerson) != 1 {
		t.Errorf("%v orders, %d persons", got, len(s.byPerson))
	}
}

// Collected orders do not count towards the limit of orders, even after restarts.
func TestOpenJournal_CollectedOrdersDoNotCount(t *testing.T) {
	c, path := clock.NewManual(time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)), filepath.Join(t.TempDir(), "orders")
	s := New(c, rand.Reader)
	if err := s.OpenJournal(path); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		o, err := s.Auth(AuthRequest{})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Cancel(o.OrderRef); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Collect(o.OrderRef); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		s = New(c, rand.Reader)
		if err := s.OpenJournal(path); err != nil {
			t.Fatal(err)
		}
		if s.uncollected.Len() != 0 || s.collected.Len() != 3 {
			t.Errorf("%d uncollected, %d collected orders", s.uncollected.Len(), s.collected.Len())
		}
	}
	for ref := range s.byRef {
		if _, err := s.Collect(ref); err != nil {
			t.Fatal(err)
		}
	}
	if s.collected.Len() != 3 {
		t.Errorf("%d collected orders after collecting again, want 3", s.collected.Len())
	}
}

func FuzzParseQR(f *testing.F) {
	f.Add(QRData("67df3917-fa0d-44e5-b327-edcc928297f8", "secret", 0))
	f.Add(QRData("a", "secret", -1))
	f.Add(strings.Replace(QRData("a", "secret", 7), ".7.", ".07.", 1))
	f.Add(strings.Replace(QRData("a", "secret", 7), ".7.", ".+7.", 1))
	f.Add("bankid.a.-1.00")
	f.Add("bankid....")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		token, second, err := parseQR(text)
		if err != nil {
			return
		}
		// Token and second produce the same text again, except for the HMAC.
		again := QRData(token, "any secret", second)
		if n := len(again) - 64; len(again) != len(text) || again[:n] != text[:n] {
			t.Errorf("%q was parsed as token %q, second %d", text, token, second)
		}
	})
}

func TestAuth_WaitsForTheAppAsLongAsTheServiceSays(t *testing.T) {
	for patience, want := range map[time.Duration]time.Duration{0: order.OpenWithin, 2 * time.Minute: 2 * time.Minute} {
		c := clock.NewManual(time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC))
		s := New(c, rand.Reader)
		s.OpenWithin = patience
		o, err := s.Auth(AuthRequest{Expected: "199006022397"})
		if err != nil {
			t.Fatal(err)
		}
		c.Advance(want - 1)
		if got, err := s.Collect(o.OrderRef); err != nil || got.Status != "pending" {
			t.Errorf("patience %s: just before the limit %+v, %v", patience, got, err)
		}
		c.Advance(1)
		if got, err := s.Collect(o.OrderRef); err != nil || got.HintCode != string(order.StartFailed) {
			t.Errorf("patience %s: at the limit %+v, %v", patience, got, err)
		}
	}
}
