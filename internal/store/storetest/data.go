package storetest

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"samla/internal/audit"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/idempotency"
	"samla/internal/outbox"
	"samla/internal/seal"
	"samla/internal/session"
	"samla/internal/store"
)

func raw(collectionID string, seq int) collection.RawAnswer {
	return collection.RawAnswer{CollectionID: collectionID, Seq: seq, Kind: "transactions", Mapping: 4,
		FetchedAt: start, Sealed: []byte{0, byte(seq), 255}}
}

func testData(_ *testing.T, f fixture) {
	k, other := f.addCollection(nil), f.addCollection(nil)
	f.write(func(tx store.Tx) error {
		if err := tx.AddRawAnswers(f.ctx, []collection.RawAnswer{raw(k.ID, 2), raw(k.ID, 0), raw(k.ID, 10), raw(k.ID, 1)}); err != nil {
			return err
		}
		if err := tx.PutProducts(f.ctx, other.ID, collection.Products{Form: 1, Sealed: []byte("kept")}); err != nil {
			return err
		}
		return tx.AddRawAnswers(f.ctx, []collection.RawAnswer{raw(other.ID, 0)})
	})
	all, err := f.s.RawAnswers(f.ctx, k.ID)
	check(f, "in the order of reading", all, err, []collection.RawAnswer{raw(k.ID, 0), raw(k.ID, 1), raw(k.ID, 2), raw(k.ID, 10)})
	f.fails(store.ErrExists, func(tx store.Tx) error {
		twice := raw(k.ID, 2)
		twice.Sealed = []byte("another")
		return tx.AddRawAnswers(f.ctx, []collection.RawAnswer{twice})
	})

	long := f.addCollection(nil)
	var many []collection.RawAnswer
	for seq := range 50 {
		many = append(many, raw(long.ID, seq))
	}
	f.write(func(tx store.Tx) error { return tx.AddRawAnswers(f.ctx, many) })
	all, err = f.s.RawAnswers(f.ctx, long.ID)
	check(f, "many at once", all, err, many)
	f.fails(store.ErrExists, func(tx store.Tx) error { return tx.AddRawAnswers(f.ctx, append(many, raw(long.ID, 50))) })
	f.write(func(tx store.Tx) error { return tx.AddRawAnswers(f.ctx, nil) })

	products, err := f.s.Products(f.ctx, k.ID)
	missing(f, "products before they are stored", products, err)
	for form, sealed := range []string{"first", "second"} {
		put := collection.Products{Form: form + 1, Sealed: []byte(sealed)}
		f.write(func(tx store.Tx) error { return tx.PutProducts(f.ctx, k.ID, put) })
		products, err = f.s.Products(f.ctx, k.ID)
		check(f, "products", products, err, put)
	}

	f.write(func(tx store.Tx) error { return tx.EraseData(f.ctx, k.ID) })
	all, err = f.s.RawAnswers(f.ctx, k.ID)
	check(f, "raws after erasing", len(all), err, 0)
	products, err = f.s.Products(f.ctx, k.ID)
	missing(f, "products after erasing", products, err)
	products, err = f.s.Products(f.ctx, other.ID)
	check(f, "another's products", string(products.Sealed), err, "kept")
	all, err = f.s.RawAnswers(f.ctx, other.ID)
	check(f, "another's raws", len(all), err, 1)
}

func testDuties(_ *testing.T, f fixture) {
	d := outbox.Message{ID: newID(), Kind: outbox.RevokeConsent, Company: "testbank", ConsentID: consent.ID(newID()), CreatedAt: start,
		Attempts: 1, Sealed: []byte{9, 0}, WakeAt: start.Add(time.Minute)}
	f.write(func(tx store.Tx) error { return tx.AddOutboxMessage(f.ctx, d) })
	f.fails(store.ErrExists, func(tx store.Tx) error { return tx.AddOutboxMessage(f.ctx, d) })
	got, err := f.s.OutboxMessage(f.ctx, d.ID)
	check(f, "duty", got, err, d)
	d.Attempts, d.Sealed, d.WakeAt = 2, nil, time.Time{}
	f.write(func(tx store.Tx) error { return tx.PutOutboxMessage(f.ctx, d) })
	got, err = f.s.OutboxMessage(f.ctx, d.ID)
	check(f, "updated", got, err, d)
	f.write(func(tx store.Tx) error { return tx.DeleteOutboxMessage(f.ctx, d.ID) })
	_, err = f.s.OutboxMessage(f.ctx, d.ID)
	missing(f, "deleted", got, err)
	f.fails(store.ErrNotFound, func(tx store.Tx) error { return tx.PutOutboxMessage(f.ctx, d) })
	f.fails(store.ErrNotFound, func(tx store.Tx) error { return tx.DeleteOutboxMessage(f.ctx, d.ID) })
}

func testSigningKeys(_ *testing.T, f fixture) {
	old := session.SigningKey{ID: "kid-1", CreatedAt: start, Sealed: []byte{1}, Public: []byte(`{"kty":"OKP"}`)}
	fresh := session.SigningKey{ID: "kid-0", CreatedAt: start.Add(time.Hour), Sealed: []byte{2}, Public: []byte(`{}`)}
	f.write(func(tx store.Tx) error { return tx.AddSigningKey(f.ctx, fresh) })
	f.write(func(tx store.Tx) error { return tx.AddSigningKey(f.ctx, old) })
	f.fails(store.ErrExists, func(tx store.Tx) error { return tx.AddSigningKey(f.ctx, old) })
	all, err := f.s.SigningKeys(f.ctx)
	check(f, "signing keys", all, err, []session.SigningKey{old, fresh})
	f.write(func(tx store.Tx) error { return tx.DeleteSigningKey(f.ctx, old.ID) })
	all, err = f.s.SigningKeys(f.ctx)
	check(f, "after deleting", all, err, []session.SigningKey{fresh})
	f.fails(store.ErrNotFound, func(tx store.Tx) error { return tx.DeleteSigningKey(f.ctx, old.ID) })
}

func testEvidence(_ *testing.T, f fixture) {
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

	forged := first
	forged.Kind = "FORGED"
	if err := f.s.Write(f.ctx, func(tx store.Tx) error { return tx.AddAuditEntry(f.ctx, forged) }); err == nil {
		f.Error("an entry was overwritten")
	}
	got, err = f.s.AuditEntries(f.ctx, first.ConsentID)
	check(f, "nothing overwritten", got, err, []audit.Entry{first, last})
}

func testSweep(_ *testing.T, f fixture) {
	now := start.Add(30 * 24 * time.Hour)
	const keep = 10 * 24 * time.Hour
	with := func(until time.Time) string {
		k := f.addCollection(func(k *collection.Collection) { k.DataUntil = until })
		f.write(func(tx store.Tx) error {
			if err := tx.AddRawAnswers(f.ctx, []collection.RawAnswer{raw(k.ID, 0)}); err != nil {
				return err
			}
			return tx.PutProducts(f.ctx, k.ID, collection.Products{Form: 1, Sealed: []byte("x")})
		})
		return k.ID
	}
	over, atEnd, running, unset := with(now.Add(-time.Hour)), with(now), with(now.Add(time.Microsecond)), with(time.Time{})
	consentID := newID()
	for _, at := range []time.Time{now.Add(-keep - time.Microsecond), now.Add(-keep)} {
		f.write(func(tx store.Tx) error {
			return tx.AddAuditEntry(f.ctx, audit.Entry{ID: newID(), At: at, ConsentID: consent.ID(consentID)})
		})
	}
	for key, until := range map[string]time.Time{"over": now, "running": now.Add(time.Microsecond)} {
		f.write(func(tx store.Tx) error {
			_, err := tx.ClaimIdempotencyKey(f.ctx, idempotency.Record{ClientID: f.client.ID, Key: key, StartedAt: start, ExpiresAt: until})
			return err
		})
	}
	for _, want := range []int{6, 0} { // raws and products twice, evidence, idempotency; then nothing
		f.write(func(tx store.Tx) error {
			n, subjects, err := tx.Sweep(f.ctx, now, keep)
			check(f, "swept", n, err, want)
			check(f, "keys of users", subjects, nil, nil)
			return err
		})
	}
	for id, want := range map[string]int{over: 0, atEnd: 0, running: 1, unset: 1} {
		all, err := f.s.RawAnswers(f.ctx, id)
		check(f, "raws left", len(all), err, want)
		_, err = f.s.Products(f.ctx, id)
		if (err == nil) != (want == 1) || (err != nil && !errors.Is(err, store.ErrNotFound)) {
			f.Errorf("products of one with %d raws left: %v", want, err)
		}
		if _, err := f.s.Collection(f.ctx, id); err != nil {
			f.Errorf("the collection itself: %v", err)
		}
	}
	left, err := f.s.AuditEntries(f.ctx, consent.ID(consentID))
	check(f, "evidence left", len(left), err, 1)
}

// testSweepDestroysKeys: the data key of a collection that belongs to no user goes
// with its data. That of a user stays.
func testSweepDestroysKeys(_ *testing.T, f fixture) {
	now := start.Add(30 * 24 * time.Hour)
	with := func(userID string, until time.Time) collection.Collection {
		k := f.addCollection(func(k *collection.Collection) { k.UserID, k.DataUntil = userID, until })
		if _, err := f.s.AddDataKey(f.ctx, k.Subject(), []byte("wrapped")); err != nil {
			f.Error(err)
		}
		return k
	}
	over, running, users := with("", now), with("", now.Add(time.Second)), with(f.user.ID, now)
	for _, want := range [][]string{{over.ID}, nil} {
		var subjects []string
		f.write(func(tx store.Tx) (err error) {
			_, subjects, err = tx.Sweep(f.ctx, now, time.Hour)
			return err
		})
		check(f, "subjects", subjects, nil, want)
	}
	for name, test := range map[string]struct {
		k    collection.Collection
		want error
	}{"over": {over, seal.ErrKeyDestroyed}, "running": {running, nil}, "a user's": {users, nil}} {
		if _, err := f.s.DataKey(f.ctx, test.k.Subject()); !errors.Is(err, test.want) {
			f.Errorf("%s: the key gives %v", name, err)
		}
	}
}

func testSweepIsBounded(t *testing.T, f fixture) {
	const entries = 2500
	f.write(func(tx store.Tx) error {
		for range entries {
			if err := tx.AddAuditEntry(f.ctx, audit.Entry{ID: newID(), At: start}); err != nil {
				return err
			}
		}
		return nil
	})
	var total, calls int
	for n := -1; n != 0; calls++ {
		f.write(func(tx store.Tx) (err error) {
			n, _, err = tx.Sweep(f.ctx, start.Add(time.Hour), time.Minute)
			return err
		})
		total += n
	}
	if total != entries || calls < 3 {
		t.Errorf("swept %d rows in %d calls, want %d in 3 or more", total, calls, entries)
	}
}

func testDataKeys(_ *testing.T, f fixture) {
	subject, never := newID(), newID()
	got, err := f.s.DataKey(f.ctx, subject)
	check(f, "no key yet", got, err, nil)
	for _, offered := range []string{"first", "second"} {
		got, err = f.s.AddDataKey(f.ctx, subject, []byte(offered))
		check(f, "the first key stays", string(got), err, "first")
	}
	got, err = f.s.DataKey(f.ctx, subject)
	check(f, "stored", string(got), err, "first")
	for _, s := range []string{subject, never, subject} {
		f.write(func(tx store.Tx) error { return tx.DestroyDataKey(f.ctx, s, start) })
		if got, err := f.s.DataKey(f.ctx, s); !errors.Is(err, seal.ErrKeyDestroyed) || got != nil {
			f.Errorf("a destroyed key: %q, %v", got, err)
		}
		if got, err := f.s.AddDataKey(f.ctx, s, []byte("third")); !errors.Is(err, seal.ErrKeyDestroyed) || got != nil {
			f.Errorf("a key for somebody forgotten: %q, %v", got, err)
		}
	}
	for _, none := range []string{"", seal.System} {
		if got, err := f.s.DataKey(f.ctx, none); !errors.Is(err, seal.ErrNoSubject) || got != nil {
			f.Errorf("DataKey of %q: %q, %v", none, got, err)
		}
		if got, err := f.s.AddDataKey(f.ctx, none, []byte("key")); !errors.Is(err, seal.ErrNoSubject) || got != nil {
			f.Errorf("AddDataKey of %q: %q, %v", none, got, err)
		}
		if err := f.s.Write(f.ctx, func(tx store.Tx) error { return tx.DestroyDataKey(f.ctx, none, start) }); !errors.Is(err, seal.ErrNoSubject) {
			f.Errorf("DestroyDataKey of %q: %v", none, err)
		}
	}
}

func testDataKeyRace(t *testing.T, f fixture) {
	subject := newID()
	var stored [16]string
	together(len(stored), func(i int) {
		got, err := f.s.AddDataKey(f.ctx, subject, []byte{byte('a' + i)})
		if err != nil {
			t.Error(err)
		}
		stored[i] = string(got)
	})
	for _, got := range stored {
		if got != stored[0] || got == "" {
			t.Fatalf("callers were given different keys: %q", stored)
		}
	}
}

func testIdempotency(_ *testing.T, f fixture) {
	r := idempotency.Record{ClientID: f.client.ID, Key: "k", Request: []byte{1, 0}, StartedAt: start, ExpiresAt: start.Add(time.Hour),
		LockedUntil: start.Add(time.Minute)}
	begin := func(r idempotency.Record) (found idempotency.Record, err error) {
		err = f.s.Write(f.ctx, func(tx store.Tx) error {
			found, err = tx.ClaimIdempotencyKey(f.ctx, r)
			return err
		})
		return found, err
	}
	got, err := begin(r)
	check(f, "claimed", got, err, r)
	second := r
	second.StartedAt, second.ExpiresAt, second.Request = start.Add(2*time.Minute), start.Add(2*time.Hour), []byte{2}
	taken := func(what string, want idempotency.Record) {
		f.Helper()
		got, err := begin(second)
		if !errors.Is(err, store.ErrExists) {
			f.Errorf("%s: got error %v", what, err)
		}
		check(f, what, got, nil, want)
	}
	taken("found unfinished, given up or not", r)

	done := r
	done.Done, done.UserID, done.Status, done.Sealed = true, f.user.ID, 201, []byte("response")
	another := done
	another.StartedAt = r.StartedAt.Add(time.Second)
	release := func(r idempotency.Record) {
		f.Helper()
		f.write(func(tx store.Tx) error { return tx.ReleaseIdempotencyKey(f.ctx, r) })
	}
	release(another)
	f.fails(store.ErrConflict, func(tx store.Tx) error { return tx.CompleteIdempotencyKey(f.ctx, another) })
	taken("kept from another claim", r)
	f.write(func(tx store.Tx) error { return tx.CompleteIdempotencyKey(f.ctx, done) })
	taken("found finished", done)
	release(done)
	f.fails(store.ErrConflict, func(tx store.Tx) error { return tx.CompleteIdempotencyKey(f.ctx, done) })
	taken("kept once completed", done)

	stranger := second
	stranger.ClientID = f.addClient().ID
	_, err = begin(stranger)
	check(f, "another client's key of the same text", "", err, "")

	second.StartedAt = r.ExpiresAt
	got, err = begin(second)
	check(f, "run out", got, err, second)
	taken("the new claim forgot the old one", second)

	release(second)
	f.fails(store.ErrConflict, func(tx store.Tx) error { return tx.CompleteIdempotencyKey(f.ctx, done) })
	got, err = begin(r)
	check(f, "free again", got, err, r)
	release(idempotency.Record{ClientID: f.client.ID, Key: "never used", StartedAt: start})

	second.StartedAt = start.Add(2 * time.Minute)
	f.write(func(tx store.Tx) error { return tx.CompleteIdempotencyKey(f.ctx, done) })
	erase := func(userID string, want int) {
		f.Helper()
		f.write(func(tx store.Tx) error {
			n, err := tx.EraseIdempotencyKeys(f.ctx, f.client.ID, userID, 2)
			check(f, "responses erased", n, err, want)
			return nil
		})
	}
	erase(newID(), 0)
	taken("another user was forgotten", done)
	for _, key := range []string{"k2", "k3"} {
		about := done
		about.Key = key
		_, err := begin(about)
		check(f, "claimed", "", err, "")
	}
	erase(f.user.ID, 2)
	erase(f.user.ID, 1)
	erase(f.user.ID, 0)
	got, err = begin(r)
	check(f, "the user was forgotten", got, err, r)
	erase("", 0)
	taken("nobody was forgotten", r)
}

func testIdempotencyRace(t *testing.T, f fixture) {
	var claimed, refused atomic.Int32
	together(16, func(i int) {
		err := f.s.Write(f.ctx, func(tx store.Tx) error {
			_, err := tx.ClaimIdempotencyKey(f.ctx, idempotency.Record{ClientID: f.client.ID, Key: "k", Request: []byte{byte(i)},
				StartedAt: start, ExpiresAt: start.Add(time.Hour)})
			return err
		})
		switch {
		case err == nil:
			claimed.Add(1)
		case errors.Is(err, store.ErrExists):
			refused.Add(1)
		default:
			t.Error(err)
		}
	})
	if claimed.Load() != 1 || refused.Load() != 15 {
		t.Errorf("%d claimed the key, %d were refused", claimed.Load(), refused.Load())
	}
}
