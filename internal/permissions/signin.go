package permissions

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"samla/internal/authorize"
	"samla/internal/bankidmsg"
	"samla/internal/bankidrp"
	"samla/internal/fault"
	"samla/internal/lru"
	"samla/internal/ratelimit"
	"samla/internal/session"
	"samla/internal/store"
)

// Identifier identifies persons; *bankidrp.Client is one.
type Identifier interface {
	Identify(context.Context, bankidrp.Identification) (bankidrp.Order, error)
	Collect(ctx context.Context, ref string) (bankidrp.Result, error)
	Cancel(ctx context.Context, ref string) error
}

const (
	// SignInLife is how long a person has to sign in. An order that nobody has opened fails
	// after half a minute, one that was opened after three (docs/reference/banks.md 12.4).
	SignInLife = 5 * time.Minute
	// lastOrder is how long before that the last order begins in place of one that nobody
	// has opened.
	lastOrder = 2 * time.Minute
	// collectEvery is how often BankID may be asked about an order.
	collectEvery = 2 * time.Second
	// collectTime bounds a question, which goes on when the browser has left: a result is
	// told once.
	collectTime = 10 * time.Second
	// mostOrders is about how many orders a node remembers to have asked about.
	mostOrders = 20_000
	// mostUsers is how many users of one person are shown.
	mostUsers = 100
)

// The limits of new orders: of one address, and of a node.
var (
	signInRate  = ratelimit.Rate{PerSecond: 0.2, Burst: 10}
	signInsRate = ratelimit.Rate{PerSecond: 20, Burst: 100}
)

// signIns is what a node remembers of persons who sign in.
type signIns struct {
	asked         *lru.Cache[string, bankidrp.Result]
	byAddress, of *ratelimit.Limiter
}

func newSignIns(d Deps) signIns {
	return signIns{asked: lru.New[string, bankidrp.Result](d.Clock, mostOrders, collectEvery), byAddress: ratelimit.NewMany(signInRate, d.Clock), of: ratelimit.New(signInsRate)}
}

// The reasons why somebody cannot sign in.
var (
	// ErrNoBankID: it is not configured.
	ErrNoBankID = errors.New("permissions: nobody can sign in with BankID here")
	// ErrTooMany: the address, or everybody together, begins too often.
	ErrTooMany = errors.New("permissions: too many begin to sign in")
	// ErrSignIn: what the browser brings is not of an order that goes on.
	ErrSignIn = errors.New("permissions: nobody is signing in here")
)

// signIn is an order as the browser keeps it, sealed: the server stores nothing of a person
// who has not been identified.
type signIn struct {
	bankidrp.Order
	At       time.Time `json:"at"`
	First    time.Time `json:"first"` // when the first order began, that this one takes the place of
	Visible  string    `json:"visible,omitempty"`
	OnDevice bool      `json:"device,omitempty"`
	Language string    `json:"lang,omitempty"`
}

// SignIn is how far a person has come who signs in.
type SignIn struct {
	QR       string // text of the code to show now; empty: none
	Token    string // opens the app on this device; empty: it is not to be opened
	OnDevice bool
	Message  string // code of BankID's message, such as RFA1; empty: none
	Left     time.Duration
	Failed   bool
	// Elsewhere: the app that approved is not on the device that was to open it.
	Elsewhere bool
	// Kept is what the browser keeps from now on, if another order took the place of one
	// that nobody has opened; else empty.
	Kept string
	// Key is the secret that the browser keeps from now on: the person is signed in. Nobody
	// is without it: empty with Known, the person has no permission here.
	Key   string
	Known bool
}

// SignsIn reports whether persons can sign in with BankID here.
func (s *Service) SignsIn() bool { return s.BankID != nil }

// BeginSignIn starts the identification of the person at an address and returns what the
// browser keeps meanwhile. visible is what the app shows. Errors: ErrNoBankID, ErrTooMany,
// those of bankidrp.
func (s *Service) BeginSignIn(ctx context.Context, address, visible, language string, onDevice bool) (kept string, err error) {
	if s.BankID == nil {
		return "", ErrNoBankID
	}
	return s.begin(ctx, address, signIn{First: s.Clock.Now(), Visible: visible, OnDevice: onDevice, Language: language})
}

func (s *Service) begin(ctx context.Context, address string, in signIn) (kept string, err error) {
	if now := s.Clock.Now(); !s.signIns.byAddress.Take(network(address), now).Allowed || !s.signIns.of.Take("", now).Allowed {
		return "", ErrTooMany
	}
	order, err := s.BankID.Identify(ctx, bankidrp.Identification{Address: address, Visible: in.Visible})
	if err != nil {
		return "", err
	}
	in.Order, in.At = order, s.Clock.Now()
	return s.keep(ctx, in)
}

// network returns what one person may have many addresses of: an address of IPv4, a /64 of
// IPv6.
func network(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil || a.Unmap().Is4() {
		return address
	}
	p, err := a.Prefix(64)
	if err != nil {
		return address
	}
	return p.String()
}

// LookSignIn asks how the order that the browser keeps stands, and signs the person in once
// it is complete. Errors: ErrSignIn, those of the store.
func (s *Service) LookSignIn(ctx context.Context, kept, address string) (SignIn, error) {
	now := s.Clock.Now()
	in, err := s.kept(ctx, kept)
	left := in.First.Add(SignInLife).Sub(now)
	if err != nil || s.BankID == nil || left <= 0 {
		return SignIn{}, ErrSignIn
	}
	look := SignIn{OnDevice: in.OnDevice, Left: left}
	r, err := s.collect(ctx, in.Ref)
	if bankidrp.CodeOf(err) == bankidrp.InvalidParameters {
		return SignIn{}, ErrSignIn // told before, or to another page
	}
	if err != nil {
		if now.Sub(in.At) < collectTime || bankidrp.CodeOf(err) == "" { // it may be back soon; the code goes on
			s.Log.Warn("BankID could not be asked about a person who signs in", "error", err)
		}
		r = bankidrp.Result{Status: bankidrp.Pending, Hint: "outstandingTransaction"}
	}
	look.Message, _ = bankidmsg.Message(r.Status, r.Hint, !in.OnDevice, "")
	switch r.Status {
	case bankidrp.Failed:
		if r.Hint == "startFailed" && !in.OnDevice && left >= lastOrder {
			if look.Kept, err = s.begin(ctx, address, signIn{First: in.First, Visible: in.Visible, Language: in.Language}); err == nil {
				if in, err = s.kept(ctx, look.Kept); err == nil {
					look.QR = bankidmsg.QRText(in.QRStartToken, in.QRStartSecret, in.At, now)
					look.Message, _ = bankidmsg.Message(bankidrp.Pending, "outstandingTransaction", true, "")
					return look, nil
				}
			}
		}
		look.Failed = true
	case bankidrp.Complete:
		if in.OnDevice && differ(r.Address, address) {
			look.Failed, look.Elsewhere = true, true
			return look, nil
		}
		look.Key, err = s.signedIn(ctx, r.PersonalNumber, in.Language)
		look.Known = true
		return look, err
	default:
		if waits := r.Hint == "outstandingTransaction" || r.Hint == "noClient"; waits && in.OnDevice {
			look.Token = in.AutoStartToken
		} else if waits {
			look.QR = bankidmsg.QRText(in.QRStartToken, in.QRStartSecret, in.At, now)
		}
	}
	return look, nil
}

// differ reports whether two addresses of one kind are not of one network. Somebody could
// have sent the link that opens the app to another person.
func differ(device, browser string) bool {
	a, aerr := netip.ParseAddr(device)
	b, berr := netip.ParseAddr(browser)
	return aerr == nil && berr == nil && a.Unmap().Is4() == b.Unmap().Is4() && network(device) != network(browser)
}

// collect asks about an order, unless it was asked a moment ago.
func (s *Service) collect(ctx context.Context, ref string) (bankidrp.Result, error) {
	return s.signIns.asked.Get(ctx, ref, func(ctx context.Context) (bankidrp.Result, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), collectTime)
		defer cancel()
		return s.BankID.Collect(ctx, ref)
	})
}

// CancelSignIn ends an order. What cannot be cancelled ends by itself.
func (s *Service) CancelSignIn(ctx context.Context, kept string) {
	if in, err := s.kept(ctx, kept); err == nil && s.BankID != nil {
		if err := s.BankID.Cancel(ctx, in.Ref); err != nil {
			s.Log.Debug("an order of a person who signs in was not cancelled", "error", err)
		}
	}
}

// signedIn begins a visit of each user of all clients that has a consent of the person, with
// one secret of the browser. It returns no secret if there is none.
func (s *Service) signedIn(ctx context.Context, number, language string) (key string, err error) {
	person, err := s.Persons.Mark(ctx, number)
	if err != nil {
		return "", err
	}
	people, err := s.Store.UsersOfPerson(ctx, person, mostUsers)
	if err != nil || len(people) == 0 {
		return "", err
	}
	if key, err = s.secret(); err != nil {
		return "", err
	}
	now := s.Clock.Now()
	err = s.Store.Write(ctx, func(tx store.Tx) error {
		for _, u := range people {
			// The lock lets an erasure find the visit.
			if err := authorize.LockUser(ctx, tx, u.ClientID, u.UserID); errors.Is(err, fault.New(fault.Unauthorized)) {
				continue // erased meanwhile
			} else if err != nil {
				return err
			}
			link, err := s.secret() // of no link: nobody knows it
			if err != nil {
				return err
			}
			v := session.Visit{ID: s.IDs.New(), ClientID: u.ClientID, UserID: u.UserID, Link: session.HashOfSecret(link), Language: language, Person: person,
				CreatedAt: now, OpenBy: now, Key: session.HashOfSecret(key), OpenedAt: now, SeenAt: now}
			if err := tx.AddVisit(ctx, v); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	return key, nil
}

// sealer seals what a browser keeps. All nodes have its key.
func (s *Service) sealer(ctx context.Context) (cipher.AEAD, error) {
	key, err := s.Persons.Key(ctx, "sign in")
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func (s *Service) keep(ctx context.Context, in signIn) (string, error) {
	plain, err := json.Marshal(in)
	if err != nil {
		return "", err
	}
	sealer, err := s.sealer(ctx)
	if err != nil {
		return "", err
	}
	nonce := make([]byte, sealer.NonceSize(), sealer.NonceSize()+len(plain)+sealer.Overhead())
	if _, err := io.ReadFull(s.Random, nonce); err != nil {
		return "", fmt.Errorf("permissions: make a nonce: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(sealer.Seal(nonce, nonce, plain, nil)), nil
}

// maxKept bounds what a browser brings, in characters.
const maxKept = 2000

func (s *Service) kept(ctx context.Context, text string) (in signIn, err error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(text) > maxKept {
		return in, ErrSignIn
	}
	sealer, err := s.sealer(ctx)
	if err != nil {
		return in, err
	}
	if len(raw) < sealer.NonceSize() {
		return in, ErrSignIn
	}
	plain, err := sealer.Open(nil, raw[:sealer.NonceSize()], raw[sealer.NonceSize():], nil)
	if err != nil || json.Unmarshal(plain, &in) != nil {
		return signIn{}, ErrSignIn
	}
	return in, nil
}
