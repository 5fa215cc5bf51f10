// Package bankid simulates BankID for the sandbox banks. It stores the orders in memory
// and optionally in a file, and has two kinds of callers. The relying party (a sandbox
// bank in the same process, or any program through package httpapi) starts, collects
// and cancels orders; the phone (a test, or a person on a web page) opens, approves and
// declines them.
//
// It implements docs/reference/banks.md 12. Other features of BankID are not simulated:
// card readers, document scans, face checks and risk are accepted as requirements and
// ignored.
package bankid

import (
	"container/list"
	"io"
	"sync"
	"time"

	"samla/internal/clock"
	"samla/internal/sandbox/bankid/order"
	"samla/internal/sandbox/journal"
)

// Limits of the number of orders in memory, about 1 KB each. Collected orders are stored
// only so that a late phone gets OrderEnded and not UnknownOrder.
const (
	maxOrders    = 50_000
	maxCollected = 1_000
)

// Service stores the orders. It is safe for concurrent use. Set its exported fields
// before the first call; they must not call the service.
type Service struct {
	// Names returns the names of a person. If it is nil or returns empty names, the
	// person is called "Test Person".
	Names func(personalNumber string) (given, surname string)
	// ApprovalFailure returns the hint code with which this person's approvals fail,
	// such as "certificateErr" for a blocked BankID. If it is nil or returns "", they
	// succeed.
	ApprovalFailure func(personalNumber string) (hintCode string)
	// Habit returns what the phone of this person does on its own, and reports whether it
	// does anything. If it is nil, no phone does.
	Habit func(personalNumber string) (Habit, bool)
	// OpenWithin is how long an order waits for the app; 0 = order.OpenWithin. It is less
	// than order.FinishWithin.
	OpenWithin time.Duration

	clock  clock.Clock
	random io.Reader
	limit  int

	mu          sync.Mutex
	journal     *journal.File[entry] // nil: memory only
	uncollected *list.List           // of *record whose result is not collected, oldest first
	collected   *list.List           // of *record whose result is collected, in the order of collection
	byRef       map[string]*record
	byStart     map[string]*record // by autostart token
	byQR        map[string]*record // by QR start token
	byPerson    map[string]*record // by expected person: the last order
}

type record struct {
	Order
	request AuthRequest // with truncated UserVisibleData
	state   order.Order
	element *list.Element // in uncollected or collected
}

// New returns a service without orders. Tokens are read from random, with the service's
// lock held.
func New(c clock.Clock, random io.Reader) *Service {
	return &Service{
		clock: c, random: random, limit: maxOrders,
		uncollected: list.New(), collected: list.New(), byRef: map[string]*record{}, byStart: map[string]*record{},
		byQR: map[string]*record{}, byPerson: map[string]*record{},
	}
}

func (s *Service) add(r *record) {
	r.element = s.uncollected.PushBack(r)
	s.byRef[r.OrderRef], s.byStart[r.AutoStartToken], s.byQR[r.QRStartToken] = r, r, r
	if p := r.request.Expected; p != "" {
		s.byPerson[p] = r
	}
}

func (s *Service) drop(r *record) {
	s.uncollected.Remove(r.element)
	s.collected.Remove(r.element)
	delete(s.byRef, r.OrderRef)
	delete(s.byStart, r.AutoStartToken)
	delete(s.byQR, r.QRStartToken)
	if p := r.request.Expected; s.byPerson[p] == r {
		delete(s.byPerson, p)
	}
}

// markCollected moves an order to the collected ones.
func (s *Service) markCollected(r *record) {
	s.uncollected.Remove(r.element) // does nothing if the element is in the other list
	s.collected.Remove(r.element)
	r.element = s.collected.PushBack(r)
	if s.collected.Len() > maxCollected {
		s.drop(s.collected.Front().Value.(*record))
	}
}

// dropExpired drops the uncollected orders that are older than order.MaxAge. Its cost
// depends only on the number of dropped orders.
func (s *Service) dropExpired(now time.Time) {
	for e := s.uncollected.Front(); e != nil; e = s.uncollected.Front() {
		r := e.Value.(*record)
		if now.Sub(r.StartedAt) < order.MaxAge {
			return
		}
		s.drop(r)
	}
}
