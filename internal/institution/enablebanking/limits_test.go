package enablebanking_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"samla/internal/deviation"
	"samla/internal/institution"
	simulated "samla/internal/sandbox/enablebanking"
)

func TestBank_ReadsWithoutThePersonWithinLimits(t *testing.T) {
	w := start(t, nil)
	b := w.bank("se-eb-nordea")
	a := w.sign(b, maja, full)
	a.PSU = a.PSU.Unattended()
	for range 4 {
		if c := w.crawl(b, a, full, 89); len(c.refused) != 0 || len(c.Accounts) != 3 {
			t.Fatalf("%d accounts, %v", len(c.Accounts), c.refused)
		}
	}
	c := w.crawl(b, a, full, 89)
	for _, e := range c.refused {
		if e.Kind != institution.AccessExceeded || e.Code != "ASPSP_RATE_LIMIT_EXCEEDED" {
			t.Errorf("refused with %v", e)
		}
	}
	if len(c.refused) != 3 {
		t.Errorf("%d refusals", len(c.refused))
	}
	a.PSU = w.person
	if c := w.crawl(b, a, full, 89); len(c.refused) != 0 {
		t.Errorf("with the person: %v", c.refused)
	}
}

// Danske Bank requires a place, which is not known: the calls are those without a person.
func TestBank_SendsNoHeadersIfOneIsNotKnown(t *testing.T) {
	w := start(t, nil)
	b := w.bank("se-eb-danske-bank")
	a := w.sign(b, maja, full)
	for n := range 5 {
		c := w.crawl(b, a, full, 30)
		if (len(c.refused) > 0) != (n == 4) {
			t.Errorf("read %d: %v", n, c.refused)
		}
	}
}

// A bank that gives 90 days only refuses a year; what it gives is read.
func TestBank_AsksForShorterHistory(t *testing.T) {
	w := start(t, nil)
	for _, id := range []string{"se-eb-swedbank", "se-eb-marginalen"} {
		b := w.bank(id)
		a := w.sign(b, maja, full)
		w.clock.Jump(2 * time.Hour)
		c := w.crawl(b, a, full, 365)
		rows := c.rows(c.account(t, "Privatkonto").Key)
		oldest := w.clock.Now()
		for _, r := range rows {
			if r.Booked && r.BookingDate.Before(oldest) {
				oldest = r.BookingDate
			}
		}
		if days := w.clock.Now().Sub(oldest).Hours() / 24; days < 80 || days > 92 || len(rows) < 60 || c.deviations.Incomplete() {
			t.Errorf("%s: %d rows over %.0f days, deviations %v, refusals %v", id, len(rows), days, c.deviations, c.refused)
		}
	}
}

func TestBank_ToldOfFaults(t *testing.T) {
	w := start(t, nil)
	b := w.bank("se-eb-seb")
	a := w.sign(b, maja, full)
	for kind, want := range map[simulated.FaultKind]institution.ErrorKind{
		simulated.BankError: institution.Unreachable, simulated.BankTimeout: institution.Unreachable, simulated.BankLimit: institution.Busy,
		simulated.BankAction: institution.PersonRefused, simulated.AccessDenied: institution.NotCovered, simulated.UnknownError: institution.Refused,
		simulated.Unavailable: institution.Unreachable, simulated.Page: institution.MalformedResponse, simulated.CutBody: institution.Unreachable,
	} {
		w.deviate(simulated.Fault{Kind: kind, Call: "balances"})
		c := w.crawl(b, a, full, 30)
		if len(c.refused) != 3 || c.refused[0].Kind != want || len(c.Histories) < 3 {
			t.Errorf("%s: %v, want %s", kind, c.refused, want)
		}
	}
	for kind, want := range map[simulated.FaultKind]func(c crawled) bool{
		simulated.OtherType:      func(c crawled) bool { return len(c.deviations) == 0 && len(c.Balances) == 12 },
		simulated.UnknownMembers: func(c crawled) bool { return len(c.deviations) == 0 && len(c.Balances) == 12 && len(c.Histories) >= 3 },
		simulated.ManyDecimals:   func(c crawled) bool { return len(c.deviations) == 0 && len(c.Balances) == 12 },
		simulated.NumberAmounts:  func(c crawled) bool { return len(c.deviations) == 0 && len(c.Balances) == 12 },
		simulated.NullMembers:    func(c crawled) bool { return len(c.deviations) == 0 && len(c.Balances) == 12 },
		simulated.UnknownValues: func(c crawled) bool {
			return len(c.Balances) == 12 && !c.deviations.Incomplete() && c.deviations[deviation.UnknownValue] > 0
		},
		simulated.MissingSign:    func(c crawled) bool { return c.deviations[deviation.UnclearSign] > 10 },
		simulated.MissingMembers: func(c crawled) bool { return len(c.Balances) == 12 },
	} {
		for _, call := range []string{"balances", "transactions", "details"} {
			w.deviate(simulated.Fault{Kind: kind, Call: call})
			c := w.crawl(b, a, full, 30)
			if len(c.Accounts) != 3 || len(c.refused) != 0 {
				t.Errorf("%s of %s: %d accounts, %v", kind, call, len(c.Accounts), c.refused)
			}
		}
		w.deviate(simulated.Fault{Kind: kind, Call: "balances"}, simulated.Fault{Kind: kind, Call: "transactions"})
		if c := w.crawl(b, a, full, 30); !want(c) {
			t.Errorf("%s: %d balances, %d histories, deviations %v", kind, len(c.Balances), len(c.Histories), c.deviations)
		}
	}
	// Details that cannot be had cost the names only.
	w.deviate(simulated.Fault{Kind: simulated.UnknownError, Call: "details"})
	if c := w.crawl(b, a, full, 30); len(c.Accounts) != 3 || c.Accounts[0].Key == "" || len(c.Balances) != 12 || len(c.Histories) < 3 {
		t.Errorf("without details: %d accounts, %d balances", len(c.Accounts), len(c.Balances))
	}
}

// What a bank answers to a period that is too long for it is the same as to anything else:
// the period is asked for otherwise, and then a shorter one. Once the bank answers, what was
// left out is asked for, so that nothing is lost if it was down for a moment.
func TestBank_TakesErrorOfLongPeriodForRefusalInDoubt(t *testing.T) {
	w := start(t, nil)
	b := w.bank("se-eb-seb")
	a := w.sign(b, maja, full)
	whole := w.crawl(b, a, full, 365)
	key := whole.account(t, "Privatkonto").Key
	w.deviate(simulated.Fault{Kind: simulated.BankError, Call: "transactions", Times: 6}) // each of three accounts, twice
	c := w.crawl(b, a, full, 365)
	if len(c.refused) != 6 || c.refused[0].Kind != institution.Refused || c.deviations.Incomplete() || len(c.rows(key)) != len(whole.rows(key)) {
		t.Errorf("refused %v, %d rows of %d, deviations %v", c.refused, len(c.rows(key)), len(whole.rows(key)), c.deviations)
	}
	var asked []string
	var older institution.Question
	for _, q := range c.questions {
		if q.Kind == "transactions" && q.Account == key && !q.Onward {
			_, rest, _ := strings.Cut(q.Detail, " ")
			asked, older = append(asked, rest+q.Until), q
		}
	}
	if want := []string{"longest", "doubt", "from=2026-08-21 doubt", "older2026-08-20"}; !slices.Equal(asked, want) {
		t.Errorf("asked %q, want %q", asked, want)
	}
	w.deviate(simulated.Fault{Kind: simulated.BankError, Call: "transactions"})
	answer, err := b.Fetch(t.Context(), a, older)
	if err != nil {
		t.Fatal("older rows that the bank does not give:", err)
	}
	if r, err := b.Read(answer); err != nil || len(r.Facts.Histories) != 1 || len(r.Facts.Histories[0].Transactions) != 0 || len(r.Questions) != 0 || r.Deviations.Incomplete() {
		t.Errorf("older rows that the bank does not give: %+v, %v", r, err)
	}
	if c := w.crawl(b, a, full, 30); len(c.refused) != 3 || c.refused[0].Kind != institution.Unreachable {
		t.Errorf("a short period: %v", c.refused)
	}
	w.deviate(simulated.Fault{Kind: simulated.Unavailable, Call: "transactions"})
	if _, err := b.Fetch(t.Context(), a, older); institution.KindOf(err) != institution.Unreachable {
		t.Errorf("older rows of a bank that is down: %v", err)
	}
}
