package devserver

import (
	"net/url"

	"samla/internal/institution/registry"
	"samla/internal/institution/source"
	"samla/internal/sandbox"
	simulated "samla/internal/sandbox/source"
)

// sourceEntry is an entry of a banks file, of the family of sources.
type sourceEntry struct {
	registry.Entry
	source.Config
}

// sourcesOf returns the entries of the institutions of a sandbox that persons log in to.
func sourcesOf(s *sandbox.Sandbox) []sourceEntry {
	var list []sourceEntry
	for _, info := range s.Sources() {
		e := sourceEntry{
			registry.Entry{Company: info.ID, DisplayName: info.DisplayName, Family: "source", LoginMethods: info.LoginMethods},
			source.Config{BaseURL: info.BaseURL, Parameters: info.Parameters, DeviceHosts: hostOf(info.BaseURL),
				Certificates: source.Certificates{CAFile: s.CAFile()},
				// The persons of the demo company have invented numbers (docs/sandbox.md).
				AnyPersonalNumber: info.ID == simulated.DemoCompany},
		}
		if info.Credential == simulated.ClientCertificate {
			files := s.TPPFiles()
			e.Certificates.Cert, e.Certificates.Key = files.QWAC, files.QWACKey
		} else {
			e.SecretFile = s.SourceSecretFile()
		}
		list = append(list, e)
	}
	return list
}

// hostOf returns the host and the port of a URL, which is where the sandbox's devices call.
func hostOf(baseURL string) []string {
	u, err := url.Parse(baseURL)
	if err != nil || u.Host == "" {
		return nil
	}
	return []string{u.Host}
}
