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

// MaxVisible is the maximum length of AuthRequest.UserVisibleData in bytes.
const MaxVisible = 40_000

// excerptBytes is how many bytes of that text are stored for the phone.
const excerptBytes = 300

// Kind is what the person must do, and how the order reaches the phone.
type Kind string

// The kinds, named after the calls that start them (docs/reference/banks.md 12.1). A
// phone order has no QR code and no autostart token for the relying party: the phone
// finds it by personal number.
const (
	Auth      Kind = "auth" // same as the zero value
	Sign      Kind = "sign"
	PhoneAuth Kind = "phone/auth"
	PhoneSign Kind = "phone/sign"
)

func (k Kind) phone() bool { return k == PhoneAuth || k == PhoneSign }

// AuthRequest is a request for an identification or a signature.
type AuthRequest struct {
	// RequestID makes the request idempotent: if the expected person has a pending
	// order with the same RequestID, Auth returns that order and not
	// AlreadyInProgress. It is optional; the RP API never sets it.
	RequestID string `json:"requestId,omitempty"`
	Kind      Kind   `json:"kind,omitempty"`
	// EndUserIP is the person's IP address as seen by the relying party. It may be
	// empty.
	EndUserIP string `json:"endUserIp,omitempty"`
	// Expected is the 12-digit personal number of the person whom the relying party
	// expects; "" means any person. BankID does not enforce it. It is the signer if
	// the phone does not name one, and a person can have only one pending order. The
	// relying party must compare it with the signer.
	Expected string `json:"expected,omitempty"`
	// Requirement is the 12-digit personal number that BankID enforces
	// (requirement.personalNumber of the RP API): another person cannot approve. It is
	// the default of Expected.
	Requirement string `json:"requirement,omitempty"`
	// UserVisibleData is plain UTF-8 of at most MaxVisible bytes. The phone shows the
	// first 300 bytes.
	UserVisibleData string `json:"userVisibleData,omitempty"`
	ReturnRisk      bool   `json:"returnRisk,omitempty"` // include the risk in the completion data
}

// Order is the relying party's reference to an order and the data of its QR codes. The
// relying party must not send QRStartSecret to the person's device.
type Order struct {
	OrderRef       string    `json:"orderRef"`
	AutoStartToken string    `json:"autoStartToken"`
	QRStartToken   string    `json:"qrStartToken"`
	QRStartSecret  string    `json:"qrStartSecret"`
	StartedAt      time.Time `json:"startedAt"`
}

// Auth starts an order. Errors: InvalidParameters; AlreadyInProgress if the expected
// person has a pending order, which Auth cancels without starting a new one;
// TooManyRequests if the service has too many orders. Any error that is not an *Error
// means that random or the journal failed.
func (s *Service) Auth(r AuthRequest) (Order, error) {
	if r.Expected == "" {
		r.Expected = r.Requirement
	}
	if err := r.validate(); err != nil {
		return Order{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	s.dropExpired(now)
	if earlier := s.byPerson[r.Expected]; earlier != nil {
		if err := s.follow(earlier, now); err != nil {
			return Order{}, err
		}
		if earlier.startedBy(r, now) {
			return earlier.Order, nil
		}
		switch err := s.apply(earlier, order.Cancel{}, now); {
		case err == nil:
			return Order{}, &Error{AlreadyInProgress, "the person has an order in progress; it is cancelled too"}
		case !errors.Is(err, order.ErrEnded):
			return Order{}, err
		}
	}
	if s.uncollected.Len() >= s.limit {
		return Order{}, &Error{TooManyRequests, "too many orders are in progress"}
	}
	rec, err := s.newRecord(r, now)
	if err != nil {
		return Order{}, err
	}
	if err := s.addNew(rec); err != nil {
		return Order{}, err
	}
	return rec.Order, nil
}

// startedBy reports whether the order is still pending and was started by a request
// with the same RequestID.
func (r *record) startedBy(request AuthRequest, now time.Time) bool {
	return request.RequestID != "" && request.RequestID == r.request.RequestID && r.state.Advance(now).Status == order.Pending
}

func (r AuthRequest) validate() error {
	if r.EndUserIP != "" {
		if _, err := netip.ParseAddr(r.EndUserIP); err != nil {
			return &Error{InvalidParameters, "endUserIp is not an IP address"}
		}
	}
	if r.Expected != "" && !isPersonalNumber(r.Expected) || r.Requirement != "" && !isPersonalNumber(r.Requirement) {
		return &Error{InvalidParameters, "a personal number has 12 digits and a matching check digit"}
	}
	if r.Requirement != "" && r.Requirement != r.Expected {
		return &Error{InvalidParameters, "the required person is not the expected person"}
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

// isPersonalNumber reports whether s has the form and check digit of a personal number.
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
	r.UserVisibleData = truncate(r.UserVisibleData, excerptBytes)
	state := order.New(r.Expected, r.Requirement, now)
	if s.OpenWithin > 0 {
		state.OpenBy = now.Add(s.OpenWithin)
	}
	return &record{
		Order: Order{
			OrderRef: tokens[0], AutoStartToken: tokens[1],
			QRStartToken: tokens[2], QRStartSecret: tokens[3], StartedAt: now,
		},
		request: r, state: state,
	}, nil
}

// truncate returns the first n bytes of s, or fewer so as not to split a character, and
// an ellipsis. It copies them, so that s can be freed.
func truncate(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return string([]byte(s[:n])) + "…"
}
