package accounts

import (
	"context"

	"samla/internal/account"
	"samla/internal/collection"
	"samla/internal/product"
)

// was returns the transactions that a product had before it was read again.
func was(said collection.ProductReport) []product.Psd2Transaction {
	if said.Was == nil {
		return nil
	}
	p, err := product.Read(said.Was)
	if a, is := p.(*product.Psd2Account); err == nil && is {
		return a.Transactions
	}
	return nil
}

// knownOf returns the part of a collection that was read again from which nothing comes
// back: accounts that are open and that the collection has seen before. An account that was
// deleted or that is closed since then, and one that the collection has now for the first
// time, wait for the next collection.
func (s *Service) knownOf(ctx context.Context, set account.Set, in *input) (*input, error) {
	for {
		before, err := s.open(ctx, set)
		if err != nil {
			return nil, err
		}
		known := map[string]bool{} // links
		for i := range before {
			for n := range before[i].Links {
				l := &before[i].Links[n]
				state, _ := l.State()
				known[l.ID] = state == account.Open && !l.First.After(in.reading.At)
			}
		}
		done := account.Apply(before, in.reading, s.IDs.New)
		rest := *in
		rest.reading.Seen, rest.products, rest.reports = nil, nil, nil
		for i, at := range done.Of {
			if at.Account < 0 || !known[done.Accounts[at.Account].Links[at.Link].ID] {
				continue
			}
			rest.reading.Seen = append(rest.reading.Seen, in.reading.Seen[i])
			rest.products, rest.reports = append(rest.products, in.products[i]), append(rest.reports, in.reports[i])
		}
		if len(rest.products) == len(in.products) {
			return in, nil
		}
		in = &rest // without the others, one may go elsewhere
	}
}
