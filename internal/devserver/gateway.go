package devserver

import (
	"context"
	"path/filepath"
	"slices"

	"samla/internal/institution"
	"samla/internal/institution/enablebanking"
	"samla/internal/institution/registry"
	"samla/internal/sandbox"
	enablebankingsim "samla/internal/sandbox/enablebanking"
)

// GatewayCompany is the company id of the entry of the sandbox's gateway. It is part of the
// address to which the gateway sends persons back.
const GatewayCompany = "eu-enable-banking"

// gatewayBanks are the banks behind the sandbox's gateway that are offered: one of the
// twenty, so that the list of companies stays readable, and one that the gateway has later.
var gatewayBanks = []string{"Länsförsäkringar", enablebankingsim.Newcomer}

// gatewayEntry is an entry of a banks file for the sandbox's gateway.
type gatewayEntry struct {
	registry.Entry
	enablebanking.Config
}

func gatewayOf(s *sandbox.Sandbox) gatewayEntry {
	info := s.GatewayInfo()
	return gatewayEntry{
		registry.Entry{Company: GatewayCompany, DisplayName: "Enable Banking", Family: "enablebanking", LoginMethods: slices.Concat(otherDevice, sameDevice)},
		enablebanking.Config{BaseURL: info.BaseURL, ApplicationID: info.ApplicationID, KeyFile: info.KeyFile, CAFile: s.CAFile(),
			Countries: []string{"SE"}, Banks: gatewayBanks},
	}
}

// fetchList gets the list of banks of the sandbox's gateway and keeps it beside the banks
// file. The banks keep the ids of an earlier list.
func fetchList(ctx context.Context, path string, e gatewayEntry, d institution.Deps) error {
	d.Company, d.Dir = e.Company, filepath.Dir(path)
	g, err := enablebanking.New(e.Config, d)
	if err != nil {
		return err
	}
	defer g.Close()
	_ = g.Load() // the first time there is none
	return g.Renew(ctx)
}
