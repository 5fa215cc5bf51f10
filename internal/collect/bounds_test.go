package collect

import (
	"strconv"
	"testing"

	"samla/internal/consent"
	"samla/internal/fact"
	"samla/internal/institution"
	"samla/internal/listing"
)

// pages reads endless pages of every account, each of the given size, until no question
// is left. It returns the number of pages of each account and the bounds reached.
func pages(f *frontier, size int) (read map[string]int, met map[string]bool) {
	read, met = map[string]int{}, map[string]bool{}
	for {
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
			f.addAnswer(q, size, institution.Reading{Questions: []institution.Question{next}})
		}
	}
}

func TestFrontier_BoundsAnswersAndBytes(t *testing.T) {
	const many = 1 << 30
	for name, test := range map[string]struct {
		bounds bounds
		size   int
		each   int // pages read of each of two accounts
		total  int // of both, where that is what is bounded
	}{
		"answers of an account":   {bounds{listAnswers: many, accountAnswers: 7, accountBytes: many, answers: many, bytes: many, entries: many}, 1, 7, 0},
		"bytes of an account":     {bounds{listAnswers: many, accountAnswers: many, accountBytes: 50, answers: many, bytes: many, entries: many}, 10, 5, 0},
		"answers of a collection": {bounds{listAnswers: many, accountAnswers: many, accountBytes: many, answers: 12, bytes: many, entries: many}, 1, 0, 11},
		"bytes of a collection":   {bounds{listAnswers: many, accountAnswers: many, accountBytes: many, answers: many, bytes: 100, entries: many}, 10, 0, 10},
	} {
		f := newFrontier(consent.Scope{Transactions: true}, listing.Search{}, []institution.Question{{Kind: "accounts"}})
		f.bounds = test.bounds
		list, _ := f.take(1)
		r := institution.Reading{}
		for i := range 2 {
			key := strconv.Itoa(i)
			r.Facts.Accounts = append(r.Facts.Accounts, fact.Account{Key: key})
			r.Questions = append(r.Questions, institution.Question{Kind: "transactions", Account: key, Needs: institution.NeedsTransactions})
		}
		f.addAnswer(list[0], 0, r)
		read, met := pages(f, test.size)
		if total := read["0"] + read["1"]; test.each != 0 && (read["0"] != test.each || read["1"] != test.each) || test.total != 0 && total != test.total {
			t.Errorf("%s: read %v", name, read)
		}
		if !met[name] || len(met) != 1 {
			t.Errorf("%s: met %v", name, met)
		}
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
