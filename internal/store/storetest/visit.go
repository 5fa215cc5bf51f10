package storetest

import (
	"errors"
	"testing"
	"time"

	"samla/internal/consent"
	"samla/internal/session"
	"samla/internal/store"
	"samla/internal/user"
)

func visit(f fixture, link string) session.Visit {
	return session.Visit{ID: newID(), ClientID: f.client.ID, UserID: f.user.ID, Link: session.HashOfSecret(link), Language: "sv", CreatedAt: start, OpenBy: start.Add(session.VisitLinkLife)}
}

func testVisits(_ *testing.T, f fixture) {
	v, other := visit(f, "a"), visit(f, "b")
	f.write(func(tx store.Tx) error { return errors.Join(tx.AddVisit(f.ctx, v), tx.AddVisit(f.ctx, other)) })
	twice := v
	twice.ID = newID()
	f.fails(store.ErrExists, func(tx store.Tx) error { return tx.AddVisit(f.ctx, twice) })
	got, err := f.s.Visit(f.ctx, v.ID)
	check(f, "visit", got, err, v)
	got, err = f.s.VisitByLink(f.ctx, v.Link)
	check(f, "by its link", got, err, v)
	_, err = f.s.VisitByLink(f.ctx, "")
	missing(f, "a link of nothing", session.Visit{}, err)
	none, err := f.s.VisitsByKey(f.ctx, "")
	check(f, "visits that nobody has opened", len(none), err, 0)

	opened, err := v.Opened(session.HashOfSecret("key"), start.Add(time.Minute))
	if err != nil {
		f.Fatal(err)
	}
	opened, _ = opened.Asked(start.Add(2 * time.Minute))
	f.write(func(tx store.Tx) error {
		stored, err := tx.PutVisit(f.ctx, opened)
		opened = stored
		return err
	})
	f.fails(store.ErrConflict, func(tx store.Tx) error {
		_, err := tx.PutVisit(f.ctx, v)
		return err
	})
	gone := v
	gone.ID = newID()
	f.fails(store.ErrNotFound, func(tx store.Tx) error {
		_, err := tx.PutVisit(f.ctx, gone)
		return err
	})
	signedIn := visit(f, "c")
	signedIn.Key, signedIn.Person, signedIn.OpenedAt, signedIn.SeenAt = opened.Key, "person", start, start
	f.write(func(tx store.Tx) error { return tx.AddVisit(f.ctx, signedIn) })
	both, err := f.s.VisitsByKey(f.ctx, session.HashOfSecret("key"))
	check(f, "by their key", both, err, []session.Visit{opened, signedIn})

	_, err = f.s.Archive(f.ctx, v.ID)
	missing(f, "no archive", session.Visit{}, err)
	for _, text := range []string{"one", "two"} {
		f.write(func(tx store.Tx) error { return tx.PutArchive(f.ctx, v.ID, []byte(text), start) })
	}
	archive, err := f.s.Archive(f.ctx, v.ID)
	check(f, "the newest archive", string(archive), err, "two")
	size, err := f.s.ArchiveSize(f.ctx, v.ID)
	check(f, "its size", size, err, len("two"))
	_, err = f.s.ArchiveSize(f.ctx, other.ID)
	missing(f, "the size of no archive", session.Visit{}, err)

	stranger := f.addClient()
	f.write(func(tx store.Tx) error { return tx.EraseVisits(f.ctx, stranger.ID, f.user.ID) })
	if _, err := f.s.Visit(f.ctx, v.ID); err != nil {
		f.Errorf("erased for another client: %v", err)
	}
	f.write(func(tx store.Tx) error { return tx.EraseVisits(f.ctx, f.client.ID, f.user.ID) })
	_, err = f.s.Visit(f.ctx, other.ID)
	missing(f, "an erased visit", session.Visit{}, err)
	_, err = f.s.Archive(f.ctx, v.ID)
	missing(f, "an erased archive", session.Visit{}, err)
}

// Who has given consents is found, and forgotten with the user.
func testPersons(_ *testing.T, f fixture) {
	scope := consent.Scope{Balances: true}
	give := func(u user.User, person string) {
		c := f.newConsent()
		c.ID, c.ClientID, c.UserID, c.Granted, c.Person = consent.ID(newID()), u.ClientID, u.ID, &scope, person
		f.write(func(tx store.Tx) error { return tx.AddConsent(f.ctx, c) })
	}
	only := func(what string, u user.User, person string, want bool) {
		got, err := f.s.OnlyPerson(f.ctx, u.ClientID, u.ID, person)
		check(f, what, got, err, want)
	}
	second := f.addUser(f.client)
	give(f.user, "maja")
	give(f.user, "maja")
	give(second, "")
	users, err := f.s.UsersOfPerson(f.ctx, "maja", 10)
	check(f, "her users", users, err, []store.UserRef{{ClientID: f.user.ClientID, UserID: f.user.ID}})
	users, err = f.s.UsersOfPerson(f.ctx, "", 10)
	check(f, "users of nobody", len(users), err, 0)
	only("all is hers", f.user, "maja", true)
	only("nobody is known", second, "maja", false)
	give(second, "maja")
	only("some is not known", second, "maja", false)
	users, err = f.s.UsersOfPerson(f.ctx, "maja", 10)
	check(f, "her two users", len(users), err, 2)
	give(f.user, "other")
	only("some is of another", f.user, "maja", false)
	f.write(func(tx store.Tx) error { return tx.EraseVisits(f.ctx, f.user.ClientID, f.user.ID) })
	users, err = f.s.UsersOfPerson(f.ctx, "maja", 10)
	for _, u := range []user.User{f.user, second} {
		kept, err := f.s.LiveConsents(f.ctx, u.ClientID, u.ID, 10)
		if err != nil || len(kept) == 0 {
			f.Fatalf("%d consents, %v", len(kept), err)
		}
		for _, c := range kept {
			if (c.Purpose == "") != (u.ID == f.user.ID) {
				f.Errorf("the consent of %s is for %q", u.ID, c.Purpose)
			}
		}
	}
	check(f, "after she was erased", users, err, []store.UserRef{{ClientID: second.ClientID, UserID: second.ID}})

	_, err = f.s.PersonKey(f.ctx)
	missing(f, "no key", session.Visit{}, err)
	f.write(func(tx store.Tx) error { return tx.AddPersonKey(f.ctx, []byte("key")) })
	f.fails(store.ErrExists, func(tx store.Tx) error { return tx.AddPersonKey(f.ctx, []byte("other")) })
	key, err := f.s.PersonKey(f.ctx)
	check(f, "the key", string(key), err, "key")
}

func testSweepVisits(_ *testing.T, f fixture) {
	old, kept := visit(f, "a"), visit(f, "b")
	kept.CreatedAt = start.Add(time.Microsecond)
	now := start.Add(session.VisitKept + time.Microsecond)
	f.write(func(tx store.Tx) error {
		return errors.Join(tx.AddVisit(f.ctx, old), tx.AddVisit(f.ctx, kept), tx.PutArchive(f.ctx, old.ID, []byte("x"), now.Add(-session.ArchiveLife-time.Microsecond)),
			tx.PutArchive(f.ctx, kept.ID, []byte("x"), now.Add(-session.ArchiveLife)))
	})
	for _, want := range []int{2, 0} {
		f.write(func(tx store.Tx) error {
			n, _, err := tx.Sweep(f.ctx, now, time.Hour)
			check(f, "swept", n, err, want)
			return err
		})
	}
	_, err := f.s.Visit(f.ctx, old.ID)
	missing(f, "an old visit", session.Visit{}, err)
	_, err = f.s.Visit(f.ctx, kept.ID)
	check(f, "a visit of today", struct{}{}, err, struct{}{})
	_, err = f.s.Archive(f.ctx, kept.ID)
	check(f, "an archive of now", struct{}{}, err, struct{}{})
}
