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

func held(s *Service) [4]int {
	return [4]int{len(s.byRef), len(s.byStart), len(s.byQR), s.byAge.Len() + s.spent.Len()}
}

func TestOldOrdersAreForgotten(t *testing.T) {
	c := clock.NewManual(time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC))
	s := New(c, rand.Reader)
	old, err := s.Auth(AuthRequest{Expected: "199006022397"})
	if err != nil {
		t.Fatal(err)
	}
	c.Advance(order.Life)
	var refusal *Error
	if _, err := s.Act(PhoneAction{Action: Open, AutoStartToken: old.AutoStartToken}); !errors.As(err, &refusal) || refusal.Code != UnknownOrder {
		t.Errorf("acting on an old order: %v", err)
	}
	if _, err := s.Auth(AuthRequest{}); err != nil {
		t.Fatal(err)
	}
	if got := held(s); got != [4]int{1, 1, 1, 1} || len(s.byPerson) != 0 {
		t.Errorf("still holds %v, %d persons", got, len(s.byPerson))
	}
}

func TestFullServiceRefuses(t *testing.T) {
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
	var refusal *Error
	if _, err := s.Auth(AuthRequest{}); !errors.As(err, &refusal) || refusal.Code != TooManyRequests {
		t.Fatalf("one order too many: %v", err)
	}
	if err := s.Cancel(last.OrderRef); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Collect(last.OrderRef); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Auth(AuthRequest{}); err != nil {
		t.Errorf("no room after a collected end: %v", err)
	}
}

func TestCollectedOrdersAreBounded(t *testing.T) {
	s := New(clock.NewManual(time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)), rand.Reader)
	for range maxSpent + 10 {
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
	if got := held(s); got != [4]int{maxSpent, maxSpent, maxSpent, maxSpent} || len(s.byPerson) != 1 {
		t.Errorf("holds %v, %d persons", got, len(s.byPerson))
	}
}

// Orders whose end was told take no room from new ones, however many restarts
// have passed.
func TestToldOrdersTakeNoRoomAfterRestarts(t *testing.T) {
	c, path := clock.NewManual(time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)), filepath.Join(t.TempDir(), "orders")
	s := New(c, rand.Reader)
	if err := s.Keep(path); err != nil {
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
		if err := s.Keep(path); err != nil {
			t.Fatal(err)
		}
		if s.byAge.Len() != 0 || s.spent.Len() != 3 {
			t.Errorf("%d orders take room, %d do not", s.byAge.Len(), s.spent.Len())
		}
	}
	for ref := range s.byRef {
		if _, err := s.Collect(ref); err != nil {
			t.Fatal(err)
		}
	}
	if s.spent.Len() != 3 {
		t.Errorf("told again, three orders are %d", s.spent.Len())
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
		// What was read is all there is: written again it is the same text but
		// for the HMAC.
		again := QRData(token, "any secret", second)
		if n := len(again) - 64; len(again) != len(text) || again[:n] != text[:n] {
			t.Errorf("%q was read as token %q, second %d", text, token, second)
		}
	})
}
