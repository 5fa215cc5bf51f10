package accounts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"samla/internal/account"
	"samla/internal/collect"
	"samla/internal/collection"
	"samla/internal/feeds"
	"samla/internal/outbox"
	"samla/internal/product"
	"samla/internal/seal"
	"samla/internal/store"
)

// Apply applies a completed collection to the accounts of its user; it is the handler of
// outbox messages of the kind ApplyCollection. The message is deleted in the transaction
// that stores the result, so a collection is applied once, by one node. One whose products
// are erased before is not applied.
func (s *Service) Apply(ctx context.Context, m outbox.Message) error {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	in, err := s.read(ctx, m)
	if err != nil || in == nil {
		return errors.Join(err, s.drop(ctx, m, err == nil))
	}
	for {
		err := s.apply(ctx, m, in)
		switch {
		case errors.Is(err, errGone), errors.Is(err, seal.ErrKeyDestroyed):
			return s.drop(ctx, m, true)
		case errors.Is(err, errApplied):
			return nil
		case !errors.Is(err, store.ErrConflict) && !errors.Is(err, errMore):
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		}
	}
}

// errApplied says that another node was first.
var errApplied = errors.New("accounts: the collection is applied")

// errMore says that a part of the collection is stored, and the rest is not.
var errMore = errors.New("accounts: the collection has more")

// gone reports whether a link of an account is closed, or not listed any more.
func gone(a *account.Account) func(string) bool {
	return func(linkID string) bool {
		l := a.Link(linkID)
		if l == nil {
			return true
		}
		state, _ := l.State()
		return state != account.Open
	}
}

// drop deletes a message of which nothing is left to do.
func (s *Service) drop(ctx context.Context, m outbox.Message, done bool) error {
	if !done {
		return nil
	}
	err := s.Store.Write(ctx, func(tx store.Tx) error { return tx.DeleteOutboxMessage(ctx, m.ID) })
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// input is a collection that is to be applied.
type input struct {
	of       collection.Collection
	reading  account.Reading
	products []product.Product // by the index of reading.Seen
	reports  []collection.ProductReport
	again    bool // it was read again from its stored answers
}

// read reads what a collection has collected. It returns nil if there is nothing to apply:
// the data or the user is erased.
func (s *Service) read(ctx context.Context, m outbox.Message) (*input, error) {
	c, err := s.Store.Collection(ctx, m.ID)
	if err != nil || c.UserID == "" || c.DataGone(s.Clock.Now()) {
		return nil, err
	}
	plain, err := s.Vault.Open(ctx, c.Subject(), collect.ReportPlace(m.ID), m.Sealed)
	if errors.Is(err, seal.ErrKeyDestroyed) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open outbox message %s: %w", m.ID, err)
	}
	var report collection.Report
	if json.Unmarshal(plain, &report) != nil {
		return nil, fmt.Errorf("the payload of outbox message %s does not parse", m.ID)
	}
	in := &input{of: c, again: report.Again, reading: account.Reading{Collection: c.ID, At: c.StatusChangedAt, Company: c.Company, Listed: report.Listed}}
	for _, closed := range report.Closed {
		in.reading.Closed = append(in.reading.Closed, account.TraitsOf(closed))
	}
	if c.Mode == collection.Stored {
		under, err := s.Store.Consent(ctx, c.ConsentID)
		if err != nil {
			return nil, err
		}
		in.reading.Consent, in.reading.Lineage = under.ID, under.LineageID()
	}
	stored, err := s.Store.Products(ctx, c.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	text, err := collect.OpenProducts(ctx, s.Vault, c, stored)
	if errors.Is(err, seal.ErrKeyDestroyed) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return in, in.add(text, report)
}

// add adds the products that are accounts.
func (in *input) add(text []byte, report collection.Report) error {
	var all []json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return fmt.Errorf("the products of collection %s do not parse", in.of.ID)
	}
	for _, raw := range all {
		p, err := product.Read(raw)
		if err != nil {
			return fmt.Errorf("the products of collection %s do not parse", in.of.ID)
		}
		in.reading.CompanyName = p.Common().CompanyDisplayName
		said := report.Of(p.Common().ID)
		if seen, ok := account.See(p, said.Identifiers); ok {
			in.reading.Seen = append(in.reading.Seen, seen)
			in.products, in.reports = append(in.products, p), append(in.reports, said)
		}
	}
	return nil
}

// apply applies a collection to the accounts as they are now.
func (s *Service) apply(ctx context.Context, m outbox.Message, in *input) error {
	c := in.of
	set, err := s.Store.Accounts(ctx, c.ClientID, c.UserID)
	if err != nil {
		return err
	}
	before, err := s.open(ctx, set)
	if err != nil {
		return err
	}
	if in.again {
		if in, err = s.knownOf(ctx, set, in); err != nil {
			return err
		}
	}
	feed := feeds.Change{UserID: c.UserID}
	newest := map[string]bool{} // links of which a newer collection is known
	for i := range before {
		for _, l := range before[i].Links {
			newest[l.ID] = l.Last.After(in.reading.At)
		}
	}
	done := account.Apply(before, in.reading, s.IDs.New)
	beyond := 0
	for i, at := range done.Of {
		if at.Account < 0 {
			beyond++
			continue
		}
		a := &done.Accounts[at.Account]
		l, said := &a.Links[at.Link], in.reports[i]
		if p, is := in.products[i].(*product.Psd2Account); is {
			feed.Readings = append(feed.Readings, feeds.Reading{AccountID: a.ID, Link: l.ID, At: in.reading.At, Late: newest[l.ID], Gone: gone(a),
				Transactions: p.Transactions, Whole: said.Transactions, From: said.From, Until: said.Until, BookedOnly: said.BookedOnly, Was: was(said)})
		}
	}
	plan, err := s.planFeed(ctx, feed)
	if err != nil {
		return err
	}
	change := account.Change{ClientID: c.ClientID, UserID: c.UserID, Rev: set.Rev}
	var told []news
	for i := range done.Accounts {
		a := &done.Accounts[i]
		if !done.Changed[i] {
			continue
		}
		n := plan.News[a.ID]
		if err := s.put(ctx, &change, a, n); err != nil {
			return err
		}
		if done.News[i] || n.Added+n.Modified+n.Removed > 0 {
			told = append(told, news{a.ID, a.Generation, n})
		}
	}
	err = s.write(ctx, change, plan, told, func(tx store.Tx) error {
		if plan.More {
			return nil // the message stays until all is stored
		}
		err := tx.DeleteOutboxMessage(ctx, m.ID)
		if errors.Is(err, store.ErrNotFound) {
			return errApplied
		}
		return err
	})
	if err == nil && plan.More {
		return errMore
	}
	if err == nil && beyond > 0 {
		s.Log.Warn("a user has too many accounts, the others are not kept", "company", c.Company, "collection", c.ID, "beyond", beyond)
	}
	return err
}
