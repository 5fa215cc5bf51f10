package conformance_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/institution/conformance"
	"samla/internal/institution/nordea"
	"samla/internal/nordeaspec"
)

// docs/reference/families.md 3.1: persons and companies of all four countries, below the
// paths of their own, in their currency. The published files judge each exchange.
func TestNordea_ReadsPersonsAndCompaniesOfEachCountry(t *testing.T) {
	for country, of := range map[string]struct{ currency, company string }{
		"SE": {"SEK", "5566778899"}, "NO": {"NOK", "987654321"}, "DK": {"DKK", "12345678"}, "FI": {"EUR", "87654321"},
	} {
		for _, base := range []string{"personal", "business"} {
			t.Run(country+" "+base, func(t *testing.T) {
				w := newWorld(t, nordeaBank, nordeaspec.New(t, "https://sandbox/"+nordeaBank, nordeaspec.Files))
				b := w.nordea(t, func(c *nordea.Config) {
					c.Country, c.Flow, c.Base = country, "redirect", base
					if base == "business" {
						c.CompanyID = of.company
					} else {
						c.CardScopes = []string{"CARDS_INFORMATION", "CARDS_TRANSACTIONS"}
					}
				})
				access := w.signOnNordeasPage(t, b)
				currencies, rows, cards := map[string]bool{}, 0, false
				questions := b.Start(consent.Scope{Balances: true, Transactions: true}, "2026-10-01")
				for len(questions) > 0 {
					answer, err := b.Fetch(t.Context(), access, questions[0])
					if err != nil {
						t.Fatal(err)
					}
					read, err := b.Read(answer)
					if err != nil || len(read.Deviations) != 0 {
						t.Fatalf("%s: %v, %v", questions[0].Kind, read.Deviations, err)
					}
					for _, a := range read.Facts.Accounts {
						if a.Currency != "" { // a card has it in its balance only
							currencies[a.Currency] = true
						}
					}
					for _, h := range read.Facts.Histories {
						rows += len(h.Transactions)
					}
					questions = append(questions[1:], read.Questions...)
				}
				if len(currencies) != 1 || !currencies[of.currency] || rows == 0 {
					t.Errorf("accounts in %v, %d rows", currencies, rows)
				}
				paths, accounts := w.sandbox.NordeaBank(nordeaBank).Stats().Calls, map[string]string{"personal": "v5", "business": "v4"}[base]
				for _, want := range []string{"POST " + base + "/v5/authorize attended", "GET " + base + "/" + accounts + "/accounts attended"} {
					if paths[want] == 0 {
						t.Errorf("no call %s among %v", want, paths)
					}
				}
				for path := range paths {
					_, path, _ = strings.Cut(path, " ")
					cards = cards || strings.HasPrefix(path, "personal/v5/cards")
					if slices.Contains([]string{"personal", "business"}, strings.SplitN(path, "/", 2)[0]) && !strings.HasPrefix(path, base+"/") {
						t.Errorf("a call of the other base: %s", path)
					}
				}
				if cards != (base == "personal") {
					t.Errorf("cards were read: %t", cards)
				}
			})
		}
	}
}

// signOnNordeasPage lets the person sign on the page of the bank, and completes it.
func (w *world) signOnNordeasPage(t *testing.T, b *nordea.Bank) institution.Access {
	t.Helper()
	way := institution.Way{State: uuid.NewString(), Return: ourReturn}
	opened, err := b.OpenConsent(t.Context(), institution.OpenRequest{RequestID: uuid.NewString(), PSU: nordeaPerson, Recurring: true, Way: way,
		Scope: consent.Scope{Balances: true, Transactions: true}, ValidUntil: noon.AddDate(0, 0, 90)})
	if err != nil {
		t.Fatal(err)
	}
	a, err := b.StartAuthorization(t.Context(), institution.AuthorizeRequest{RequestID: uuid.NewString(), ConsentID: opened.ConsentID, PSU: nordeaPerson, Way: way})
	if err != nil {
		t.Fatal(err)
	}
	done, err := b.Complete(t.Context(), institution.Completion{RequestID: uuid.NewString(), ConsentID: opened.ConsentID, AuthorizationID: a.ID,
		PSU: nordeaPerson, Way: way, Brought: w.browse(t, conformance.Sign, a.Instructions.RedirectURL), By: w.by})
	if err != nil || done.Tokens == nil {
		t.Fatalf("%+v, %v", done, err)
	}
	return institution.Access{ConsentID: opened.ConsentID, Token: done.Tokens.Access, PSU: nordeaPerson}
}
