// Package forwarded finds the address of a client whose request came through reverse
// proxies. They write it in the header X-Forwarded-For: each appends the address that its
// connection came from.
package forwarded

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
)

// header is the only one that is read. A proxy passes on those that it does not know as the
// client wrote them, so that a second one would let clients choose their address.
const header = "X-Forwarded-For"

// Proxies are the networks of proxies whose header is believed.
type Proxies []netip.Prefix

// Local are proxies on this machine.
func Local() Proxies {
	return Proxies{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
}

// Parse returns the proxies of addresses and networks, such as 10.0.0.7 or 10.0.0.0/24.
func Parse(networks []string) (Proxies, error) {
	var all Proxies
	for _, text := range networks {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			address, addressErr := netip.ParseAddr(text)
			if addressErr != nil || address.Zone() != "" {
				return nil, fmt.Errorf("%q is no address and no network such as 10.0.0.0/24", text)
			}
			network = netip.PrefixFrom(address, address.BitLen())
		}
		if network.Addr().Is4In6() {
			return nil, fmt.Errorf("%q must be written as IPv4", text)
		}
		all = append(all, network.Masked())
	}
	return all, nil
}

func (p Proxies) have(a netip.Addr) bool {
	for _, network := range p {
		if network.Contains(a) {
			return true
		}
	}
	return false
}

// Client returns the address of the client of a request: that of the connection, or if that
// is a proxy's, the last of the header that is no proxy's. What stands before that one was
// written by the client. An address that cannot be read ends the search.
func (p Proxies) Client(connection netip.Addr, h http.Header) netip.Addr {
	client := connection.Unmap().WithZone("")
	listed := strings.Split(strings.Join(h.Values(header), ","), ",")
	for len(listed) > 0 && p.have(client) {
		next, ok := address(listed[len(listed)-1])
		if !ok {
			break
		}
		client, listed = next, listed[:len(listed)-1]
	}
	return client
}

// address parses an element of the header. Some proxies write the port too.
func address(text string) (netip.Addr, bool) {
	text = strings.TrimSpace(text)
	if a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]")); err == nil {
		return a.Unmap().WithZone(""), true
	}
	if a, err := netip.ParseAddrPort(text); err == nil {
		return a.Addr().Unmap().WithZone(""), true
	}
	return netip.Addr{}, false
}

// Handler returns next with the address of the client as RemoteAddr of its requests. The
// port is that of the connection.
func (p Proxies) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.Header[header]) > 0 {
			if c, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
				if client := p.Client(c.Addr(), r.Header); client != c.Addr() {
					changed := *r
					changed.RemoteAddr = netip.AddrPortFrom(client, c.Port()).String()
					r = &changed
				}
			}
		}
		next.ServeHTTP(w, r)
	})
}
