package devserver

import (
	"slices"

	"samla/internal/institution/nordea"
	"samla/internal/institution/registry"
	"samla/internal/sandbox"
)

// nordeaBank is an entry of a banks file for a bank with Nordea's wire.
type nordeaBank struct {
	registry.Entry
	nordea.Config
}

// onPage is behind the company of a bank with Nordea's wire whose persons sign on its page.
const onPage = "-redirect"

// nordeasOf returns the entries of the sandbox's banks with Nordea's wire. Each has two: one
// whose persons sign in the app, and one whose persons sign on a page and share cards too,
// which Nordea allows there only (docs/reference/families.md 3.4, 3.5).
func nordeasOf(s *sandbox.Sandbox) (entries []nordeaBank) {
	for _, info := range s.Nordea() {
		e := nordeaBank{
			registry.Entry{Company: info.Company, DisplayName: info.DisplayName, Family: "nordea", LoginMethods: slices.Concat(otherDevice, sameDevice)},
			nordea.Config{BaseURL: info.BaseURL, ClientID: info.ClientID, SecretFile: info.SecretFile, KeyFile: info.KeyFile,
				Certificates: nordea.Certificates{CAFile: s.CAFile()}, Profile: nordea.Profile{DailyLimit: info.Behaviour.DailyLimit}},
		}
		if info.Behaviour.CardsDecoupled {
			e.CardScopes = []string{"CARDS_INFORMATION", "CARDS_TRANSACTIONS"}
		}
		paged := e
		paged.Company, paged.DisplayName, paged.Flow = e.Company+onPage, e.DisplayName+", on its page", "redirect"
		paged.CardScopes = []string{"CARDS_INFORMATION", "CARDS_TRANSACTIONS"}
		entries = append(entries, e, paged)
	}
	return entries
}
