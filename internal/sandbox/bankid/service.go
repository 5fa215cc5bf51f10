// Package bankid is the simulated BankID of the sandbox bank: it owns the
// orders, in memory and if wanted in a file, and hands them on to two sides. The relying party (the
// sandbox bank, in process, or any program through package httpapi) starts, collects
// and cancels; the phone (a test, or a person on a page) opens, approves and
// declines.
//
// It follows docs/reference/banks.md 12. What real BankID does beyond that is not simulated:
// card readers, document scans, face checks and risk are accepted as
// requirements and change nothing.
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

// Bounds on the memory, about 1 KB an order: orders whose end nobody has
// collected, and those that are only kept so that a late phone is told that its
// order has ended rather than that it never was.
const (
	maxOrders = 50_000
	maxSpent  = 1_000
)

// Service keeps the orders. It is safe for concurrent use; set its fields
// before the first call. The functions among them must not call the service.
type Service struct {
	// Names gives the names of the person with this personal number; nil, or two
	// empty names, is "Test" "Person".
	Names func(personalNumber string) (given, surname string)
	// Refuses gives the hint code with which this person's approval fails, e.g.
	// "certificateErr" for a blocked BankID; nil or "" is a BankID that holds.
	Refuses func(personalNumber string) (hintCode string)

	clock  clock.Clock
	random io.Reader
	limit  int

	mu       sync.Mutex
	journal  *journal.File[entry] // nil: memory only
	byAge    *list.List           // of *record whose end is not collected, oldest first
	spent    *list.List           // of *record whose end is, first collected first
	byRef    map[string]*record
	byStart  map[string]*record // by autostart token
	byQR     map[string]*record // by QR start token
	byPerson map[string]*record // the last order of each expected person
}

type record struct {
	Order
	request AuthRequest // UserVisibleData cut to an excerpt
	state   order.Order
	place   *list.Element // in byAge or spent
}

// New returns a service without orders. Random gives the tokens; it is read
// under the service's lock.
func New(c clock.Clock, random io.Reader) *Service {
	return &Service{
		clock: c, random: random, limit: maxOrders,
		byAge: list.New(), spent: list.New(), byRef: map[string]*record{}, byStart: map[string]*record{},
		byQR: map[string]*record{}, byPerson: map[string]*record{},
	}
}

func (s *Service) keep(r *record) {
	r.place = s.byAge.PushBack(r)
	s.byRef[r.OrderRef], s.byStart[r.AutoStartToken], s.byQR[r.QRStartToken] = r, r, r
	if p := r.request.Expected; p != "" {
		s.byPerson[p] = r
	}
}

func (s *Service) drop(r *record) {
	s.byAge.Remove(r.place)
	s.spent.Remove(r.place)
	delete(s.byRef, r.OrderRef)
	delete(s.byStart, r.AutoStartToken)
	delete(s.byQR, r.QRStartToken)
	if p := r.request.Expected; s.byPerson[p] == r {
		delete(s.byPerson, p)
	}
}

// spend moves an order whose end was collected to the spent ones.
func (s *Service) spend(r *record) {
	s.byAge.Remove(r.place) // a list leaves alone what is in the other
	s.spent.Remove(r.place)
	r.place = s.spent.PushBack(r)
	if s.spent.Len() > maxSpent {
		s.drop(s.spent.Front().Value.(*record))
	}
}

// forget drops the orders that are too old to matter. Each is dropped once, so
// an order costs the same however many there are.
func (s *Service) forget(now time.Time) {
	for e := s.byAge.Front(); e != nil; e = s.byAge.Front() {
		r := e.Value.(*record)
		if now.Sub(r.StartedAt) < order.Life {
			return
		}
		s.drop(r)
	}
}
