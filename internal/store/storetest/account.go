package storetest

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"samla/internal/account"
	"samla/internal/consent"
	"samla/internal/store"
)

// record returns a lasting account of the user that was seen at a time.
func (f fixture) record(seen time.Time) account.Record {
	return account.Record{ID: newID(), ClientID: f.client.ID, UserID: f.user.ID, CreatedAt: start, SeenAt: seen, Sealed: []byte{1, 2}}
}

// putAccounts stores a change of the accounts of the user, from the set of a revision.
func (f fixture) putAccounts(rev int64, put []account.Record, gone ...string) func(store.Tx) error {
	return func(tx store.Tx) error {
		return tx.PutAccounts(f.ctx, account.Change{ClientID: f.client.ID, UserID: f.user.ID, Rev: rev, Put: put, Delete: gone})
	}
}

func testAccounts(_ *testing.T, f fixture) {
	got, err := f.s.Accounts(f.ctx, f.client.ID, f.user.ID)
	check(f, "no accounts", got, err, account.Set{})
	all := make([]account.Record, 40) // several statements
	for i := range all {
		all[i] = f.record(start)
	}
	f.write(f.putAccounts(0, all))
	got, err = f.s.Accounts(f.ctx, f.client.ID, f.user.ID)
	check(f, "accounts", got, err, account.Set{Rev: 1, Records: all})
	f.fails(store.ErrConflict, f.putAccounts(0, all[:1]))
	f.fails(store.ErrConflict, f.putAccounts(2, all[:1]))

	all[1].SeenAt, all[1].Sealed = start.Add(time.Hour), []byte{3}
	f.write(f.putAccounts(1, all[1:2], all[0].ID, all[2].ID))
	left := append([]account.Record{all[1]}, all[3:]...)
	got, err = f.s.Accounts(f.ctx, f.client.ID, f.user.ID)
	check(f, "changed", got, err, account.Set{Rev: 2, Records: left})
	f.write(func(tx store.Tx) error {
		if err := f.putAccounts(2, all[:1])(tx); err != nil {
			return err
		}
		got, err := tx.Accounts(f.ctx, f.client.ID, f.user.ID)
		if len(got.Records) != len(left)+1 || got.Rev != 3 {
			f.Errorf("the transaction does not see its own accounts: %d of revision %d", len(got.Records), got.Rev)
		}
		return err
	})

	owner, err := f.s.AccountUser(f.ctx, f.client.ID, all[0].ID)
	check(f, "user", owner, err, f.user.ID)
	_, err = f.s.AccountUser(f.ctx, f.client.ID, all[2].ID)
	missing(f, "user of a deleted account", owner, err)
	_, err = f.s.AccountUser(f.ctx, newID(), all[0].ID)
	missing(f, "user of another client's account", owner, err)
	other := f.addUser(f.client)
	if got, err := f.s.Accounts(f.ctx, f.client.ID, other.ID); err != nil || len(got.Records) > 0 {
		f.Errorf("another user has %+v, %v", got, err)
	}
	otherClient := f.addClient()
	if got, err := f.s.Accounts(f.ctx, otherClient.ID, f.user.ID); err != nil || len(got.Records) > 0 {
		f.Errorf("another client sees %+v, %v", got, err)
	}
	// Accounts are deleted through the set of their own user only.
	f.write(func(tx store.Tx) error {
		return tx.PutAccounts(f.ctx, account.Change{ClientID: f.client.ID, UserID: other.ID, Delete: []string{all[0].ID}})
	})
	if got, _ := f.s.Accounts(f.ctx, f.client.ID, f.user.ID); len(got.Records) != len(left)+1 {
		f.Error("an account was deleted through the set of another user")
	}
}

func testAccountsHaveOneWinner(_ *testing.T, f fixture) {
	var won atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			switch err := f.s.Write(f.ctx, f.putAccounts(0, []account.Record{f.record(start)})); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, store.ErrConflict):
				f.Error(err)
			}
		})
	}
	wg.Wait()
	got, err := f.s.Accounts(f.ctx, f.client.ID, f.user.ID)
	if err != nil || won.Load() != 1 || len(got.Records) != 1 {
		f.Errorf("%d changes from one set were stored, there are %d accounts, %v", won.Load(), len(got.Records), err)
	}
}

func testEraseLastingAccounts(_ *testing.T, f fixture) {
	f.write(f.putAccounts(0, []account.Record{f.record(start), f.record(start), f.record(start)}))
	for _, want := range []int{2, 1} {
		f.write(func(tx store.Tx) error {
			n, err := tx.EraseAccounts(f.ctx, f.user.ID, 2)
			if n != want {
				f.Errorf("erased %d accounts, want %d", n, want)
			}
			return err
		})
	}
	got, err := f.s.Accounts(f.ctx, f.client.ID, f.user.ID)
	check(f, "erased", got, err, account.Set{})
	f.fails(store.ErrConflict, f.putAccounts(1, nil))
}

func testSweepAccounts(_ *testing.T, f fixture) {
	const keep = 30 * 24 * time.Hour
	now := start.Add(100 * 24 * time.Hour)
	add := func(status consent.Status, changed time.Time) consent.ID {
		return f.addConsent(func(c *consent.Consent) { c.Status, c.StatusChangedAt = status, changed }).ID
	}
	ended := now.Add(-keep)
	by := map[string]consent.ID{"living": add(consent.Authorized, start), "ended lately": add(consent.Revoked, ended.Add(time.Second)),
		"expired lately": add(consent.Expired, ended.Add(time.Second)), "ended": add(consent.Expired, ended), "failed": add(consent.Failed, now), "renewed": add(consent.Revoked, start)}
	f.addConsent(func(c *consent.Consent) {
		c.Status, c.Lineage, c.Renews = consent.Authorized, by["renewed"], by["renewed"]
	})
	kept := map[string]bool{"living": true, "ended lately": true, "expired lately": true, "seen lately": true, "renewed": true}
	c := account.Change{ClientID: f.client.ID, UserID: f.user.ID}
	names := map[string]string{}
	for _, name := range []string{"living", "ended lately", "expired lately", "ended", "failed", "seen lately", "login", "renewed"} {
		r := f.record(start)
		if name == "seen lately" {
			r.SeenAt = ended.Add(time.Second)
		}
		names[r.ID] = name
		c.Put = append(c.Put, r)
		if by[name] != "" {
			c.Lineages = append(c.Lineages, account.Lineage{AccountID: r.ID, Consent: by[name]}, account.Lineage{AccountID: r.ID, Consent: by["ended"]})
		}
	}
	f.write(func(tx store.Tx) error { return tx.PutAccounts(f.ctx, c) })
	sweep := func(at time.Time) (looked int) {
		f.write(func(tx store.Tx) (err error) {
			looked, err = tx.SweepAccounts(f.ctx, at, keep, 4)
			return err
		})
		return looked
	}
	if a, b, c := sweep(now), sweep(now), sweep(now); a != 4 || b != 4 || c != 0 {
		f.Errorf("looked at %d, %d and %d accounts", a, b, c)
	}
	got, err := f.s.Accounts(f.ctx, f.client.ID, f.user.ID)
	if err != nil || got.Rev < 2 {
		f.Errorf("revision %d, %v", got.Rev, err)
	}
	for _, r := range got.Records {
		if !kept[names[r.ID]] {
			f.Errorf("%s: still there", names[r.ID])
		}
		delete(kept, names[r.ID])
	}
	if len(kept) > 0 {
		f.Errorf("deleted too early: %v", kept)
	}
	if n := sweep(now.Add(25 * time.Hour)); n != 4 || sweep(now.Add(25*time.Hour)) != 1 {
		f.Errorf("a day later it looked at %d accounts", n)
	}
}
