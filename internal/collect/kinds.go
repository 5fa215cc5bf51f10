package collect

import (
	"context"
	"errors"

	"samla/internal/collection"
	"samla/internal/product"
)

// Kinds says how many products of each kind a collection has.
type Kinds struct {
	Accounts, Cards, Transactions    int // of banks; Accounts also has those for saving
	Holdings, Pensions, Loans, Other int
}

// Kinds counts the products of a collection, for the person whose they are: nobody gets the
// data itself, so that there is no entry in the audit log. Zero if the data is gone. Fault:
// CollectionNotFound.
func (s *Service) Kinds(ctx context.Context, o Owner, id string) (Kinds, error) {
	c, err := s.Get(ctx, o, id)
	if err != nil || c.Status.Class() != collection.Success || c.Status == collection.CompletedEmpty || c.DataGone(s.Clock.Now()) {
		return Kinds{}, err
	}
	products, err := s.openStored(ctx, c)
	if errors.Is(err, ErrGone) {
		return Kinds{}, nil
	}
	return kindsOf(products), err
}

func kindsOf(products []product.Product) (k Kinds) {
	for _, p := range products {
		switch p := p.(type) {
		case *product.Psd2Account:
			if p.Type == product.Psd2CreditCard {
				k.Cards++
			} else {
				k.Accounts++
			}
			k.Transactions += len(p.Transactions)
		case *product.SavingsAccount:
			k.Accounts++
		case *product.Investment:
			k.Holdings++
		case *product.Pension:
			k.Pensions++
		case *product.Loan:
			k.Loans++
		case *product.PublicPension: // not served
		default:
			k.Other++
		}
	}
	return k
}
