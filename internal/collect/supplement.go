package collect

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"samla/internal/collection"
	"samla/internal/dialogue"
	"samla/internal/fault"
	"samla/internal/jobs"
	"samla/internal/jsontext"
	"samla/internal/seal"
	"samla/internal/store"
)

// Supplement takes an answer of the person in a login by dialogue
// (docs/reference/api.md 5.8). When it returns without an error, the answer is stored
// and reaches the institution, even if this process dies. Of two answers to one question,
// one is taken. Faults: CollectionNotFound, SupplementNotExpected, InvalidParameter.
func (s *Service) Supplement(ctx context.Context, o Owner, id string, a dialogue.Answer) error {
	requestID := s.IDs.New()
	var taken collection.Secret
	var due time.Time // of the row
	c, err := s.update(ctx, o, id, func(c collection.Collection) (change, error) {
		if c.Mode != collection.Dialogue || c.Status.Terminal() {
			return change{}, fault.New(fault.SupplementNotExpected)
		}
		secret, err := s.secret(ctx, c)
		if errors.Is(err, seal.ErrKeyDestroyed) {
			return change{}, fault.New(fault.SupplementNotExpected)
		}
		if err != nil {
			return change{}, err
		}
		now := s.Clock.Now()
		state, err := secret.Dialogue.Apply(dialogue.Given{Answer: a, RequestID: requestID}, s.limitsOf(c.Company), now)
		if err != nil {
			return change{}, refused(err)
		}
		named := a
		named.Question = state.Pending.Question // the open one, if the client named none
		plain, err := jsontext.Marshal(named)   // what the device got stays as it is
		if err != nil {
			return change{}, fault.Param("", fault.Invalid, "The answer is not valid JSON.")
		}
		next, err := c.Follow(state, now)
		if err != nil {
			return change{}, err
		}
		secret.Dialogue = &state
		if next, err = s.sealed(ctx, next, secret); err != nil {
			return change{}, err
		}
		sealed, err := s.Vault.Seal(ctx, c.Subject(), answerPlace(c.ID), plain)
		if err != nil {
			return change{}, err
		}
		taken, due = secret, now.Add(jobs.Lease)
		also := func(tx store.Tx) error {
			if err := tx.PutDialogueAnswer(ctx, c.ID, sealed); err != nil {
				return err
			}
			// This node takes the watch over. It does so although it may watch the login
			// already: another node may have taken the lease meanwhile, and would not hear
			// of the answer.
			return tx.SetDialogueDue(ctx, c.ID, due)
		}
		return change{next: next, also: also, committed: func() {}}, nil
	})
	if err != nil {
		return err
	}
	bank, _ := s.Institutions.Find(c.Company)
	if bank.Loginer == nil || !s.watchLogin(c, taken, bank, due) {
		_ = s.leaveLogin(ctx, c.ID) // else the row is due when its lease ends
	}
	return nil
}

// refused returns the fault of an answer that is not taken.
func refused(err error) error {
	var invalid *dialogue.InvalidError
	if !errors.As(err, &invalid) {
		return fault.New(fault.SupplementNotExpected)
	}
	fields := make([]fault.Field, 0, len(invalid.Problems))
	for _, p := range invalid.Problems {
		f := fault.Field{Pointer: "/value", Code: fault.Invalid, Message: p.Text}
		if p.Field == "inputs" {
			f.Pointer = "/values/" + jsontext.EscapeToken(p.Key)
		}
		if p.Missing {
			f.Code = fault.Required
		}
		fields = append(fields, f)
	}
	slices.SortFunc(fields, func(a, b fault.Field) int { return cmp.Compare(a.Pointer, b.Pointer) })
	return fault.Params(fields...)
}
