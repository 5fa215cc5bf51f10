package bankid

import (
	"errors"
	"fmt"
	"net/netip"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"samla/internal/ident"
	"samla/internal/sandbox/bankid/order"
)

// MaxVisible is the longest text an order may show, in bytes.
const MaxVisible = 40_000

// excerpt is how much of that text is kept for the phone, in bytes.
const excerpt = 300

// Kind is what the person is asked to do, and how the order reaches the phone.
type Kind string

// The kinds, after the calls that start them (docs/reference/banks.md 12.1). A phone order has
// no QR code and no autostart for the relying party: it waits for its person.
const (
	Auth      Kind = "auth" // and the zero value
	Sign      Kind = "sign"
	PhoneAuth Kind = "phone/auth"
	PhoneSign Kind = "phone/sign"
)

func (k Kind) phone() bool { return k == PhoneAuth || k == PhoneSign }

// AuthRequest asks for an identification or a signature.
type AuthRequest struct {
	// RequestID names the request: if the expected person's pending order was
	// asked for under the same one, that order is given again instead of
	// AlreadyInProgress. Empty, as from the RP API, names nothing.
	RequestID string `json:"requestId,omitempty"`
	Kind      Kind   `json:"kind,omitempty"`
	// EndUserIP is the person's address as the relying party sees it; it may be
	// empty in process.
	EndUserIP string `json:"endUserIp,omitempty"`
	// Expected is the 12-digit personal number of the person the relying party
	// expects; "" is anybody. BankID does not enforce it: it is who signs when the
	// phone names nobody, and the key of "already in progress". The relying party
	// compares itself.
	Expected string `json:"expected,omitempty"`
	// Requirement is the 12-digit personal number that BankID itself demands (RP
	// API requirement.personalNumber): approving as someone else is refused by
	// the phone. It counts as Expected where that is empty.
	Requirement string `json:"requirement,omitempty"`
	// UserVisibleData is plain UTF-8, at most MaxVisible bytes; the phone shows
	// its beginning.
	UserVisibleData string `json:"userVisibleData,omitempty"`
	ReturnRisk      bool   `json:"returnRisk,omitempty"` // asks for the risk in the completion
}

// Order is what the relying party gets for its request. QRStartSecret stays on
// its server.
type Order struct {
	OrderRef       string    `json:"orderRef"`
	AutoStartToken string    `json:"autoStartToken"`
	QRStartToken   string    `json:"qrStartToken"`
	QRStartSecret  string    `json:"qrStartSecret"`
	StartedAt      time.Time `json:"startedAt"`
}

// Auth starts an order. Errors: InvalidParameters; AlreadyInProgress when the
// expected person has a pending order, which is cancelled by this and no new
// one is made; TooManyRequests when the service is full; otherwise the
// randomness failed, or the order could not be written down.
func (s *Service) Auth(r AuthRequest) (Order, error) {
	if r.Expected == "" {
		r.Expected = r.Requirement
	}
	if err := r.check(); err != nil {
		return Order{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	s.forget(now)
	if earlier := s.byPerson[r.Expected]; earlier != nil {
		if earlier.repeated(r, now) {
			return earlier.Order, nil
		}
		switch err := s.apply(earlier, order.Cancel{}, now); {
		case err == nil:
			return Order{}, &Error{AlreadyInProgress, "the person has an order in progress; it is cancelled too"}
		case !errors.Is(err, order.ErrEnded):
			return Order{}, err
		}
	}
	if s.byAge.Len() >= s.limit {
		return Order{}, &Error{TooManyRequests, "too many orders are in progress"}
	}
	rec, err := s.newRecord(r, now)
	if err != nil {
		return Order{}, err
	}
	if err := s.begin(rec); err != nil {
		return Order{}, err
	}
	return rec.Order, nil
}

// repeated tells whether ask is for this order again, which is still pending.
func (r *record) repeated(ask AuthRequest, now time.Time) bool {
	return ask.RequestID != "" && ask.RequestID == r.request.RequestID && r.state.Settle(now).Status == order.Pending
}

func (r AuthRequest) check() error {
	if r.EndUserIP != "" {
		if _, err := netip.ParseAddr(r.EndUserIP); err != nil {
			return &Error{InvalidParameters, "endUserIp is no IP address"}
		}
	}
	if r.Expected != "" && !isPersonalNumber(r.Expected) || r.Requirement != "" && !isPersonalNumber(r.Requirement) {
		return &Error{InvalidParameters, "a personal number has 12 digits and a matching check digit"}
	}
	if r.Requirement != "" && r.Requirement != r.Expected {
		return &Error{InvalidParameters, "the person demanded is not the person expected"}
	}
	if len(r.UserVisibleData) > MaxVisible || !utf8.ValidString(r.UserVisibleData) {
		return &Error{InvalidParameters, "userVisibleData is too long or not UTF-8"}
	}
	switch r.Kind {
	case "", Auth, Sign:
	case PhoneAuth, PhoneSign:
		if r.Expected == "" {
			return &Error{InvalidParameters, "an order by phone needs a personal number"}
		}
	default:
		return &Error{InvalidParameters, "unknown kind of order"}
	}
	return nil
}

// isPersonalNumber holds a number to its form and check digit, as BankID does;
// whether the person exists is the personas' matter.
func isPersonalNumber(s string) bool {
	_, err := ident.ParsePersonalNumber12(s)
	return err == nil
}

func (s *Service) newRecord(r AuthRequest, now time.Time) (*record, error) {
	var tokens [4]string
	for i := range tokens {
		id, err := uuid.NewRandomFromReader(s.random)
		if err != nil {
			return nil, fmt.Errorf("bankid: reading randomness: %w", err)
		}
		tokens[i] = id.String()
	}
	r.UserVisibleData = cut(r.UserVisibleData, excerpt)
	return &record{
		Order: Order{
			OrderRef: tokens[0], AutoStartToken: tokens[1],
			QRStartToken: tokens[2], QRStartSecret: tokens[3], StartedAt: now,
		},
		request: r, state: order.New(r.Expected, r.Requirement, now),
	}, nil
}

// cut shortens s to n bytes at most without splitting a character, and copies
// it so that the rest can be freed.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return string([]byte(s[:n])) + "…"
}
