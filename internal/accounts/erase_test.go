package accounts_test

import (
	"context"
	"slices"
	"testing"

	"samla/internal/account"
	"samla/internal/accounts"
	"samla/internal/fault"
	"samla/internal/journal"
)

// notes is a journal in memory.
type notes []journal.Record

func (n *notes) Record(_ context.Context, records ...journal.Record) error {
	*n = append(*n, records...)
	return nil
}

// An account is deleted after a merge and a split. A backup from before has its links in
// other accounts: these are erased there, and nothing else is.
func TestDelete_IsAppliedAgainToTheAccountsOfBefore(t *testing.T) {
	onBoth(t, func(t *testing.T, b *env) {
		const ibanZ = "SE3550000000054910000003"
		b.apply(b.completed(ibanX, ibanY, ibanZ))
		x, y, z := b.list()[ibanX], b.list()[ibanY], b.list()[ibanZ]
		xLink, yLink, zLink := x.Links[0].ID, y.Links[0].ID, z.Links[0].ID
		owner := b.owner()
		if _, err := b.Merge(t.Context(), owner, x.ID, y.ID); err != nil { // the state of the backup: X has two links
			t.Fatal(err)
		}
		set, err := b.Store.Accounts(t.Context(), owner.ClientID, owner.UserID)
		if err != nil || len(set.Records) != 2 {
			t.Fatalf("%d accounts, %v", len(set.Records), err)
		}
		// After the backup Y is split off again, merged into Z, and this is deleted.
		var told notes
		other := of(b.Env)
		other.Journal = &told
		after := account.Account{ID: z.ID, Links: []account.Link{z.Links[0], y.Links[0]}}
		for _, l := range after.Links {
			told = append(told, journal.Record{Kind: journal.AccountErased, ID: l.ID})
		}
		if err := b.erase(owner, told); err != nil {
			t.Fatal(err)
		}
		all, err := b.List(t.Context(), owner)
		if err != nil || len(all) != 1 || all[0].ID != x.ID || len(all[0].Links) != 1 || all[0].Links[0].ID != xLink {
			t.Errorf("%+v, %v", all, err)
		}
		// And what Delete tells is the links, of a merged account too.
		told = nil
		b.apply(b.completed(ibanY))
		y = b.list()[ibanY]
		if _, err := other.Merge(t.Context(), owner, x.ID, y.ID); err != nil {
			t.Fatal(err)
		}
		if err := other.Delete(t.Context(), owner, x.ID); err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, r := range told {
			if r.Kind != journal.AccountErased || r.Client != owner.ClientID || r.Detail != owner.UserID {
				t.Errorf("%+v", r)
			}
			ids = append(ids, r.ID)
		}
		if want := []string{xLink, y.Links[0].ID}; !slices.Equal(ids, want) || slices.Contains(ids, yLink) || slices.Contains(ids, zLink) {
			t.Errorf("told of %v, want %v", ids, want)
		}
	})
}

// erase applies records as a restore does, twice.
func (b *env) erase(o accounts.Owner, records []journal.Record) error {
	for range 2 {
		for _, r := range records {
			if err := b.EraseLink(b.Context(), o, r.ID); err != nil && fault.CodeOf(err) != fault.AccountNotFound {
				return err
			}
		}
	}
	return nil
}
