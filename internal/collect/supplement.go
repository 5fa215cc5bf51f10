package collect

import (
	"context"

	"samla/internal/dialogue"
	"samla/internal/fault"
)

// Supplement takes an answer of the person in a login by dialogue
// (docs/reference/api.md 5.8). When it returns without an error, the answer is stored
// and reaches the institution, even if this process dies. Faults: CollectionNotFound,
// SupplementNotExpected, InvalidParameter.
func (s *Service) Supplement(ctx context.Context, o Owner, id string, a dialogue.Answer) error {
	if _, err := s.Get(ctx, o, id); err != nil {
		return err
	}
	return fault.New(fault.SupplementNotExpected)
}
