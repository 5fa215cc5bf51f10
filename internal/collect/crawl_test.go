package collect_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"samla/internal/collect"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/institution"
	"samla/internal/psu"
	"samla/internal/store"
)

func TestEverythingIsRead(t *testing.T) {
	for _, parallel := range []int{1, 4} {
		b := newBench(t)
		b.profile(func(p *institution.Profile) { p.Parallel = parallel })
		c := b.look(b.start(b.request(b.granted(), "192.0.2.7")).ID)
		b.ended(c, collection.Completed)
		b.complete(c.ID)
		if all, _ := b.bank.count(""); all != whole || b.raws(c.ID) != whole {
			t.Errorf("asked %d times, %d answers are kept", all, b.raws(c.ID))
		}
		if until := c.DataUntil.Sub(b.Clock.Now()); until != 30*24*time.Hour {
			t.Errorf("kept for %s", until)
		}
		if err := b.Handle(t.Context(), c.ID); err != nil || len(b.bank.asked) != whole {
			t.Errorf("looked at again, a finished one asks the bank: %v", err)
		}
	}
}

// What the bank is told of the person, and how far back it is asked (RTS art.
// 10a).
func TestBankIsToldWhoIsThere(t *testing.T) {
	for name, test := range map[string]struct {
		ip, later string
		days      int
	}{
		"there, just signed":      {"192.0.2.7", "0s", 730},
		"there, signed last week": {"192.0.2.7", "168h", 89},
		"not there":               {"", "0s", 89},
	} {
		b := newBench(t)
		under := b.granted()
		later, err := time.ParseDuration(test.later)
		if err != nil {
			t.Fatal(err)
		}
		b.Clock.Advance(later)
		c := b.look(b.start(b.request(under, test.ip)).ID)
		b.ended(c, collection.Completed)
		want := institution.Access{ConsentID: "bank-1", PSU: psu.Context{IPAddress: test.ip, Locale: "sv-SE"}}
		if test.ip != "" {
			want.PSU.UserAgent = "test/1"
		}
		for _, a := range b.bank.with {
			if a != want {
				t.Errorf("%s: the bank was told %+v", name, a)
			}
		}
		from := b.Clock.Now().AddDate(0, 0, -test.days).Format(time.DateOnly)
		for _, q := range b.bank.asked {
			if q.Kind == "transactions" && q.From != from {
				t.Errorf("%s: %s was asked for from %s instead of %s", name, q.Link, q.From, from)
			}
		}
	}
}

func TestNoMoreIsReadThanIsCovered(t *testing.T) {
	for name, test := range map[string]struct {
		scope  consent.Scope
		filter []string
		asked  int
		bare   bool
	}{
		"balances":         {consent.Scope{Balances: true}, nil, 2 + 3, false},
		"transactions":     {consent.Scope{Transactions: true}, nil, 2 + 5, true},
		"one account":      {consent.Scope{AccountIDs: []string{"save"}, Balances: true, Transactions: true}, nil, 2 + 2, false},
		"filtered":         {consent.Scope{Balances: true, Transactions: true}, []string{"SAVE"}, 2 + 2, false},
		"filtered to none": {consent.Scope{AccountIDs: []string{"main"}, Balances: true, Transactions: true}, []string{"save"}, 2, false},
	} {
		b := newBench(t)
		under := b.granted()
		b.Write(func(tx store.Tx) (err error) {
			under.Granted = &test.scope
			under, err = tx.PutConsent(t.Context(), under)
			return err
		})
		r := b.request(under, "192.0.2.7")
		r.Filter = test.filter
		c := b.look(b.start(r).ID)
		want := collection.Completed
		if test.asked == 2 {
			want = collection.CompletedEmpty
		}
		b.ended(c, want)
		if all, _ := b.bank.count(""); all != test.asked || (b.bank.asked[0].Detail == "") != test.bare {
			t.Errorf("%s: asked %d times, %+v", name, all, b.bank.asked)
		}
		for id, p := range b.products(c.ID) {
			if (p.BookedBalance != nil) != test.scope.Balances || (p.Transactions != nil) != test.scope.Transactions {
				t.Errorf("%s: %s is told as %+v", name, id, p)
			}
		}
	}
}

// failures is what each kind of failure of the account list becomes (docs/reference/api.md
// 5.7), and what it does to the stored consent.
var failures = map[institution.ErrorKind]struct {
	status  collection.Status
	consent consent.Status
}{
	institution.Unreachable:    {collection.ThirdPartyError, consent.Authorized},
	institution.Busy:           {collection.ThirdPartyError, consent.Authorized},
	institution.AccessExceeded: {collection.ThirdPartyError, consent.Authorized},
	institution.Garbled:        {collection.ThirdPartyError, consent.Authorized},
	institution.ForeignAddress: {collection.ThirdPartyError, consent.Authorized},
	institution.ConsentGone:    {collection.AuthenticationError, consent.Revoked},
	institution.ConsentOver:    {collection.AuthenticationError, consent.Expired},
	institution.SCARequired:    {collection.AuthenticationError, consent.Expired},
	institution.PersonRefused:  {collection.CustomerEnrollmentRequired, consent.Authorized},
	institution.NotCovered:     {collection.Failed, consent.Authorized},
	institution.Conflict:       {collection.Failed, consent.Authorized},
	institution.Refused:        {collection.Failed, consent.Authorized},
	institution.CertificateBad: {collection.Failed, consent.Authorized},
}

func TestFailureFollowsTheBank(t *testing.T) {
	b := newBench(t)
	for k, want := range failures {
		b.bank.fetches = func(context.Context, institution.Question, int) error { return kind(k) }
		b.bank.asked, b.bank.times = nil, map[institution.Question]int{}
		under := b.granted()
		c := b.look(b.start(b.request(under, "192.0.2.7")).ID)
		if c.Status != want.status || b.Consent(under.ID).Status != want.consent {
			t.Errorf("%s: %s, the consent %s", k, c.Status, b.Consent(under.ID).Status)
		}
		tries := 1
		if k.Passing() {
			tries = 3
		}
		if all, _ := b.bank.count(""); all != tries {
			t.Errorf("%s: asked %d times", k, all)
		}
		if _, err := b.Data(t.Context(), b.owner(), c.ID); err == nil {
			t.Errorf("%s: there is data", k)
		}
		if b.raws(c.ID) != 0 {
			t.Errorf("%s: %d answers are kept", k, b.raws(c.ID))
		}
	}
}

// A failure of a part leaves the rest standing; one that ends the consent ends
// everything.
func TestFailureOfAPart(t *testing.T) {
	for k := range failures {
		for link, missing := range map[string]string{"main/2": "main", "save/balances": "save", "save/transactions": "save"} {
			b := newBench(t)
			b.bank.fetches = func(_ context.Context, q institution.Question, _ int) error {
				if q.Link == link {
					return kind(k)
				}
				return nil
			}
			c := b.look(b.start(b.request(b.granted(), "192.0.2.7")).ID)
			if k == institution.ConsentGone || k == institution.ConsentOver || k == institution.CertificateBad {
				b.ended(c, failures[k].status)
				continue
			}
			b.ended(c, collection.CompletedPartial)
			all := b.products(c.ID)
			p := all[missing]
			if len(all) != 3 || len(*all["card"].Transactions) != 1 {
				t.Errorf("%s of %s: %d products", k, link, len(all))
			}
			switch link {
			case "main/2": // the first page is there
				if len(*p.Transactions) != 1 {
					t.Errorf("%s of %s: %+v", k, link, p)
				}
			case "save/balances":
				if p.BookedBalance != nil || len(*p.Transactions) != 1 {
					t.Errorf("%s of %s: %+v", k, link, p)
				}
			default: // unknown is not empty
				if p.Transactions != nil || p.BookedBalance == nil {
					t.Errorf("%s of %s: %+v", k, link, p)
				}
			}
		}
	}
}

func TestCardListIsAPart(t *testing.T) {
	b := newBench(t)
	b.bank.fetches = func(_ context.Context, q institution.Question, _ int) error {
		if q.Kind == "cards" {
			return kind(institution.Unreachable)
		}
		return nil
	}
	c := b.look(b.start(b.request(b.granted(), "192.0.2.7")).ID)
	b.ended(c, collection.CompletedPartial)
	if n := len(b.products(c.ID)); n != 2 {
		t.Errorf("%d products", n)
	}
}

func TestGarbledAnswers(t *testing.T) {
	for link, want := range map[string]collection.Status{"": collection.ThirdPartyError, "main/3": collection.CompletedPartial} {
		b := newBench(t)
		b.bank.reads = func(q institution.Question) error {
			if q.Link == link && q.Kind != "cards" {
				return kind(institution.Garbled)
			}
			return nil
		}
		b.ended(b.look(b.start(b.request(b.granted(), "192.0.2.7")).ID), want)
	}
}

// A failure that may pass is tried again, as late as the bank asks.
func TestTriesAgain(t *testing.T) {
	for after, least := range map[time.Duration]time.Duration{0: 200 * time.Millisecond, 3 * time.Second: 6 * time.Second, time.Hour: 10 * time.Second} {
		b := newBench(t)
		b.bank.fetches = func(_ context.Context, q institution.Question, n int) error {
			if q.Link == "main/2" && n < 3 {
				return &institution.Error{Kind: institution.Busy, RetryAfter: after}
			}
			return nil
		}
		c := b.look(b.start(b.request(b.granted(), "192.0.2.7")).ID)
		b.ended(c, collection.Completed)
		b.complete(c.ID)
		if took := b.Clock.Now().Sub(morning); took < least || took > 14*time.Second {
			t.Errorf("Retry-After %s: took %s", after, took)
		}
		if _, n := b.bank.count("main/2"); n != 3 {
			t.Errorf("Retry-After %s: asked %d times", after, n)
		}
	}
}

// A bank whose pages go round in circles is read once round.
func TestPagesInACircle(t *testing.T) {
	b := newBench(t)
	b.bank.next["main/3"] = "main/2"
	c := b.look(b.start(b.request(b.granted(), "192.0.2.7")).ID)
	b.ended(c, collection.Completed)
	b.complete(c.ID)
}

// An institution that names a new page for ever is read up to a bound, and the
// rest of the collection as usual.
func TestCrawl_BoundsPagesThatNeverEnd(t *testing.T) {
	b := newBench(t)
	b.bank.endless = true
	c := b.look(b.start(b.request(b.granted(), "192.0.2.7")).ID)
	b.ended(c, collection.CompletedPartial)
	all := b.products(c.ID)
	if n := len(*all["main"].Transactions); n != 999 || len(*all["save"].Transactions) != 1 || len(*all["card"].Transactions) != 1 {
		t.Errorf("%d transactions of the account without an end, %d products", n, len(all))
	}
	if n := strings.Count(b.logs.String(), "reached a bound"); n != 1 || !strings.Contains(b.logs.String(), "kind=transactions") {
		t.Errorf("logged %d times: %s", n, b.logs)
	}
}

// TestCrawl_Resumes interrupts a run at each question in turn. The next asks the
// institution only for what it has not answered.
func TestCrawl_Resumes(t *testing.T) {
	for at := 1; at <= whole; at++ {
		b := newBench(t)
		c := b.start(b.request(b.granted(), "192.0.2.7"))
		c = b.interrupted(c.ID, at, kind(institution.Unreachable))
		if b.raws(c.ID) != at-1 {
			t.Fatalf("interrupted at %d: %d answers are kept", at, b.raws(c.ID))
		}
		b.Service = b.service()
		b.Clock.Advance(time.Minute)
		c = b.look(c.ID)
		b.ended(c, collection.Completed)
		b.complete(c.ID)
		if all, _ := b.bank.count(""); all != whole+1 || b.raws(c.ID) != whole {
			t.Errorf("interrupted at %d: asked %d times, %d answers are kept", at, all, b.raws(c.ID))
		}
	}
}

// Without the person, the answer that is on its way when the time of a run is over
// is waited for, since the institution has counted the question. Nothing is asked
// twice.
func TestCrawl_ResumesWithoutThePerson(t *testing.T) {
	for _, parallel := range []int{1, 3} {
		for at := 1; at <= whole; at++ {
			b := newBench(t)
			b.profile(func(p *institution.Profile) { p.Parallel = parallel })
			c := b.start(b.request(b.granted(), ""))
			c = b.interrupted(c.ID, at, nil)
			if n := b.raws(c.ID); n < at || n >= at+parallel {
				t.Fatalf("interrupted at %d: %d answers are kept", at, n)
			}
			b.Service = b.service()
			b.Clock.Advance(25 * time.Hour) // the day after, the same is asked
			c = b.look(c.ID)
			b.ended(c, collection.Completed)
			b.complete(c.ID)
			if all, _ := b.bank.count(""); all != whole || b.raws(c.ID) != whole {
				t.Errorf("interrupted at %d: asked %d times, %d answers are kept", at, all, b.raws(c.ID))
			}
		}
	}
}

// interrupted runs a collection whose time is over while the question with this
// number is asked. The run hands the collection back, due at once, unless that
// was the last question.
func (b *bench) interrupted(id string, at int, outcome error) collection.Collection {
	b.Helper()
	ctx, over := context.WithCancel(b.Context())
	var n atomic.Int64
	b.bank.fetches = func(context.Context, institution.Question, int) error {
		if n.Add(1) == int64(at) {
			over()
			return outcome
		}
		return nil
	}
	if err := b.Run(ctx, b.Handle, id); err != nil {
		b.Fatal(err)
	}
	c := b.row(id)
	if outcome != nil && (c.Status != collection.Collecting || c.WakeAt.After(b.Clock.Now())) {
		b.Fatalf("interrupted at %d: %s, due %s", at, c.Status, c.WakeAt)
	}
	return c
}

// dies lets a process die while a question is asked whose answer never comes, and
// returns how many answers were stored by then.
func (b *bench) dies(id string, link, kind string) (kept int) {
	b.Helper()
	dead, reached := make(chan struct{}), make(chan struct{})
	b.Cleanup(func() { close(dead) })
	b.bank.fetches = func(_ context.Context, q institution.Question, n int) error {
		b.Clock.Advance(200 * time.Millisecond)
		if q.Link == link && q.Kind == kind && n == 1 {
			close(reached)
			<-dead
		}
		return nil
	}
	go func(dying *collect.Service) { _ = dying.Handle(context.WithoutCancel(b.Context()), id) }(b.Service)
	<-reached
	kept = b.raws(id)
	b.Service = b.service()
	return kept
}

// A process dies after some answers were in memory too long; the next goes on
// from those.
func TestCrawl_ResumesAfterACrash(t *testing.T) {
	b := newBench(t)
	c := b.start(b.request(b.granted(), "192.0.2.7"))
	kept := b.dies(c.ID, "main/3", "transactions")
	before, _ := b.bank.count("")
	if kept < before-4 || kept == 0 {
		t.Errorf("of %d answers %d are written down", before-1, kept)
	}
	c = b.look(c.ID)
	b.ended(c, collection.Completed)
	b.complete(c.ID)
	if all, _ := b.bank.count(""); all-before != whole-kept {
		t.Errorf("%d answers were kept, and %d asked for anew", kept, all-before)
	}
}

// Without the person a question whose outcome is not known after a crash is not
// asked again: the institution may have counted it (RTS art. 36(5)(b)).
func TestCrawl_AsksNothingTwiceAfterACrash(t *testing.T) {
	for _, test := range []struct {
		link, kind string
		want       collection.Status
		asked      int
	}{
		{"", "accounts", collection.ThirdPartyError, 1},
		{"", "cards", collection.CompletedPartial, whole - 2},
		{"main/balances", "balances", collection.CompletedPartial, whole},
		{"main/2", "transactions", collection.CompletedPartial, whole - 1},
		{"main/3", "transactions", collection.CompletedPartial, whole},
	} {
		b := newBench(t)
		c := b.start(b.request(b.granted(), ""))
		b.dies(c.ID, test.link, test.kind)
		b.ended(b.look(c.ID), test.want)
		for q, n := range b.bank.times {
			if n != 1 {
				t.Errorf("died at %s: %s %s was asked %d times", test.kind, q.Kind, q.Link, n)
			}
		}
		if all, _ := b.bank.count(""); all != test.asked {
			t.Errorf("died at %s %s: %d questions were asked, want %d", test.kind, test.link, all, test.asked)
		}
	}
}

// Without the person a failed question is asked again only where the institution
// cannot have counted it. The requests at the institution are counted.
func TestAsk_RepeatsWithoutThePersonOnlyWhatWasNotSent(t *testing.T) {
	for k := range failures {
		for _, notSent := range []bool{false, true} {
			b := newBench(t)
			b.bank.fetches = func(_ context.Context, q institution.Question, n int) error {
				if q.Link == "save/transactions" && n < 3 {
					return &institution.Error{Kind: k, NotSent: notSent}
				}
				return nil
			}
			c := b.look(b.start(b.request(b.granted(), "")).ID)
			want, asked := collection.CompletedPartial, 1
			if notSent {
				want, asked = collection.Completed, 3
			} else if k == institution.ConsentGone || k == institution.ConsentOver || k == institution.CertificateBad {
				want = failures[k].status
			}
			if _, n := b.bank.count("save/transactions"); n != asked || c.Status != want {
				t.Errorf("%s, not sent %t: asked %d times, ended as %s", k, notSent, n, c.Status)
			}
		}
	}
}

// A short reading writes its answers together with its result.
func TestShortReadingWritesOnce(t *testing.T) {
	b := newBench(t)
	under := b.granted()
	c := b.start(b.request(under, "192.0.2.7"))
	b.bank.fetches = func(_ context.Context, q institution.Question, _ int) error {
		b.Clock.Advance(40 * time.Millisecond)
		if n := b.raws(c.ID); n != 0 {
			t.Errorf("%d answers are written down on the way", n)
		}
		return nil
	}
	b.ended(b.look(c.ID), collection.Completed)
}

// Large answers are not collected in memory until time has passed.
func TestJournal_SavesLargeAnswersEarly(t *testing.T) {
	b := newBench(t)
	b.bank.padding = 3 << 20
	c := b.start(b.request(b.granted(), "192.0.2.7"))
	n, most := 0, 0
	b.bank.fetches = func(context.Context, institution.Question, int) error {
		most = max(most, n-b.raws(c.ID))
		n++
		return nil
	}
	b.ended(b.look(c.ID), collection.Completed)
	if most > 1 {
		t.Errorf("%d answers of 3 MiB were in memory only", most)
	}
}

// TestStoppedWhileReading: who stops a collection has the last word, and what
// was read until then does not stay.
func TestStoppedWhileReading(t *testing.T) {
	for name, stop := range map[string]func(*bench, string) error{
		"cancelled": func(b *bench, id string) error { _, err := b.Stop(b.Context(), b.owner(), id); return err },
		"deleted":   func(b *bench, id string) error { return b.Erase(b.Context(), b.owner(), id) },
	} {
		b := newBench(t)
		b.bank.fetches = func(_ context.Context, q institution.Question, _ int) error {
			b.Clock.Advance(time.Second)
			if q.Link == "main/2" {
				return stop(b, b.row(b.bank.collection(b)).ID)
			}
			return nil
		}
		c := b.look(b.start(b.request(b.granted(), "192.0.2.7")).ID)
		b.ended(c, collection.AuthenticationCancelled)
		if n := b.raws(c.ID); n != 0 {
			t.Errorf("%s: %d answers stay", name, n)
		}
		if all, _ := b.bank.count(""); all == whole {
			t.Errorf("%s: the bank was read to the end", name)
		}
		_, err := b.Data(t.Context(), b.owner(), c.ID)
		isFault(t, name, err, fault.CollectionFailed)
	}
}

// collection is the newest collection of the bench's user.
func (*scripted) collection(b *bench) string {
	list, err := b.List(b.Context(), b.owner(), nil, false, store.Page{Limit: 1})
	if err != nil || len(list) != 1 {
		b.Fatalf("%d collections, %v", len(list), err)
	}
	return list[0].ID
}

// flaky is a store that cannot write while it is broken.
type flaky struct {
	store.Store
	broken bool
}

var errDisk = errors.New("the disk is full")

func (f *flaky) Write(ctx context.Context, fn func(store.Tx) error) error {
	if f.broken {
		return errDisk
	}
	return f.Store.Write(ctx, fn)
}

// TestRead_GoesOnWhenTheStoreIsBack: a store that fails does not fail the
// collection. What was asked without the person meanwhile is missing, for it must
// not be asked again.
func TestRead_GoesOnWhenTheStoreIsBack(t *testing.T) {
	for _, ip := range []string{"192.0.2.7", ""} {
		for _, link := range []string{"", "main/2", "card/transactions"} {
			b := newBench(t)
			disk := &flaky{Store: b.Store}
			b.Store = disk
			b.Service = b.service()
			once := true
			b.bank.fetches = func(_ context.Context, q institution.Question, _ int) error {
				b.Clock.Advance(time.Second)
				disk.broken, once = q.Link == link && once, once && q.Link != link
				return nil
			}
			c := b.start(b.request(b.granted(), ip))
			if err := b.Run(t.Context(), b.Handle, c.ID); !errors.Is(err, errDisk) {
				t.Errorf("broken at %q: %v", link, err)
			}
			disk.broken = false
			if c = b.row(c.ID); c.Status != collection.Collecting || c.WakeAt.IsZero() {
				t.Fatalf("broken at %q: %s, due %s", link, c.Status, c.WakeAt)
			}
			b.Service = b.service()
			want := collection.Completed
			if ip == "" {
				want = collection.CompletedPartial
				if link == "" { // the list of accounts itself
					want = collection.ThirdPartyError
				}
			}
			c = b.look(c.ID)
			b.ended(c, want)
			if ip != "" {
				b.complete(c.ID)
			}
		}
	}
}

// What is withdrawn, or runs out, while it is read is not read any further.
func TestConsentThatEndsWhileReading(t *testing.T) {
	for name, end := range map[string]func(*bench, consent.Consent) error{
		"withdrawn": func(b *bench, c consent.Consent) error {
			_, err := b.consents.Revoke(b.Context(), c.ClientID, c.UserID, c.ID)
			return err
		},
		"run out": func(b *bench, c consent.Consent) error {
			b.Clock.Set(c.ExpiresAt)
			return nil
		},
	} {
		b := newBench(t)
		under := b.granted()
		b.bank.fetches = func(_ context.Context, q institution.Question, _ int) error {
			if q.Link == "main/2" {
				return end(b, under)
			}
			return nil
		}
		c := b.look(b.start(b.request(under, "")).ID)
		b.ended(c, collection.AuthenticationError)
		if all, _ := b.bank.count(""); all == whole {
			t.Errorf("%s: the bank was read to the end", name)
		}
		if n := b.raws(c.ID); n != 0 {
			t.Errorf("%s: %d answers stay", name, n)
		}
	}
}
