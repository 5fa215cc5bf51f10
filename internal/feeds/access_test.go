package feeds_test

import (
	"context"
	"errors"
	"testing"

	"samla/internal/account"
	"samla/internal/audit"
	"samla/internal/fault"
	"samla/internal/feeds"
	"samla/internal/store"
)

// refusing records nothing.
type refusing struct{}

func (refusing) RecordAccess(context.Context, audit.Entry) error {
	return errors.New("the disk is full")
}

// Who reads transactions is in the audit log before the answer, with the account and the
// consents that it came through; without an entry nobody gets any.
func TestPage_IsRecorded(t *testing.T) {
	onBoth(t, func(e *env) {
		id := e.IDs.New()
		record := account.Record{ID: id, ClientID: e.User.ClientID, UserID: e.User.ID, CreatedAt: e.Clock.Now(), SeenAt: e.Clock.Now(), Sealed: []byte("sealed")}
		e.Write(func(tx store.Tx) error {
			return tx.PutAccounts(e.Context(), account.Change{ClientID: e.User.ClientID, UserID: e.User.ID, Put: []account.Record{record},
				Lineages: []account.Lineage{{AccountID: id, Consent: "second"}, {AccountID: id, Consent: "first"}}})
		})
		by := feeds.Reader{ClientID: e.User.ClientID, KeyID: "key", Route: "getAccountTransactions"}
		if p, err := e.Page(e.Context(), by, id, "", 10); err != nil || len(p.Rows) != 0 || len(e.reads()) != 0 {
			e.Errorf("of no feed: %d rows, %d entries, %v", len(p.Rows), len(e.reads()), err)
		}
		e.apply(feeds.Change{Readings: []feeds.Reading{e.reading(id, "link", "+3 -100.00 Rent")}})
		p, err := e.Page(e.Context(), by, id, "", 10)
		if err != nil || len(p.Rows) != 1 {
			e.Fatalf("%d rows, %v", len(p.Rows), err)
		}
		want := `{"by":"API_KEY","keyId":"key","consents":["first","second"],"accountIds":["` + id + `"],"route":"getAccountTransactions","basis":"CONSENT"}`
		if reads := e.reads(); len(reads) != 1 || string(reads[0].Detail) != want || reads[0].UserID != e.User.ID {
			e.Errorf("%+v, want %s", reads, want)
		}
		unrecorded := feeds.New(feeds.Deps{Store: e.Store, Vault: e.Vault, Clock: e.Clock, IDs: e.IDs, Access: refusing{}})
		if p, err := unrecorded.Page(e.Context(), by, id, "", 10); fault.CodeOf(err) != fault.Unavailable || len(p.Rows) != 0 {
			e.Errorf("unrecorded: %d rows, %v", len(p.Rows), err)
		}
	})
}

// reads returns the entries of the audit log that data was read.
func (e *env) reads() (reads []audit.Entry) {
	e.Helper()
	all, err := e.Store.UnchainedEntries(e.Context(), 1000)
	if err != nil {
		e.Fatal(err)
	}
	for _, entry := range all {
		if entry.Kind == string(audit.DataRead) {
			reads = append(reads, entry)
		}
	}
	return reads
}
