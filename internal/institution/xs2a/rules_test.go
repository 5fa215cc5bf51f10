package xs2a_test

import (
	"slices"
	"strings"
	"testing"

	"samla/internal/fact"
	"samla/internal/institution/xs2a"
)

func TestProfile_RefusesRulesThatCannotBeUsed(t *testing.T) {
	long := strings.Repeat("a", 1001)
	for pointer, change := range map[string]func(*xs2a.Config){
		"/profile/paths/accounts":     func(c *xs2a.Config) { c.Profile.Paths.Accounts = "/v1/accounts" },
		"/profile/paths/consents":     func(c *xs2a.Config) { c.Profile.Paths.Consents = "v1/../consents" },
		"/profile/paths/transactions": func(c *xs2a.Config) { c.Profile.Paths.Transactions = "transactions?all" },
		"/profile/rows/id":            func(c *xs2a.Config) { c.Profile.Rows.ID = "id" },
		"/profile/rows/booked":        func(c *xs2a.Config) { c.Profile.Rows.Booked = "minus" },
		"/profile/rows/cards":         func(c *xs2a.Config) { c.Profile.Rows.Cards = "minus" },
		"/profile/rows/texts/1":       func(c *xs2a.Config) { c.Profile.Rows.Texts = []string{"(?P<date>x)", "("} },
		"/profile/rows/texts/0":       func(c *xs2a.Config) { c.Profile.Rows.Texts = []string{"(?P<name>x)"} },
		"/profile/types/0/is":         func(c *xs2a.Config) { c.Profile.Types = []xs2a.TypeRule{{Code: "CACC", Is: "loan"}} },
		"/profile/types/0":            func(c *xs2a.Config) { c.Profile.Types = []xs2a.TypeRule{{Is: "none"}} },
		"/profile/types/0/name":       func(c *xs2a.Config) { c.Profile.Types = []xs2a.TypeRule{{Name: long, Is: "none"}} },
		"/profile/windowDays":         func(c *xs2a.Config) { c.Profile.WindowDays = -1 },
		"/ownAddress":                 func(c *xs2a.Config) { c.OwnAddress = "fe80::1%eth0" },
		"/personHeaders/X-A":          func(c *xs2a.Config) { c.PersonHeaders = map[string]string{"X-A": "same"} },
		"/personHeaders/X-B":          func(c *xs2a.Config) { c.PersonHeaders = map[string]string{"X-B": "{personalNumber} {shoe}"} },
		"/personHeaders/X C":          func(c *xs2a.Config) { c.PersonHeaders = map[string]string{"X C": "{locale}"} },
	} {
		config := demoConfig("https://bank.example/psd2")
		change(&config)
		faults := config.Check()
		if len(faults) != 1 || faults[0].Pointer != pointer {
			t.Errorf("%s: %v", pointer, faults)
		}
	}
}

func TestConfig_ReportsEachTextThatCannotBeUsed(t *testing.T) {
	config := demoConfig("https://bank.example/psd2")
	config.Profile.Rows.Texts = []string{"(?P<name>x)", "(?P<date>x)", "("}
	faults := config.Check()
	if len(faults) != 2 || faults[0].Pointer != "/profile/rows/texts/0" || faults[1].Pointer != "/profile/rows/texts/2" {
		t.Errorf("%v", faults)
	}
}

// Windows cover each day of the period once.
func TestRead_SplitsTransactionsIntoWindows(t *testing.T) {
	for days, want := range map[int][]string{
		0:   {"2026-08-25.."},
		100: {"2026-08-25.."},
		40:  {"2026-10-14..", "2026-09-04..2026-10-13", "2026-08-25..2026-09-03"},
	} {
		s := newScriptedBank(t, func(c *xs2a.Config) { c.Profile.WindowDays = days }, responds(200, `{}`))
		a := answerTo("accounts", []byte(`{"accounts":[{"resourceId":"1","currency":"SEK","balances":[{"balanceAmount":{"amount":"1","currency":"SEK"}}]}]}`))
		a.FetchedAt = noon
		read, err := s.Read(a)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, q := range read.Questions {
			if q.Kind == "transactions" {
				got = append(got, q.From+".."+q.Until)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d days from %s at %v: %v", days, since, noon, got)
		}
	}
}

func TestRules_KeepTheDirectionThatARowSays(t *testing.T) {
	s := newScriptedBank(t, func(c *xs2a.Config) { c.Profile.Rows.Booked, c.Profile.Rows.Cards = "debitPositive", "debit" }, responds(200, `{}`))
	body := []byte(`{"transactions":{"booked":[
{"transactionAmount":{"amount":"1","currency":"SEK"},"creditDebitIndicator":"CRDT"},
{"transactionAmount":{"amount":"2","currency":"SEK"}}]}}`)
	a := answerTo("transactions", body)
	read, err := s.Read(a)
	if err != nil {
		t.Fatal(err)
	}
	if r := rows(read); len(r) != 2 || r[0].Amount.Sign() != 1 || r[0].Direction != fact.Credit || r[1].Amount.Sign() != -1 {
		t.Errorf("account: %+v", r)
	}
	a.Question.Account = "card/1"
	if read, err = s.Read(a); err != nil {
		t.Fatal(err)
	}
	if r := rows(read); len(r) != 2 || r[0].Direction != fact.Credit || r[1].Direction != fact.Debit {
		t.Errorf("card: %+v", r)
	}
}
