package storetest

import (
	"bytes"
	"testing"

	"samla/internal/outbox"
	"samla/internal/seal"
	"samla/internal/session"
	"samla/internal/store"
)

// The epochs of these tests, in order.
const (
	epochA = seal.EpochID("20260401T000000Z")
	epochB = seal.EpochID("20260402T000000Z")
	epochC = seal.EpochID("20260403T000000Z")
	epochD = seal.EpochID("20991231T000000Z")
)

func under(e seal.EpochID, text string) []byte { return append(e.Prefix(), text...) }

func testInstallation(_ *testing.T, f fixture) {
	first, err := f.s.NameInstallation(f.ctx, "one")
	check(f, "its first name", first, err, "one")
	again, err := f.s.NameInstallation(f.ctx, "two")
	check(f, "its name stays", again, err, "one")
	i, err := f.s.Installation(f.ctx)
	if err != nil || i.ID != "one" || i.BegunAt.IsZero() {
		f.Errorf("a new database has not begun: %+v, %v", i, err)
	}
	if err := f.s.BeginEpochs(f.ctx, start); err != nil {
		f.Error(err)
	}
	after, err := f.s.Installation(f.ctx)
	check(f, "the time of the beginning stays", after, err, i)
}

func testWrappedKeys(_ *testing.T, f fixture) {
	for subject, e := range map[string]seal.EpochID{"m1": "", "a1": epochA, "a2": epochA, "b1": epochB, "c1": epochC, "d1": epochD} {
		if _, err := f.s.AddDataKey(f.ctx, subject, under(e, subject)); err != nil {
			f.Fatal(err)
		}
	}
	f.write(func(tx store.Tx) error { return tx.DestroyDataKey(f.ctx, "a2", start) })
	in := store.EpochRange{Now: epochB, Next: epochC}
	var got []string
	epoch, after := seal.EpochID(""), ""
	for { // in pieces of one
		keys, err := f.s.WrappedKeys(f.ctx, in, epoch, after, 1)
		if err != nil {
			f.Fatal(err)
		}
		if len(keys) == 0 {
			break
		}
		after = keys[0].Subject
		epoch, _ = seal.EpochOf(keys[0].Wrapped)
		got = append(got, after)
	}
	check(f, "keys outside of the range", got, nil, []string{"m1", "a1", "d1"})
	all, err := f.s.WrappedKeys(f.ctx, in, "", "", 10)
	check(f, "all at once", len(all), err, 3)

	n, err := f.s.ReplaceDataKeys(f.ctx, []store.Rewrapped{
		{Key: "m1", Old: under("", "m1"), New: under(epochB, "new")},
		{Key: "a1", Old: under(epochA, "another"), New: under(epochB, "lost")},
		{Key: "a2", Old: under(epochA, "a2"), New: under(epochB, "destroyed")},
		{Key: "none", Old: []byte("x"), New: under(epochB, "none")},
	})
	check(f, "replaced", n, err, 1)
	stored, err := f.s.DataKey(f.ctx, "m1")
	check(f, "the new one", stored, err, under(epochB, "new"))
	stored, err = f.s.DataKey(f.ctx, "a1")
	check(f, "another one was stored", stored, err, under(epochA, "a1"))
	for e, want := range map[seal.EpochID]bool{"": false, epochA: true, epochB: true, epochD: true, "20300101T000000Z": false} {
		used, err := f.s.EpochUsed(f.ctx, e, true)
		check(f, "used "+string(e), used, err, want)
	}
	f.write(func(tx store.Tx) error { return tx.DestroyDataKey(f.ctx, "a1", start) })
	used, err := f.s.EpochUsed(f.ctx, epochA, true)
	check(f, "only destroyed keys", used, err, false)
}

func testSystemRows(_ *testing.T, f fixture) {
	messages := map[string]seal.EpochID{"1": "", "2": epochA, "3": epochB, "4": epochD}
	f.write(func(tx store.Tx) error {
		for id, e := range messages {
			if err := tx.AddOutboxMessage(f.ctx, outbox.Message{ID: id, Kind: outbox.EraseUser, CreatedAt: start, Sealed: under(e, "\x01"+id)}); err != nil {
				return err
			}
		}
		of := outbox.Message{ID: "5", Kind: outbox.ApplyCollection, CreatedAt: start, Sealed: []byte("\x01a message of a user")}
		if err := tx.AddOutboxMessage(f.ctx, of); err != nil {
			return err
		}
		return tx.AddSigningKey(f.ctx, session.SigningKey{ID: "s1", CreatedAt: start, Sealed: under(epochA, "key")})
	})
	in := store.EpochRange{Now: epochB, Next: epochC}
	columns := seal.SystemColumns()
	var ids []string
	for after := ""; ; {
		rows, err := f.s.SystemRows(f.ctx, columns[0], in, after, 1)
		if err != nil {
			f.Fatal(err)
		}
		if len(rows) == 0 {
			break
		}
		after = rows[0].Key
		ids = append(ids, after)
		if !bytes.Equal(rows[0].Sealed, under(messages[after], "\x01"+after)) {
			f.Errorf("row %s is %q", after, rows[0].Sealed)
		}
	}
	check(f, "rows outside of the range", ids, nil, []string{"1", "2", "4"})
	for e, want := range map[seal.EpochID]bool{"": true, epochA: true, epochB: true, epochC: false, epochD: true} {
		used, err := f.s.EpochUsed(f.ctx, e, false)
		check(f, "used "+string(e), used, err, want)
	}
	for _, row := range []store.Rewrapped{{Key: "2", Old: []byte("another"), New: []byte("lost")}, {Key: "4", Old: under(epochD, "\x014"), New: under(epochB, "new")}} {
		if err := f.s.ReplaceSystemRow(f.ctx, columns[0], row); err != nil {
			f.Error(err)
		}
	}
	if err := f.s.ReplaceSystemRow(f.ctx, columns[0], store.Rewrapped{Key: "1", Old: under("", "\x011"), New: under(epochB, "new")}); err != nil {
		f.Error(err)
	}
	byMaster, err := f.s.EpochUsed(f.ctx, "", true)
	check(f, "only a message of a user is left under another key", byMaster, err, false)
	m, err := f.s.OutboxMessage(f.ctx, "2")
	check(f, "another writer was first", m.Sealed, err, under(epochA, "\x012"))
	m, err = f.s.OutboxMessage(f.ctx, "4")
	check(f, "sealed again", m.Sealed, err, under(epochB, "new"))
	// Every column of the set exists, also those that are not sealed again.
	used, err := f.s.EpochUsed(f.ctx, "20300101T000000Z", true)
	check(f, "an epoch of no row", used, err, false)
	for _, c := range columns {
		if c.Key != "" {
			if _, err := f.s.SystemRows(f.ctx, c, in, "", 1); err != nil {
				f.Errorf("%s.%s: %v", c.Table, c.Column, err)
			}
		}
	}
}
