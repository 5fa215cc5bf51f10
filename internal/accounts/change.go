package accounts

import (
	"context"
	"errors"
	"slices"

	"samla/internal/account"
	"samla/internal/fault"
	"samla/internal/feeds"
	"samla/internal/journal"
	"samla/internal/seal"
	"samla/internal/store"
)

// Listed is an account with what may be the same one.
type Listed struct {
	account.Account
	Possible []account.Possible
}

// List returns the accounts of a user, oldest first. Fault: Unavailable when the access
// cannot be recorded.
func (s *Service) List(ctx context.Context, o Owner) ([]Listed, error) {
	all, _, err := s.accountsOf(ctx, o)
	if err != nil {
		return nil, err
	}
	list := listed(all, func(account.Account) bool { return true })
	if err := s.record(ctx, o, list); err != nil {
		return nil, err
	}
	return list, nil
}

// listed returns those of a user's accounts that are wanted.
func listed(all []account.Account, wanted func(account.Account) bool) (list []Listed) {
	possible := account.Possibles(all)
	for _, a := range all {
		if wanted(a) {
			list = append(list, Listed{a, possible[a.ID]})
		}
	}
	return list
}

// accountsOf reads the accounts of a user. A user who is erased has none.
func (s *Service) accountsOf(ctx context.Context, o Owner) ([]account.Account, int64, error) {
	set, err := s.Store.Accounts(ctx, o.ClientID, o.UserID)
	if err != nil {
		return nil, 0, err
	}
	all, err := s.open(ctx, set)
	if errors.Is(err, seal.ErrKeyDestroyed) {
		return nil, set.Rev, nil
	}
	return all, set.Rev, err
}

// User returns whose an account is, for a caller who is the client itself. Fault:
// AccountNotFound.
func (s *Service) User(ctx context.Context, clientID, id string) (userID string, err error) {
	userID, err = s.Store.AccountUser(ctx, clientID, id)
	if errors.Is(err, store.ErrNotFound) {
		return "", fault.New(fault.AccountNotFound)
	}
	return userID, err
}

// plan changes the accounts of a user.
type plan struct {
	change  account.Change
	put     []*account.Account
	move    []feeds.Move
	deleted []string
}

// Merge makes one account of two, because the client says that they are one. It returns
// the account with the id, which has the links of both. Faults: AccountNotFound,
// AccountsNotMergeable.
func (s *Service) Merge(ctx context.Context, o Owner, id, with string) (Listed, error) {
	list, err := s.update(ctx, o, func(all []account.Account, p *plan) ([]string, error) {
		into, from := find(all, id), find(all, with)
		if into == nil || from == nil {
			return nil, fault.New(fault.AccountNotFound)
		}
		merged, err := account.Merge(*into, *from, s.Clock.Now())
		if err != nil {
			return nil, fault.Detailed(fault.AccountsNotMergeable, mergeTexts[err])
		}
		for _, l := range from.Links {
			p.move = append(p.move, feeds.Move{Link: l.ID, From: from.ID, To: into.ID})
		}
		p.put, p.deleted = []*account.Account{&merged}, []string{from.ID}
		return []string{id}, nil
	})
	if err != nil {
		return Listed{}, err
	}
	return list[0], nil
}

var mergeTexts = map[error]string{account.ErrSame: "The two are the same account.", account.ErrTooMany: "The account would have too many links."}

// Split splits a link off from an account, because the client says that it is another
// account. It returns the account and the new one. Faults: AccountNotFound,
// AccountNotSplittable.
func (s *Service) Split(ctx context.Context, o Owner, id, link string) ([]Listed, error) {
	return s.update(ctx, o, func(all []account.Account, p *plan) ([]string, error) {
		a := find(all, id)
		if a == nil {
			return nil, fault.New(fault.AccountNotFound)
		}
		rest, off, err := account.Split(*a, link, func(id string) bool { return find(all, id) != nil }, s.IDs.New, s.Clock.Now())
		if err != nil {
			return nil, fault.Detailed(fault.AccountNotSplittable, splitTexts[err])
		}
		p.move = []feeds.Move{{Link: off.Links[0].ID, From: rest.ID, To: off.ID}}
		p.put = []*account.Account{&rest, &off}
		return []string{rest.ID, off.ID}, nil
	})
}

var splitTexts = map[error]string{account.ErrNoLink: "The account has no such link.", account.ErrOnlyLink: "The account has only one link."}

// Delete deletes an account with its transactions. It comes back with another id when it
// is collected again. Fault: AccountNotFound.
func (s *Service) Delete(ctx context.Context, o Owner, id string) error {
	_, err := s.update(ctx, o, func(all []account.Account, p *plan) ([]string, error) {
		a := find(all, id)
		if a == nil {
			return nil, fault.New(fault.AccountNotFound)
		}
		p.deleted = []string{id}
		// A database that is restored from an older backup erases them again (EraseLink).
		records := make([]journal.Record, len(a.Links))
		for i := range a.Links {
			records[i] = journal.Record{Kind: journal.AccountErased, ID: a.Links[i].ID, Client: o.ClientID, Detail: o.UserID}
		}
		return nil, s.Journal.Record(ctx, records...)
	})
	return err
}

// EraseLink erases what an account that was deleted has left in a database from before:
// one of its links, in whatever account that was before merges and splits. An account
// without another link is deleted. Fault: AccountNotFound.
func (s *Service) EraseLink(ctx context.Context, o Owner, link string) error {
	_, err := s.update(ctx, o, func(all []account.Account, p *plan) ([]string, error) {
		i := slices.IndexFunc(all, func(a account.Account) bool { return a.Link(link) != nil })
		if i < 0 {
			return nil, fault.New(fault.AccountNotFound)
		}
		a := &all[i]
		if len(a.Links) == 1 {
			p.deleted = []string{a.ID}
			return nil, nil
		}
		rest, off, err := account.Split(*a, link, func(id string) bool { return find(all, id) != nil }, s.IDs.New, s.Clock.Now())
		if err != nil {
			return nil, err
		}
		p.move, p.put, p.deleted = []feeds.Move{{Link: link, From: rest.ID, To: off.ID}}, []*account.Account{&rest}, []string{off.ID}
		return nil, nil
	})
	return err
}

func find(all []account.Account, id string) *account.Account {
	i := slices.IndexFunc(all, func(a account.Account) bool { return a.ID == id })
	if i < 0 {
		return nil
	}
	return &all[i]
}

// update changes the accounts of a user and returns those of which do returns the ids, in
// their order. It starts again when another writer was first.
func (s *Service) update(ctx context.Context, o Owner, do func([]account.Account, *plan) ([]string, error)) ([]Listed, error) {
	for {
		list, err := s.tryUpdate(ctx, o, do)
		switch {
		case errors.Is(err, errGone), errors.Is(err, seal.ErrKeyDestroyed):
			return nil, fault.New(fault.AccountNotFound)
		case !errors.Is(err, store.ErrConflict):
			return list, err
		case ctx.Err() != nil:
			return nil, ctx.Err()
		}
	}
}

func (s *Service) tryUpdate(ctx context.Context, o Owner, do func([]account.Account, *plan) ([]string, error)) ([]Listed, error) {
	all, rev, err := s.accountsOf(ctx, o)
	if err != nil {
		return nil, err
	}
	p := &plan{change: account.Change{ClientID: o.ClientID, UserID: o.UserID, Rev: rev}}
	ids, err := do(all, p)
	if err != nil {
		return nil, err
	}
	feed, err := s.planFeed(ctx, feeds.Change{UserID: o.UserID, Moves: p.move, Deleted: p.deleted})
	if err != nil {
		return nil, err
	}
	var told []news
	for _, a := range p.put {
		n := feed.News[a.ID]
		if n.Generation == 0 {
			n.Generation = a.Generation + 1
		}
		if err := s.put(ctx, &p.change, a, n); err != nil {
			return nil, err
		}
		told = append(told, news{a.ID, a.Generation, n})
		if old := find(all, a.ID); old != nil {
			*old = *a
		} else {
			all = append(all, *a)
		}
	}
	all = slices.DeleteFunc(all, func(a account.Account) bool { return slices.Contains(p.deleted, a.ID) })
	p.change.Delete = p.deleted
	list := listed(all, func(a account.Account) bool { return slices.Contains(ids, a.ID) })
	slices.SortFunc(list, func(x, y Listed) int { return slices.Index(ids, x.ID) - slices.Index(ids, y.ID) })
	var access func(store.Tx) error
	if len(list) > 0 { // the caller gets them
		entry := s.entry(o, list)
		access = func(tx store.Tx) error { return tx.AddAuditEntry(ctx, entry) }
	}
	return list, s.write(ctx, p.change, feed, told, access)
}
