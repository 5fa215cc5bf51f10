package oauth_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/institution/oauth"
)

// A server that refuses every token is asked twice, also while others get new tokens.
func TestOwnToken_IsTriedTwiceAtMost(t *testing.T) {
	own := oauth.NewOwnToken(clock.NewManual(time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)))
	issued := 0
	get := func(context.Context) (oauth.Tokens, error) {
		issued++
		return oauth.Tokens{Access: oauth.Secret(fmt.Sprint("token ", issued))}, nil
	}
	accept := func(oauth.Secret) (bool, error) { return false, nil }
	if err := own.Use(t.Context(), get, accept); err != nil {
		t.Fatal(err)
	}
	refusal, tries := errors.New("refused"), 0
	err := own.Use(t.Context(), get, func(oauth.Secret) (bool, error) {
		if tries++; tries > 5 {
			return false, nil
		}
		refuses := true // another caller, whose first token is refused too
		if err := own.Use(t.Context(), get, func(oauth.Secret) (bool, error) {
			defer func() { refuses = false }()
			return refuses, nil
		}); err != nil {
			t.Error(err)
		}
		return true, refusal
	})
	if !errors.Is(err, refusal) || tries != 2 {
		t.Errorf("tried %d times, %v", tries, err)
	}
}

// A refusal of an old token leaves the one that another caller has got since.
func TestOwnToken_KeepsTheNewerToken(t *testing.T) {
	own := oauth.NewOwnToken(clock.NewManual(time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)))
	issued := 0
	get := func(context.Context) (oauth.Tokens, error) {
		issued++
		return oauth.Tokens{Access: oauth.Secret(fmt.Sprint("token ", issued))}, nil
	}
	old := oauth.Secret("token 1")
	refuseOld := func(token oauth.Secret) (bool, error) { return token == old, nil }
	if err := own.Use(t.Context(), get, func(oauth.Secret) (bool, error) { return false, nil }); err != nil {
		t.Fatal(err)
	}
	err := own.Use(t.Context(), get, func(token oauth.Secret) (bool, error) {
		if token == old {
			if err := own.Use(t.Context(), get, refuseOld); err != nil {
				t.Error(err)
			}
		}
		return refuseOld(token)
	})
	if err != nil || issued != 2 {
		t.Errorf("%d tokens issued, %v", issued, err)
	}
}
