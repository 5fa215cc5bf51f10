package collect

import (
	"context"
	"encoding/json"
	"fmt"

	"samla/internal/collection"
	"samla/internal/jsontext"
	"samla/internal/seal"
)

func secretPlace(id string) seal.Place {
	return seal.Place{Table: "collections", Column: "sealed", Row: id}
}

// sealed returns c with the secret sealed in Sealed.
func (s *Service) sealed(ctx context.Context, c collection.Collection, secret collection.Secret) (collection.Collection, error) {
	plain, err := jsontext.Marshal(secret) // which does not make six bytes of each < of a turn
	if err != nil {
		return c, fmt.Errorf("write a collection's secret: %w", err)
	}
	c.Sealed, err = s.Vault.Seal(ctx, c.Subject(), secretPlace(c.ID), plain)
	return c, err
}

// secret returns the content of c.Sealed.
func (s *Service) secret(ctx context.Context, c collection.Collection) (collection.Secret, error) {
	var secret collection.Secret
	plain, err := s.Vault.Open(ctx, c.Subject(), secretPlace(c.ID), c.Sealed)
	if err != nil {
		return secret, fmt.Errorf("open a collection's secret: %w", err)
	}
	if err := json.Unmarshal(plain, &secret); err != nil {
		return secret, fmt.Errorf("the secret of collection %s does not parse", c.ID) // err quotes it
	}
	return secret, nil
}
