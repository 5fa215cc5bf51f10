package collect

import (
	"strconv"
	"testing"
	"time"

	"samla/internal/consent"
	"samla/internal/deviation"
	"samla/internal/fact"
	"samla/internal/institution"
	"samla/internal/institution/source"
	"samla/internal/listing"
	"samla/internal/product"
)

// pages reads endless pages of every account, each of ten bytes and three rows, one a
// second, until no question is left. It returns the number of pages of each account and the
// bounds reached.
func pages(f *frontier) (read map[string]int, met map[string]bool) {
	read, met = map[string]int{}, map[string]bool{}
	for f.now = time.Unix(0, 0); ; {
		questions, beyond := f.take(3)
		for _, c := range beyond {
			met[c.bound] = true
		}
		if len(questions) == 0 {
			return read, met
		}
		for _, q := range questions {
			read[q.Account]++
			next := q
			next.Link += "x"
			f.addAnswer(q, 10, institution.Reading{Questions: []institution.Question{next},
				Facts: fact.Facts{Histories: []fact.History{{Account: q.Account, At: f.now, Transactions: make([]fact.Transaction, 3)}}, Products: make([]product.Product, 2)}})
			f.now = f.now.Add(time.Second)
		}
	}
}

func TestFrontier_BoundsWhatIsRead(t *testing.T) {
	const many = 1 << 30
	for name, test := range map[string]struct {
		limit func(*bounds)
		each  int // pages read of each of two accounts
		total int // of both, where that is what is bounded
	}{
		"answers of an account":    {limit: func(b *bounds) { b.accountAnswers = 7 }, each: 7},
		"bytes of an account":      {limit: func(b *bounds) { b.accountBytes = 50 }, each: 5},
		"rows of an account":       {limit: func(b *bounds) { b.accountRows = 18 }, each: 6},
		"time of an account":       {limit: func(b *bounds) { b.accountTime = 10 * time.Second }, total: 11},
		"answers of a collection":  {limit: func(b *bounds) { b.answers = 12 }, total: 11},
		"bytes of a collection":    {limit: func(b *bounds) { b.bytes = 100 }, total: 10},
		"rows of a collection":     {limit: func(b *bounds) { b.rows = 30 }, total: 10},
		"products of a collection": {limit: func(b *bounds) { b.products = 20 }, total: 10},
	} {
		f := newFrontier(consent.Scope{Transactions: true}, listing.Search{}, []institution.Question{{Kind: "accounts"}})
		f.bounds = bounds{listAnswers: many, accountAnswers: many, accountBytes: many, accountRows: many, answers: many, bytes: many, rows: many, entries: many, products: many}
		test.limit(&f.bounds)
		list, _ := f.take(1)
		r := institution.Reading{}
		for i := range 2 {
			key := strconv.Itoa(i)
			r.Facts.Accounts = append(r.Facts.Accounts, fact.Account{Key: key})
			r.Questions = append(r.Questions, institution.Question{Kind: "transactions", Account: key, Needs: institution.NeedsTransactions})
		}
		f.addAnswer(list[0], 0, r)
		read, met := pages(f)
		if total := read["0"] + read["1"]; test.each != 0 && (read["0"] != test.each || read["1"] != test.each) || test.total != 0 && total != test.total {
			t.Errorf("%s: read %v", name, read)
		}
		if !met[name] || len(met) != 1 {
			t.Errorf("%s: met %v", name, met)
		}
	}
}

// A page with more rows than there is room for is cut, and the rows are counted.
func TestFrontier_CutsRows(t *testing.T) {
	rows := func(n int) institution.Reading {
		return institution.Reading{Facts: fact.Facts{Histories: []fact.History{{Transactions: make([]fact.Transaction, n)}}}}
	}
	for account, room := range map[string]int{"1": 10, "": 15} { // no bound of an account for a question about all of them
		q := institution.Question{Kind: "transactions", Account: account}
		f := newFrontier(consent.Scope{Transactions: true}, listing.Search{}, []institution.Question{q})
		f.bounds.accountRows, f.bounds.rows = 10, 15
		f.wanted["1"] = true
		f.push(f.roots)
		if n := f.addAnswer(q, 1, rows(8))[deviation.Bounded]; n != 0 {
			t.Errorf("%d of 8 rows removed", n)
		}
		if n := f.addAnswer(q, 1, rows(1000))[deviation.Bounded]; n != 1000-(room-8) || f.total.rows != room {
			t.Errorf("%d of 1000 rows removed, %d are counted, want %d", n, f.total.rows, room)
		}
		var kept int
		for _, h := range f.facts().Histories {
			kept += len(h.Transactions)
		}
		if kept != room-8 { // of the last answer to the question
			t.Errorf("%d rows are kept", kept)
		}
	}
}

// The protocol tells the authors of sources what is read of a person.
func TestDefaultBounds_AreTheLimitsOfTheSourceProtocol(t *testing.T) {
	if b := defaultBounds; b.listAnswers != source.MaxPages || b.bytes != source.MaxBytes || b.products != source.MaxProducts ||
		b.entries != source.MaxAccounts || b.rows != source.MaxTransactions {
		t.Errorf("%+v", b)
	}
}

// The pages of a source are questions about no single account: the bounds of an account do
// not end them.
func TestFrontier_BoundsPagesByTheCollectionOnly(t *testing.T) {
	f := newFrontier(consent.Scope{}, listing.Search{}, []institution.Question{{Kind: "page"}})
	f.bounds.bytes = 32
	f.bounds.accountAnswers, f.bounds.accountBytes, f.bounds.accountRows, f.bounds.accountTime = 1, 16, 1, time.Second
	read, met := pages(f)
	if read[""] != 4 || !met["bytes of a collection"] || len(met) != 1 {
		t.Errorf("%d pages of ten bytes, then %v", read[""], met)
	}
}

// A page with more products than there is room for is cut, and they are counted.
func TestFrontier_CutsProducts(t *testing.T) {
	q := institution.Question{Kind: "page"}
	f := newFrontier(consent.Scope{}, listing.Search{}, []institution.Question{q})
	f.bounds.products = 10
	page := func(n int) institution.Reading {
		return institution.Reading{Facts: fact.Facts{Products: make([]product.Product, n)}}
	}
	if n := f.addAnswer(q, 1, page(8))[deviation.Bounded]; n != 0 {
		t.Errorf("%d of 8 products removed", n)
	}
	if n := f.addAnswer(q, 1, page(1000))[deviation.Bounded]; n != 998 || f.total.products != 10 {
		t.Errorf("%d of 1000 products removed, %d are counted", n, f.total.products)
	}
	if all := f.facts().Products; len(all) != 2 || cap(all) > 2 { // of the last answer to the question
		t.Errorf("%d products are kept", len(all))
	}
}

// The pages of a list that never ends are bounded by themselves, and entries that repeat
// others are no new entries.
func TestFrontier_BoundsTheListOfAccounts(t *testing.T) {
	f := newFrontier(consent.Scope{}, listing.Search{}, []institution.Question{{Kind: "accounts"}})
	f.bounds.listAnswers = 50
	asked := 0
	for {
		questions, beyond := f.take(1)
		if len(questions) == 0 {
			if len(beyond) != 1 || beyond[0].bound != "answers of the lists" {
				t.Errorf("beyond %v", beyond)
			}
			break
		}
		asked++
		next := questions[0]
		next.Link += "x"
		f.addAnswer(questions[0], 100, institution.Reading{
			Facts: fact.Facts{Accounts: []fact.Account{{Key: "1", IBAN: "SE4550000000058398257466"}}}, Questions: []institution.Question{next}})
	}
	if asked != 50 || len(f.entries) != 1 {
		t.Errorf("asked %d times, %d entries", asked, len(f.entries))
	}
}
