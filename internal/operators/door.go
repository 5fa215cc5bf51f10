package operators

import (
	"context"
	"errors"

	"samla/internal/operator"
	"samla/internal/store"
)

// DoorPath is what the paths of doors begin with.
const DoorPath = "/door/"

// Door returns a link that signs an operator in, as often as it is used, until the process
// ends. The operator is made if there is none of the name. It is for samla dev only.
func (s *Service) Door(ctx context.Context, name string, role operator.Role) (link string, err error) {
	a, err := s.Store.OperatorByName(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		a, _, err = s.Add(ctx, "", name, role)
	}
	if err != nil {
		return "", err
	}
	secret, err := s.secret()
	if err != nil {
		return "", err
	}
	s.doors.Store(operator.HashOf(secret), a.ID)
	return s.URL() + DoorPath + secret, nil
}

// Enter signs in by a door. Error: ErrLink.
func (s *Service) Enter(ctx context.Context, secret string, from From) (string, error) {
	id, ok := s.doors.Load(operator.HashOf(secret))
	if !ok {
		return "", ErrLink
	}
	p, err := s.person(ctx, id.(string)) //nolint:errcheck // Door stores no other
	if err != nil {
		return "", err
	}
	return s.enter(ctx, p.Account, p.of, operator.ByHook, from, "")
}
