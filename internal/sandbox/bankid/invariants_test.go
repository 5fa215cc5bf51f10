package bankid_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"samla/internal/clock"
	"samla/internal/sandbox/bankid"
)

// TestService_KeepsInvariants runs random calls on a service. A person never has two
// pending orders; a result is collected at most once per process; an order is complete
// if and only if it was approved; a kill changes no pending order.
func TestService_KeepsInvariants(t *testing.T) {
	path := filepath.Join(t.TempDir(), "orders")
	outer := t
	rapid.Check(t, func(t *rapid.T) {
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
		c := clock.NewManual(start)
		s := openService(outer, c, path)
		var orders []bankid.Order
		collected, approved := map[string]bool{}, map[string]bool{}
		pick := func(t *rapid.T) bankid.Order {
			if len(orders) == 0 {
				t.Skip("no order yet")
			}
			return rapid.SampledFrom(orders).Draw(t, "order")
		}
		person := rapid.SampledFrom([]string{"", anna, bo})
		t.Repeat(map[string]func(*rapid.T){
			"auth": func(t *rapid.T) {
				expected := person.Draw(t, "expected")
				busy := expected != "" && pendingOf(s, expected) > 0
				o, err := s.Auth(bankid.AuthRequest{Expected: expected})
				if busy != (err != nil) {
					t.Fatalf("in progress: %v, error %v", busy, err)
				}
				if err == nil {
					orders = append(orders, o)
				} else if pendingOf(s, expected) != 0 {
					t.Fatal("the earlier order is still pending")
				}
			},
			"act": func(t *rapid.T) {
				o := pick(t)
				r, err := s.Act(bankid.PhoneAction{
					Action:         rapid.SampledFrom([]bankid.Action{bankid.Open, bankid.Approve, bankid.Decline}).Draw(t, "action"),
					AutoStartToken: o.AutoStartToken, PersonalNumber: person.Draw(t, "by"),
				})
				if err == nil && r.Status == "complete" {
					approved[o.OrderRef] = true
				}
			},
			"collect": func(t *rapid.T) {
				o := pick(t)
				got, err := s.Collect(o.OrderRef)
				if err != nil || got.Status == "pending" {
					return
				}
				if collected[o.OrderRef] {
					t.Fatal("a result was collected twice")
				}
				collected[o.OrderRef] = true
				if complete := got.Status == "complete"; complete != approved[o.OrderRef] || complete != (got.User != nil) {
					t.Fatalf("%s, approved %v, user %v", got.Status, approved[o.OrderRef], got.User != nil)
				}
			},
			"cancel": func(t *rapid.T) {
				o := pick(t)
				if s.Cancel(o.OrderRef) == nil && approved[o.OrderRef] {
					t.Fatal("a complete order was cancelled")
				}
			},
			"kill": func(t *rapid.T) {
				before := s.Pending()
				s = openService(outer, c, path)
				if diff := cmp.Diff(before, s.Pending()); diff != "" {
					t.Fatalf("pending (-before +after):\n%s", diff)
				}
				clear(collected)
			},
			"wait": func(t *rapid.T) {
				c.Advance(time.Duration(rapid.IntRange(1, 100).Draw(t, "seconds")) * time.Second)
			},
			"": func(t *rapid.T) {
				for _, p := range []string{anna, bo} {
					if n := pendingOf(s, p); n > 1 {
						t.Fatalf("a person has %d orders in progress", n)
					}
				}
			},
		})
	})
}

func pendingOf(s *bankid.Service, person string) int {
	n := 0
	for _, p := range s.Pending() {
		if p.Expected == person {
			n++
		}
	}
	return n
}
