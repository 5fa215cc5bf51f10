package intercept

import (
	"context"

	"samla/internal/dialogue"
	"samla/internal/institution"
)

type loginer struct {
	to institution.Loginer
	chain
}

// Login implements institution.Loginer.
func (l loginer) Login(ctx context.Context, r institution.LoginRequest) (institution.LoginSession, error) {
	return run(ctx, l.chain, institution.VerbLogin, func(ctx context.Context) (institution.LoginSession, error) {
		return l.to.Login(ctx, r)
	})
}

// Turn implements institution.Loginer.
func (l loginer) Turn(ctx context.Context, session string) (dialogue.Turn, error) {
	return run(ctx, l.chain, institution.VerbTurn, func(ctx context.Context) (dialogue.Turn, error) {
		return l.to.Turn(ctx, session)
	})
}

// Answer implements institution.Loginer.
func (l loginer) Answer(ctx context.Context, session, requestID string, a dialogue.Answer) (dialogue.Turn, error) {
	return run(ctx, l.chain, institution.VerbAnswer, func(ctx context.Context) (dialogue.Turn, error) {
		return l.to.Answer(ctx, session, requestID, a)
	})
}

// EndLogin implements institution.Loginer.
func (l loginer) EndLogin(ctx context.Context, session, requestID string) error {
	_, err := run(ctx, l.chain, institution.VerbEndLogin, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, l.to.EndLogin(ctx, session, requestID)
	})
	return err
}
