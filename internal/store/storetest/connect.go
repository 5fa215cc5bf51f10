package storetest

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"samla/internal/consent"
	"samla/internal/flow"
	"samla/internal/store"
)

// newLink returns a link of the fixture's user with every member set.
func (f fixture) newLink() flow.Link {
	id := newID()
	return flow.Link{ID: id, ClientID: f.client.ID, UserID: f.user.ID, Hash: flow.HashOf(id), Terms: flow.Terms{Companies: []string{"a", "b"},
		Products: []flow.Product{flow.Wealth}, Balances: true, ValidDays: 90, Purpose: "see \"it\" all", Language: "sv", ReturnURL: "https://a.example/", Origin: "https://a.example"},
		CreatedAt: start, ExpiresAt: start.Add(time.Hour), Sealed: []byte{0, 1, 255}}
}

func (f fixture) addLink(change func(*flow.Link)) flow.Link {
	f.Helper()
	l := f.newLink()
	if change != nil {
		change(&l)
	}
	f.write(func(tx store.Tx) error { return tx.AddConnectLink(f.ctx, l) })
	return l
}

func (f fixture) addFlow(change func(*flow.Flow)) flow.Flow {
	f.Helper()
	a := flow.Flow{ID: newID(), LinkID: newID(), ClientID: f.client.ID, UserID: f.user.ID, Key: "key", Terms: f.newLink().Terms,
		State: flow.Failed, Company: "a", Method: "BANKID", OnDevice: true, ConsentID: consent.ID(newID()), CollectionID: newID(), Question: "q", Failure: "FAILED",
		Signed: true, CreatedAt: start, StateAt: start.Add(time.Second), SeenAt: start.Add(2 * time.Second), Sealed: []byte{0, 2, 254}, Rev: 4}
	if change != nil {
		change(&a)
	}
	f.write(func(tx store.Tx) error { return tx.AddConnectFlow(f.ctx, a) })
	return a
}

func testConnectLinks(_ *testing.T, f fixture) {
	l := f.addLink(nil)
	got, err := f.s.ConnectLink(f.ctx, f.client.ID, l.ID)
	check(f, "link", got, err, l)
	got, err = f.s.ConnectLinkByHash(f.ctx, l.Hash)
	check(f, "by hash", got, err, l)
	got, err = f.s.ConnectLink(f.ctx, f.addClient().ID, l.ID)
	missing(f, "of another client", got, err)
	got, err = f.s.ConnectLinkByHash(f.ctx, l.ID)
	missing(f, "by something else", got, err)
	twice := f.newLink()
	twice.Hash = l.Hash
	f.fails(store.ErrExists, func(tx store.Tx) error { return tx.AddConnectLink(f.ctx, twice) })
	f.fails(store.ErrNotFound, func(tx store.Tx) error { return tx.OpenConnectLink(f.ctx, twice) })
	l.OpenedAt, l.FlowID, l.Sealed = start.Add(time.Minute), newID(), nil
	f.write(func(tx store.Tx) error { return tx.OpenConnectLink(f.ctx, l) })
	got, err = f.s.ConnectLinkByHash(f.ctx, l.Hash)
	check(f, "opened", got, err, l)
	f.fails(store.ErrConflict, func(tx store.Tx) error { return tx.OpenConnectLink(f.ctx, l) })
}

// However many open a link at once, one does.
func testConnectLinkOpensOnce(_ *testing.T, f fixture) {
	l := f.addLink(nil)
	var opened atomic.Int64
	together(8, func(int) {
		mine := l
		mine.OpenedAt, mine.FlowID = start.Add(time.Minute), newID()
		err := f.s.Write(f.ctx, func(tx store.Tx) error { return tx.OpenConnectLink(f.ctx, mine) })
		switch {
		case err == nil:
			opened.Add(1)
		case !errors.Is(err, store.ErrConflict):
			f.Error(err)
		}
	})
	if opened.Load() != 1 {
		f.Errorf("opened %d times", opened.Load())
	}
}

func testConnectFlows(_ *testing.T, f fixture) {
	a := f.addFlow(nil)
	got, err := f.s.ConnectFlow(f.ctx, a.ID)
	check(f, "flow", got, err, a)
	f.fails(store.ErrExists, func(tx store.Tx) error { return tx.AddConnectFlow(f.ctx, a) })
	next := a
	next.State, next.Company, next.Method, next.OnDevice, next.ConsentID, next.CollectionID = flow.AskCode, "b", "EMAIL", false, "", "k"
	next.Question, next.Failure, next.Signed, next.StateAt, next.Sealed = "r", "", false, start.Add(time.Hour), nil
	next.SeenAt = start.Add(time.Hour) // is not written
	f.write(func(tx store.Tx) error {
		put, err := tx.PutConnectFlow(f.ctx, next)
		next.Rev++
		check(f, "put", put, err, next)
		next.Rev--
		return err
	})
	f.fails(store.ErrConflict, func(tx store.Tx) error { _, err := tx.PutConnectFlow(f.ctx, next); return err })
	next.Rev, next.SeenAt = 5, a.SeenAt
	got, err = f.s.ConnectFlow(f.ctx, a.ID)
	check(f, "changed", got, err, next)
	f.write(func(tx store.Tx) error { return tx.RecordFlowSeen(f.ctx, a.ID, start.Add(time.Minute)) })
	f.write(func(tx store.Tx) error { return tx.RecordFlowSeen(f.ctx, a.ID, start) })
	next.SeenAt = start.Add(time.Minute)
	got, err = f.s.ConnectFlow(f.ctx, a.ID)
	check(f, "seen", got, err, next)
	next.ID = newID()
	f.fails(store.ErrNotFound, func(tx store.Tx) error { _, err := tx.PutConnectFlow(f.ctx, next); return err })
	f.fails(store.ErrNotFound, func(tx store.Tx) error { return tx.RecordFlowSeen(f.ctx, next.ID, start) })
	after, err := store.UpdateConnectFlow(f.ctx, f.s, a.ID, func(old flow.Flow) (flow.Flow, func(store.Tx) error, error) {
		old.State = flow.Done
		return old, nil, nil
	})
	if err != nil || after.State != flow.Done || after.Rev != 6 {
		f.Errorf("updated: %+v, %v", after, err)
	}
}

func testReadingFlows(_ *testing.T, f fixture) {
	reading := func(seen time.Duration) flow.Flow {
		return f.addFlow(func(a *flow.Flow) { a.State, a.SeenAt = flow.Reading, start.Add(seen) })
	}
	old, a, b := reading(0), reading(time.Hour), reading(2*time.Hour)
	f.addFlow(func(a *flow.Flow) { a.SeenAt = start.Add(3 * time.Hour) })
	got, err := f.s.ReadingFlows(f.ctx, start.Add(time.Hour), "", 10)
	check(f, "seen lately", got, err, []flow.Flow{a, b})
	got, err = f.s.ReadingFlows(f.ctx, start, "", 1)
	check(f, "the first", got, err, []flow.Flow{old})
	got, err = f.s.ReadingFlows(f.ctx, start, old.ID, 1)
	check(f, "the next", got, err, []flow.Flow{a})
}

func testEraseConnect(_ *testing.T, f fixture) {
	other := f.addUser(f.client)
	mine, link := f.addFlow(nil), f.addLink(nil)
	f.addLink(nil)
	kept := f.addFlow(func(a *flow.Flow) { a.UserID = other.ID })
	keptLink := f.addLink(func(l *flow.Link) { l.UserID = other.ID })
	for _, want := range []int{2, 1, 0} { // a link and a flow, a link
		f.write(func(tx store.Tx) error {
			n, err := tx.EraseConnect(f.ctx, f.client.ID, f.user.ID, 1)
			check(f, "erased", n, err, want)
			return err
		})
	}
	got, err := f.s.ConnectFlow(f.ctx, mine.ID)
	missing(f, "flow", got, err)
	none, err := f.s.ConnectLinkByHash(f.ctx, link.Hash)
	missing(f, "link", none, err)
	got, err = f.s.ConnectFlow(f.ctx, kept.ID)
	check(f, "flow of somebody else", got, err, kept)
	none, err = f.s.ConnectLinkByHash(f.ctx, keptLink.Hash)
	check(f, "link of somebody else", none, err, keptLink)
}

func testSweepConnect(_ *testing.T, f fixture) {
	sweep := func(want int, before, idle time.Time) {
		f.Helper()
		f.write(func(tx store.Tx) error {
			n, err := tx.SweepConnect(f.ctx, before, idle, 10)
			check(f, "swept", n, err, want)
			return err
		})
	}
	a, l := f.addFlow(nil), f.addLink(nil)
	sweep(0, start, start)
	sweep(1, start, start.Add(3*time.Second))
	a.Sealed = nil
	got, err := f.s.ConnectFlow(f.ctx, a.ID)
	check(f, "idle", got, err, a)
	sweep(1, start, start.Add(2*time.Hour))
	l.Sealed = nil
	link, err := f.s.ConnectLinkByHash(f.ctx, l.Hash)
	check(f, "expired", link, err, l)
	sweep(0, start, start.Add(2*time.Hour))
	sweep(2, start.Add(time.Second), start)
	got, err = f.s.ConnectFlow(f.ctx, a.ID)
	missing(f, "old", got, err)
}

func testFrameOrigins(_ *testing.T, f fixture) {
	other := f.addClient()
	for _, o := range []string{"https://b.example", "https://a.example"} {
		f.write(func(tx store.Tx) error { return tx.AddFrameOrigin(f.ctx, f.client.ID, o, start) })
	}
	f.write(func(tx store.Tx) error { return tx.AddFrameOrigin(f.ctx, other.ID, "https://c.example", start) })
	f.fails(store.ErrExists, func(tx store.Tx) error { return tx.AddFrameOrigin(f.ctx, other.ID, "https://c.example", start) })
	all, err := f.s.FrameOrigins(f.ctx, f.client.ID)
	check(f, "of the client, sorted", all, err, []string{"https://a.example", "https://b.example"})
	f.write(func(tx store.Tx) error { return tx.DeleteFrameOrigin(f.ctx, f.client.ID, "https://a.example") })
	f.fails(store.ErrNotFound, func(tx store.Tx) error { return tx.DeleteFrameOrigin(f.ctx, f.client.ID, "https://c.example") })
	all, err = f.s.FrameOrigins(f.ctx, f.client.ID)
	check(f, "taken back", all, err, []string{"https://b.example"})
}
