package accounts_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"samla/internal/audit"
	"samla/internal/fault"
)

// recorder records accesses, or fails.
type recorder struct {
	entries []audit.Entry
	err     error
}

func (r *recorder) RecordAccess(_ context.Context, e audit.Entry) error {
	if r.err == nil {
		r.entries = append(r.entries, e)
	}
	return r.err
}

func TestList_GivesNoAccountsWithoutAnEntry(t *testing.T) {
	onBoth(t, func(t *testing.T, b *env) {
		r := &recorder{}
		b.Access = r
		owner := b.owner()
		owner.KeyID, owner.Route = "key", "getAccounts"
		if _, err := b.List(t.Context(), owner); err != nil || len(r.entries) != 0 {
			t.Errorf("%d entries of no accounts, %v", len(r.entries), err)
		}
		b.apply(b.completed(ibanX, ibanY))
		all, err := b.List(t.Context(), owner)
		if err != nil || len(all) != 2 || len(r.entries) != 1 {
			t.Fatalf("%d accounts, %d entries, %v", len(all), len(r.entries), err)
		}
		e := r.entries[0]
		want := `{"by":"API_KEY","keyId":"key","accountIds":["` + all[0].ID + `","` + all[1].ID + `"],"route":"getAccounts","basis":"CONSENT"}`
		if string(e.Detail) != want || e.Kind != string(audit.DataRead) || e.UserID != owner.UserID || e.ClientID != owner.ClientID {
			t.Errorf("%+v\n%s", e, e.Detail)
		}
		r.err = errors.New("the disk is full")
		var f *fault.Fault
		if all, err := b.List(t.Context(), owner); !errors.As(err, &f) || f.Code != fault.Unavailable {
			t.Errorf("%d accounts without an entry, %v", len(all), err)
		}
	})
}

// A merge and a split give accounts too: their entries are stored with the change.
func TestMergeAndSplit_HaveEntries(t *testing.T) {
	onBoth(t, func(t *testing.T, b *env) {
		b.apply(b.completed(ibanX, ibanY))
		all := b.list()
		owner := b.owner()
		owner.Route = "mergeAccounts"
		merged, err := b.Merge(t.Context(), owner, all[ibanX].ID, all[ibanY].ID)
		if err != nil {
			t.Fatal(err)
		}
		owner.Route = "splitAccount"
		if _, err := b.Split(t.Context(), owner, merged.ID, merged.Links[1].ID); err != nil {
			t.Fatal(err)
		}
		owner.Route = "deleteAccount"
		if err := b.Delete(t.Context(), owner, merged.ID); err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimSpace(b.routes()); got != "mergeAccounts splitAccount" { // the list above has no route
			t.Errorf("entries of %q", got)
		}
	})
}

// routes returns the operations of the entries of the audit log that wait for the chain.
func (b *env) routes() string {
	b.Helper()
	waiting, err := b.Store.UnchainedEntries(b.Context(), 1000)
	if err != nil {
		b.Fatal(err)
	}
	var routes []string
	for _, e := range waiting {
		if _, after, ok := strings.Cut(string(e.Detail), `"route":"`); ok {
			routes = append(routes, after[:strings.Index(after, `"`)])
		}
	}
	return strings.Join(routes, " ")
}
