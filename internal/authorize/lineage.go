package authorize

import (
	"context"

	"samla/internal/consent"
	"samla/internal/store"
)

// Living returns the consent that stands for the lineage of c: the authorized one, or
// the last one that was (consent.Living). c can be any consent of the lineage; the
// caller has checked whose it is.
//
// r is the store or a transaction. A caller that decides by the answer inside a transaction locks
// the living consent: a renewal that replaces it writes it too.
func Living(ctx context.Context, r store.ConsentReader, c consent.Consent) (consent.Consent, error) {
	if c.Status == consent.Authorized {
		return c, nil // the only one of its lineage
	}
	lineage, err := r.LineageConsents(ctx, c.LineageID())
	if err != nil {
		return c, err
	}
	if living, ok := consent.Living(lineage); ok {
		return living, nil
	}
	return c, store.ErrNotFound
}

// RenewalPending reports whether a renewal of the lineage of c waits for the person. A
// caller that has heard the bank say that c has ended asks it after that: where the bank
// ends c because of the renewal, the renewal was stored before the bank was asked for it.
func RenewalPending(ctx context.Context, r store.ConsentReader, c consent.Consent) (bool, error) {
	if c.CollectionID != "" {
		return false, nil
	}
	lineage, err := r.LineageConsents(ctx, c.LineageID())
	_, pending := consent.PendingRenewal(lineage)
	return pending, err
}
