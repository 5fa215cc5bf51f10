package devserver

import (
	"slices"

	"samla/internal/institution/obie"
	"samla/internal/institution/registry"
	"samla/internal/sandbox"
	"samla/internal/sandbox/obie/resource"
)

// obieBank is an entry of a banks file for a bank that speaks OBIE.
type obieBank struct {
	registry.Entry
	obie.Config
}

var obieVersions = map[resource.Version]string{resource.V31: "3.1.11", resource.V40: "4.0"}

// obiesOf returns the entries of the sandbox's banks that speak OBIE.
func obiesOf(s *sandbox.Sandbox) (entries []obieBank) {
	files := s.TPPFiles()
	for _, info := range s.OBIE() {
		entries = append(entries, obieBank{
			registry.Entry{Company: info.Company, DisplayName: info.DisplayName, Family: "obie", LoginMethods: slices.Concat(otherDevice, sameDevice)},
			obie.Config{BaseURL: info.Resources, Version: obieVersions[info.Behaviour.Version], Issuer: info.Issuer, ClientID: info.ClientID,
				ClientAuth: string(info.Behaviour.ClientAuth), KeyFile: files.QSEALKey, KeyID: info.KeyID, FinancialID: info.Behaviour.FinancialID,
				Certificates: obie.Certificates{Cert: files.QWAC, Key: files.QWACKey, CAFile: s.CAFile()},
				Profile:      obie.Profile{DailyLimit: info.Behaviour.DailyLimit}},
		})
	}
	return entries
}
