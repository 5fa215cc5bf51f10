package collect

import (
	"context"
	"errors"
	"sync"

	"samla/internal/consent"
	"samla/internal/institution"
)

// bearer is what the questions of a run are asked with. If the institution refuses its
// access token, one question replaces it and the others use the new one.
type bearer struct {
	mu     sync.Mutex
	access institution.Access
	// fresh returns an access in place of one whose token is refused.
	fresh func(ctx context.Context, refused string) (institution.Access, error)
}

func (s *Service) newBearer(a institution.Access, under consent.Consent) *bearer {
	return &bearer{access: a, fresh: func(ctx context.Context, refused string) (institution.Access, error) {
		now, _, err := s.Consents.Access(ctx, under, refused)
		now.PSU = a.PSU
		return now, err
	}}
}

func (b *bearer) now() institution.Access {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.access
}

// after returns the access to ask with after the token of another one was refused.
func (b *bearer) after(ctx context.Context, refused institution.Access) (institution.Access, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.access.Token != refused.Token {
		return b.access, nil
	}
	now, err := b.fresh(ctx, refused.Token)
	if err == nil {
		b.access = now
	}
	return b.access, err
}

// ask asks a question, and once more if its token was refused and could be replaced. An
// institution that refuses the new one too may want the person to sign again (SCARequired,
// whose cause is TokenRefused). One that is refused and that nothing replaces is TokenRefused.
func (b *bearer) ask(ctx context.Context, from institution.Collector, q institution.Question) (institution.Answer, error) {
	access := b.now()
	a, err := from.Fetch(ctx, access, q)
	if err == nil || institution.KindOf(err) != institution.TokenRefused {
		return a, err
	}
	if access.Token != "" {
		if access, err = b.after(ctx, access); err != nil {
			return a, err
		}
		if a, err = from.Fetch(ctx, access, q); err == nil || institution.KindOf(err) != institution.TokenRefused {
			return a, err
		}
	}
	var said *institution.Error
	if errors.As(err, &said) {
		again := *said
		again.Kind, again.Cause = institution.SCARequired, said
		return a, &again
	}
	return a, err
}

// refusalOf returns what a failure says of the consent: with the cause TokenRefused, an
// institution has refused its token and not said that it wants a signature.
func refusalOf(e *institution.Error) institution.ErrorKind {
	if e.Cause != nil && institution.KindOf(e.Cause) == institution.TokenRefused {
		return institution.TokenRefused
	}
	return e.Kind
}
