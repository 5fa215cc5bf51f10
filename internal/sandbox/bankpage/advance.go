package bankpage

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"samla/internal/sandbox/bankid"
)

// visit is a login with what the bank says of it, while a request is served.
type visit struct {
	Visit
	*Pages
	login
	ip string // of the browser; empty: unknown
}

// open returns a login after everything that has happened until now. The caller holds mu
// and uses it until it returns.
func (p *Pages) open(id, ip string) (*visit, error) {
	v, err := p.Host.Visit(id)
	if err != nil {
		return nil, err
	}
	w := &visit{Visit: v, Pages: p, login: login{ID: id, Until: v.Until, Step: Start}, ip: ip}
	if l := p.logins[id]; l != nil {
		w.login = *l
	}
	return w, w.advance()
}

// set stores the next state.
func (w *visit) set(next login) error {
	if err := w.store(next); err != nil {
		return err
	}
	w.login = next
	return nil
}

// enter stores the next state and tells the bank of its step.
func (w *visit) enter(next login) error {
	if err := w.set(next); err != nil {
		return err
	}
	if f, ok := w.Host.(Follower); ok {
		f.Entered(w.ID, next.Step)
	}
	return nil
}

// advance applies the time limits and asks BankID about the order.
func (w *visit) advance() error {
	now := w.Clock.Now()
	if w.Step != Ended && !now.Before(w.Visit.Until) {
		return w.end(w.login, TimedOut, nil)
	}
	if w.Step != Sign {
		return nil
	}
	got, err := w.BankID.Collect(w.Order.OrderRef)
	var unknown *bankid.Error
	switch {
	case errors.As(err, &unknown):
		return w.set(w.again(interrupted))
	case err != nil:
		return err
	case got.User != nil:
		next, o := w.signed(got.User.PersonalNumber, w.PersonalNumber)
		if o == "" {
			return w.enter(next)
		}
		return w.end(next, o, nil)
	case got.Status == "pending":
		w.Hint = got.HintCode // not stored: BankID says it again
		return nil
	}
	o, renew := w.endOf(got.HintCode, now)
	switch {
	case renew:
		return w.begin(w.Browser, w.Named)
	case o == "":
		return w.set(w.again(interrupted))
	}
	return w.end(w.login, o, nil)
}

// begin starts a BankID order for a browser. If the page is waiting for an order, it is
// cancelled.
func (w *visit) begin(browser, named string) error {
	w.cancel()
	o, err := w.BankID.Auth(bankid.AuthRequest{
		// If the process is killed before the order is stored, the next try gets it again.
		RequestID: "page/" + w.ID + "/" + strconv.Itoa(w.Tries),
		EndUserIP: w.ip, Expected: named,
		UserVisibleData: w.Bank + ": log in to share account information with " + w.Client,
	})
	var known *bankid.Error
	switch {
	case errors.As(err, &known) && known.Code == bankid.AlreadyInProgress:
		return w.set(w.again(busy).in(browser))
	case errors.As(err, &known):
		return w.set(w.again(invalidNumber).in(browser))
	case err != nil:
		return err
	}
	return w.enter(w.begun(browser, named, o, w.Clock.Now()))
}

// cancel cancels the order that waits, if there is one.
func (w *visit) cancel() {
	if w.Order != nil {
		_ = w.BankID.Cancel(w.Order.OrderRef) // fails if the order has already ended
	}
}

// end tells the bank the decision and stores where the browser goes. chosen are the ids of
// the accounts; nil means all.
func (w *visit) end(next login, o Outcome, chosen []string) error {
	w.cancel()
	d := Decision{Outcome: o, PersonalNumber: next.Person}
	if o == Approved {
		accounts, err := w.Host.Accounts(w.ID, next.Person)
		if err != nil {
			return err
		}
		for _, a := range accounts {
			if chosen == nil || slices.Contains(chosen, a.ID) {
				d.Accounts = append(d.Accounts, a.ID)
			}
		}
	}
	to, err := w.Host.Decide(w.ID, d)
	if err != nil {
		return err
	}
	return w.set(next.ended(o, to))
}

// newCookie returns a new value of the cookie that binds a login to a browser.
func (p *Pages) newCookie() (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(p.Random, b[:]); err != nil {
		return "", fmt.Errorf("bankpage: reading randomness: %w", err)
	}
	return hex.EncodeToString(b[:]), nil
}

func hashOf(cookie string) string {
	sum := sha256.Sum256([]byte(cookie))
	return hex.EncodeToString(sum[:])
}
