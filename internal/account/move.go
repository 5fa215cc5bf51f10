package account

import (
	"errors"
	"slices"
	"time"
)

// Errors of Merge and Split.
var (
	ErrSame     = errors.New("account: an account cannot be merged with itself")
	ErrTooMany  = errors.New("account: the account would have too many links")
	ErrNoLink   = errors.New("account: the account has no such link")
	ErrOnlyLink = errors.New("account: the account has only this link")
)

// Merge moves all links of an account to another one, because the client says that they
// are one. Errors: ErrSame, ErrTooMany.
func Merge(into, from Account, at time.Time) (Account, error) {
	switch {
	case into.ID == from.ID:
		return into, ErrSame
	case len(into.Links)+len(from.Links) > MaxLinks:
		return into, ErrTooMany
	}
	merged := into
	merged.Links = slices.Clone(into.Links)
	for _, l := range from.Links {
		agreed := []Identifier{ByClient}
		if e := between(&into, &from); e.Strength != Different {
			agreed = append(agreed, e.Agreed...)
		}
		if l.Evidence == nil || l.Origin == from.ID {
			l.Evidence = &Evidence{Strength: Confirmed, Agreed: agreed, At: at}
		}
		merged.Links = append(merged.Links, l)
	}
	slices.SortStableFunc(merged.Links, func(x, y Link) int { return x.First.Compare(y.First) })
	own := func(id string) bool { return merged.Link(id) != nil }
	merged.Apart = slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(slices.Concat(into.Apart, from.Apart)))), own)
	merged.Merged = slices.Concat(into.Merged, from.Merged, []string{from.ID})
	return merged, nil
}

// Split splits a link off from an account, because the client says that it is another one.
// The new account has the id of the account that the link began, unless that is in use, or
// else a new one. The links are never linked again by themselves. Errors:
// ErrNoLink, ErrOnlyLink.
func Split(a Account, linkID string, inUse func(id string) bool, newID func() string, now time.Time) (rest, off Account, err error) {
	if len(a.Links) < 2 {
		return a, off, ErrOnlyLink
	}
	l := a.Link(linkID)
	if l == nil {
		return a, off, ErrNoLink
	}
	gone := *l
	rest = a
	rest.Links = slices.DeleteFunc(slices.Clone(a.Links), func(l Link) bool { return l.ID == linkID })
	off = Account{ID: gone.Origin, CreatedAt: now}
	if off.ID == a.ID || off.ID == "" || inUse(off.ID) {
		off.ID = newID()
	}
	rest.Merged = slices.DeleteFunc(slices.Clone(a.Merged), func(id string) bool { return id == off.ID })
	for _, l := range rest.Links {
		off.Apart = append(off.Apart, l.ID)
	}
	off.Apart = append(off.Apart, a.Apart...)
	rest.Apart = append(slices.Clone(a.Apart), gone.ID)
	gone.Evidence, gone.Origin = nil, off.ID
	off.Links = []Link{gone}
	// The link that began the account may be the one that is gone.
	if !slices.ContainsFunc(rest.Links, func(l Link) bool { return l.Evidence == nil }) {
		rest.Links[0].Evidence = nil
	}
	return rest, off, nil
}
