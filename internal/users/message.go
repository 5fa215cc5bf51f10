package users

import (
	"context"
	"encoding/json"
	"fmt"

	"samla/internal/outbox"
	"samla/internal/seal"
)

// messagePlace is where the payload of an outbox message is stored.
func messagePlace(id string) seal.Place {
	return seal.Place{Table: "duties", Column: "sealed", Row: id}
}

// sealErasure returns the payload of the message about a user's erasure.
func (s *Service) sealErasure(ctx context.Context, userID string, e outbox.Erasure) ([]byte, error) {
	plain, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("users: encode an erasure: %w", err)
	}
	return s.Vault.Seal(ctx, seal.System, messagePlace(userID), plain)
}

// openErasure opens the payload of a message of the kind EraseUser.
func (s *Service) openErasure(ctx context.Context, m outbox.Message) (outbox.Erasure, error) {
	var e outbox.Erasure
	plain, err := s.Vault.Open(ctx, seal.System, messagePlace(m.ID), m.Sealed)
	if err != nil {
		return e, fmt.Errorf("users: open outbox message %s: %w", m.ID, err)
	}
	if json.Unmarshal(plain, &e) != nil {
		return e, fmt.Errorf("users: the payload of outbox message %s does not parse", m.ID)
	}
	return e, nil
}
