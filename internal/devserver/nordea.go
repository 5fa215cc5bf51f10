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

// nordeasOf returns the entries of the sandbox's banks with Nordea's wire.
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
		entries = append(entries, e)
	}
	return entries
}
