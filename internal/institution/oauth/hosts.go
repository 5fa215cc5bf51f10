package oauth

import (
	"net/url"

	"samla/internal/httpclient"
)

// NewHosts returns a client for the host of each of the addresses; empty ones, and those
// of a host that is there already, add none. settings are those of every client, but for
// the base URL and the signer: messages of OAuth are not signed where a bank signs others
// (docs/reference/families.md 2.3). Errors: an address that is no https address.
func NewHosts(settings httpclient.Config, addresses ...string) (Hosts, error) {
	settings.Signer = nil
	seen := map[string]bool{"": true}
	var hosts Hosts
	for _, address := range addresses {
		u, err := url.Parse(address)
		if err != nil || seen[u.Host] {
			continue
		}
		seen[u.Host] = true
		settings.BaseURL = u.Scheme + "://" + u.Host
		client, err := httpclient.New(settings)
		if err != nil {
			return nil, err
		}
		hosts = append(hosts, client)
	}
	return hosts, nil
}

// Close closes the connections that are not in use.
func (h Hosts) Close() {
	for _, host := range h {
		host.Close()
	}
}
