package operators

import (
	"context"
	"crypto/subtle"
	"errors"
	"slices"
	"strings"

	"samla/internal/operator"
	"samla/internal/store"
)

// ErrWrong means that somebody could not sign in. What was wrong is not said.
var ErrWrong = errors.New("name, password or code is wrong")

// From is where a request of a browser comes from.
type From struct {
	Address string // of the network, for the limit
	Agent   string // what the browser calls itself
}

// Try is an attempt to sign in with a password.
type Try struct{ Name, Password, Code string } // Code is of the app, or a recovery code

// SignIn signs in with a password and a code, and returns the secret of the session. Names
// that no account has take the same work and the same limits. Errors: ErrWrong, *WaitError.
func (s *Service) SignIn(ctx context.Context, t Try, from From) (string, error) {
	return s.signIn(ctx, t, from, "")
}

// Prove signs an operator in again: the new session takes the place of the one with the id
// session, which is no longer fresh. The name of t is not read. The limits are those of the
// sign-in. Errors: ErrWrong, *WaitError.
func (s *Service) Prove(ctx context.Context, o operator.Operator, session string, t Try, from From) (string, error) {
	t.Name = o.Name
	return s.signIn(ctx, t, from, session)
}

func (s *Service) signIn(ctx context.Context, t Try, from From, instead string) (string, error) {
	t.Name = strings.ToLower(strings.TrimSpace(t.Name))
	right, err := s.tries.begin(from.Address, s.Clock.Now())
	if err != nil {
		return "", err
	}
	if _, err := s.begin(ctx, t.Name); err != nil {
		return "", err
	}
	a, err := s.Store.OperatorByName(ctx, t.Name)
	unknown := errors.Is(err, store.ErrNotFound)
	if err != nil && !unknown {
		return "", err
	}
	var of operator.Secret
	if !unknown {
		if of, err = s.open(ctx, a); err != nil {
			return "", err
		}
	}
	same, err := s.verify(ctx, of.Password, t.Password)
	if err != nil {
		return "", err
	}
	next, method, fits := s.second(of, t.Code)
	if !same || !fits {
		return "", s.refuse(ctx, a.ID)
	}
	secret, err := s.enter(ctx, a, next, method, from, instead)
	if errors.Is(err, store.ErrConflict) {
		err = s.refuse(ctx, a.ID) // the code was used at the same time
	}
	if err == nil {
		right()
	}
	return secret, err
}

// second checks the code and returns what is left after its use.
func (s *Service) second(of operator.Secret, code string) (next operator.Secret, by operator.Method, ok bool) {
	code = strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, strings.ToLower(code))
	step, ok := operator.CheckCode(of.TOTP, code, of.Step, s.Clock.Now())
	used := -1
	for i, hash := range of.Codes {
		if subtle.ConstantTimeCompare([]byte(hash), []byte(operator.HashOf(code))) == 1 {
			used = i
		}
	}
	switch {
	case ok:
		of.Step = step
		return of, operator.ByPassword, true
	case used >= 0:
		of.Codes = slices.Delete(slices.Clone(of.Codes), used, used+1)
		return of, operator.ByRecovery, true
	}
	return of, "", false
}

// refuse records a wrong attempt, of nobody too: both take a write.
func (s *Service) refuse(ctx context.Context, id string) error {
	err := s.Store.Write(ctx, func(tx store.Tx) error {
		return s.record(ctx, tx, "console: sign-in refused", map[string]string{"account": id})
	})
	if err != nil {
		return err
	}
	return ErrWrong
}

// enter begins a session of an account that has proved who they are, and stores how they
// sign in from now on. Error: store.ErrConflict if the account has changed since it was
// read, also because a code was used. instead is the id of a session whose place it takes;
// "" = of none. What works once is used up for a restore too: the journal has it before.
func (s *Service) enter(ctx context.Context, a operator.Account, next operator.Secret, by operator.Method, from From, instead string) (string, error) {
	secret, err := s.secret()
	if err != nil {
		return "", err
	}
	if by == operator.ByEnrol || by == operator.ByRecovery {
		if err := s.Journal.Record(ctx, waysChanged(a)); err != nil {
			return "", err
		}
	}
	if a.Sealed, err = s.seal(ctx, a.ID, next); err != nil {
		return "", err
	}
	now := s.Clock.Now()
	session := operator.Session{ID: s.IDs.New(), OperatorID: a.ID, Began: now, Seen: now, Agent: operator.AgentName(from.Agent), By: by}
	return secret, s.Store.Write(ctx, func(tx store.Tx) error {
		if _, err := tx.PutOperator(ctx, a); err != nil {
			return err
		}
		if err := s.forgive(ctx, tx, a.Name); err != nil {
			return err
		}
		if err := tx.AddOperatorSession(ctx, operator.HashOf(secret), session); err != nil {
			return err
		}
		if instead != "" {
			if _, err := tx.EndOperatorSessions(ctx, a.ID, instead, "", now); err != nil {
				return err
			}
		}
		return s.record(ctx, tx, "console: sign-in", map[string]string{"operator": a.ID, "session": session.ID, "method": string(by), "instead": instead})
	})
}

// Session returns the operator of a session by its secret. It notes the use if somebody
// acts: a page that keeps itself fresh does not keep the session. Error: store.ErrNotFound
// if there is none that is live.
func (s *Service) Session(ctx context.Context, secret string, acts bool) (operator.Operator, operator.Session, error) {
	none := func(err error) (operator.Operator, operator.Session, error) {
		return operator.Operator{}, operator.Session{}, err
	}
	if secret == "" {
		return none(store.ErrNotFound)
	}
	session, a, err := s.Store.OperatorSession(ctx, operator.HashOf(secret))
	if err != nil {
		return none(err)
	}
	now := s.Clock.Now()
	if !session.Live(now) || !a.Removed.IsZero() {
		return none(store.ErrNotFound)
	}
	if next, worth := session.Touched(now); worth && acts {
		session = next
		if err := s.Store.Write(ctx, func(tx store.Tx) error { return tx.SeeOperatorSession(ctx, session.ID, now) }); err != nil {
			return none(err)
		}
	}
	return a.Operator, session, nil
}

// Sessions lists the live sessions of an operator, or of all for "", newest first.
func (s *Service) Sessions(ctx context.Context, operatorID string) ([]operator.Session, error) {
	all, err := s.Store.OperatorSessions(ctx, operatorID)
	now := s.Clock.Now()
	return slices.DeleteFunc(all, func(o operator.Session) bool { return !o.Live(now) }), err
}

// End ends sessions of an operator: one, or all for "" but the one with the id except. by is
// who does it. It returns how many.
func (s *Service) End(ctx context.Context, by, operatorID, id, except string) (n int, err error) {
	err = s.Store.Write(ctx, func(tx store.Tx) (err error) {
		if n, err = tx.EndOperatorSessions(ctx, operatorID, id, except, s.Clock.Now()); err != nil || n == 0 {
			return err
		}
		return s.record(ctx, tx, "console: session end", map[string]string{"account": operatorID, "session": id, "operator": by})
	})
	return n, err
}
