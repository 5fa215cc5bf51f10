package collect

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/deviation"
	"samla/internal/fact"
	"samla/internal/institution"
	"samla/internal/listing"
	"samla/internal/psu"
)

func TestHistoryFrom_IsLongOnlyAfterSignature(t *testing.T) {
	now := time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)
	p := institution.Profile{}.WithDefaults()
	signed := func(ago time.Duration) consent.Consent {
		return consent.Consent{SCAExpiresAt: now.Add(consent.MaxSCAAge - ago)}
	}
	c := collection.Collection{CreatedAt: now, StatusChangedAt: now}
	present := psu.Context{IPAddress: "192.0.2.7"}
	if got := historyFrom(c, signed(time.Minute), p, present); got != "2024-04-01" {
		t.Errorf("just signed: from %s", got)
	}
	if got := historyFrom(c, signed(24*time.Hour), p, present); got != "2026-01-02" {
		t.Errorf("signed yesterday: from %s", got)
	}
	if got := historyFrom(c, signed(time.Minute), p, psu.Context{}); got != "2026-01-02" {
		t.Errorf("without the person: from %s", got)
	}
}

// Whatever the order of the answers, each question is asked once and the facts come in
// the same order.
func TestFrontier_DoesNotDependOnTheOrderOfAnswers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// Question i leads to some of the questions after it, several to the same one.
		const n = 12
		kind := func(i int) institution.Question { return institution.Question{Kind: strconv.Itoa(i)} }
		readings := make([]institution.Reading, n)
		for i := range n {
			readings[i].Facts.Histories = []fact.History{{Account: strconv.Itoa(i)}}
			for j := i + 1; j < n; j++ {
				if rapid.IntRange(0, 3).Draw(t, "leads") == 0 {
					readings[i].Questions = append(readings[i].Questions, kind(j))
				}
			}
		}
		crawl := func(order *rapid.Generator[int]) []string {
			f := newFrontier(consent.Scope{}, listing.Search{}, []institution.Question{kind(0), kind(1)})
			var open []institution.Question
			asked := map[string]bool{}
			for !f.empty() || len(open) > 0 {
				taken, _ := f.take(n)
				open = append(open, taken...)
				i := order.Draw(t, "next") % len(open)
				q := open[i]
				open = slices.Delete(open, i, i+1)
				if asked[q.Kind] {
					t.Fatalf("question %s is asked twice", q.Kind)
				}
				asked[q.Kind] = true
				number, _ := strconv.Atoi(q.Kind)
				f.addAnswer(q, 1, readings[number])
			}
			var facts []string
			for _, h := range f.facts().Histories {
				facts = append(facts, h.Account)
			}
			return facts
		}
		if one, other := crawl(rapid.Just(0)), crawl(rapid.IntRange(0, n)); !slices.Equal(one, other) {
			t.Fatalf("facts %v and %v", one, other)
		}
	})
}

// A question about an account that no answer named, or that is closed or not wanted, is
// not asked.
func TestFrontier_DropsQuestionsAboutOtherAccounts(t *testing.T) {
	list := institution.Question{Kind: "accounts"}
	f := newFrontier(consent.Scope{Balances: true}, listing.Search{Granted: []string{"a", "b", "c"}, Filter: []string{"a", "b", "d"}}, []institution.Question{list})
	f.take(1)
	r := institution.Reading{}
	for _, id := range []string{"a", "b", "c", "d"} {
		r.Facts.Accounts = append(r.Facts.Accounts, fact.Account{Key: id, ID: id})
	}
	r.Facts.Accounts[1].Status = fact.StatusClosed
	for _, id := range []string{"a", "b", "c", "d", "unknown"} {
		for _, needs := range []institution.Needs{institution.NeedsBalances, institution.NeedsTransactions} {
			r.Questions = append(r.Questions, institution.Question{Kind: "x", Account: id, Needs: needs})
		}
	}
	f.addAnswer(list, 1, r)
	got, _ := f.take(100)
	want := institution.Question{Kind: "x", Account: "a", Needs: institution.NeedsBalances}
	if len(got) != 1 || got[0] != want || len(f.found().Accounts) != 1 {
		t.Errorf("asks %+v, keeps %d accounts", got, len(f.found().Accounts))
	}
}

// A sequence that leads back to one of its questions is not read to its end. Other questions
// may be reached in several ways.
func TestFrontier_CountsSequencesThatLeadBack(t *testing.T) {
	page := func(n string) institution.Question {
		return institution.Question{Kind: "page", Detail: n, Onward: true}
	}
	other := institution.Question{Kind: "other"}
	f := newFrontier(consent.Scope{}, listing.Search{}, []institution.Question{{Kind: "page"}, other})
	for _, step := range []struct {
		asked institution.Question
		leads institution.Question
		back  int
	}{
		{institution.Question{Kind: "page"}, page("1"), 0}, {page("1"), page("2"), 0}, {page("2"), page("1"), 1}, {other, other, 0},
	} {
		got := f.addAnswer(step.asked, 1, institution.Reading{Questions: []institution.Question{step.leads}})
		if got[deviation.UnusableLink] != step.back || len(got) != step.back {
			t.Errorf("after %v: %v", step.asked, got)
		}
	}
}
