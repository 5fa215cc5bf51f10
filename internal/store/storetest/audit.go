package storetest

import (
	"testing"
	"time"

	"samla/internal/audit"
	"samla/internal/consent"
	"samla/internal/store"
)

func testAuditLog(_ *testing.T, f fixture) {
	id := newID()
	entry := func(at time.Time, kind string) audit.Entry {
		e := audit.Entry{ID: newID(), At: at, ClientID: f.client.ID, UserID: f.user.ID, ConsentID: consent.ID(id), Kind: kind,
			Detail: []byte(`{"balances":true}`)}
		f.write(func(tx store.Tx) error { return tx.AddAuditEntry(f.ctx, e) })
		return e
	}
	last, first := entry(start.Add(time.Hour), "LAST"), entry(start, "FIRST")
	id = newID()
	entry(start, "ANOTHER CONSENT'S")
	got, err := f.s.AuditEntries(f.ctx, first.ConsentID)
	check(f, "oldest first", got, err, []audit.Entry{first, last})

	other := consent.ID(id)
	id = string(first.ConsentID)
	newest := entry(start.Add(2*time.Hour), "LAST")
	got, err = f.s.NewestEntries(f.ctx, []consent.ID{first.ConsentID, other, "no id\x00"}, []audit.Kind{"LAST", "ANOTHER"}, 1)
	check(f, "the newest of each kind", got, err, []audit.Entry{newest})
	got, err = f.s.NewestEntries(f.ctx, []consent.ID{other, first.ConsentID}, []audit.Kind{"LAST", "FIRST"}, 2)
	check(f, "two of each kind", got, err, []audit.Entry{first, last, newest})
	got, err = f.s.NewestEntries(f.ctx, nil, []audit.Kind{"LAST"}, 2)
	check(f, "of no consents", len(got), err, 0)

	overwriting := first
	overwriting.Kind = "OVERWRITTEN"
	if err := f.s.Write(f.ctx, func(tx store.Tx) error { return tx.AddAuditEntry(f.ctx, overwriting) }); err == nil {
		f.Error("an entry was overwritten")
	}
	got, err = f.s.AuditEntries(f.ctx, first.ConsentID)
	check(f, "after the attempt to overwrite one", got, err, []audit.Entry{first, last, newest})
}
