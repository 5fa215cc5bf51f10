package webhook

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// Targets is which receivers the operator allows.
type Targets string

// The kinds of targets.
const (
	PublicTargets   Targets = "public"   // https to public addresses
	LoopbackTargets Targets = "loopback" // the same, and http or https to this machine
	AnyTargets      Targets = "any"      // http or https to every address
)

// ParseTargets reads a setting.
func ParseTargets(text string) (Targets, error) {
	switch t := Targets(text); t {
	case PublicTargets, LoopbackTargets, AnyTargets:
		return t, nil
	}
	return "", fmt.Errorf("webhook targets must be %s, %s or %s", PublicTargets, LoopbackTargets, AnyTargets)
}

// ErrAddress means that an address may not be called. It does not say which.
var ErrAddress = errors.New("webhook: the address may not be called")

const maxURL = 2048

// CheckURL returns an error that says what is wrong with the URL of an endpoint. It does
// not resolve names: CheckAddr does the rest, for each attempt. The error shows no part of the URL.
func (t Targets) CheckURL(text string) error {
	if len(text) > maxURL {
		return fmt.Errorf("must be at most %d bytes", maxURL)
	}
	u, err := url.Parse(text)
	if err != nil || !u.IsAbs() || u.Opaque != "" || !printable(text) {
		return errors.New("must be an absolute URL in ASCII")
	}
	host := u.Hostname()
	switch {
	case host == "":
		return errors.New("must have a host")
	case u.User != nil:
		return errors.New("must have no user or password")
	case u.Fragment != "" || strings.Contains(text, "#"):
		return errors.New("must have no fragment")
	case u.Scheme != "https" && (u.Scheme != "http" || t == PublicTargets):
		return errors.New("must be https")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return errors.New("must have a port from 1 to 65535")
		}
	} else if strings.HasSuffix(u.Host, ":") {
		return errors.New("must have a port from 1 to 65535")
	}
	return t.checkHost(u.Scheme, host)
}

// checkHost checks what can be said of a host without resolving it.
func (t Targets) checkHost(scheme, host string) error {
	addr, err := netip.ParseAddr(host)
	if err != nil {
		if !validName(host) {
			return errors.New("must have a valid host name or IP address")
		}
		name := strings.ToLower(strings.TrimSuffix(host, "."))
		local := name == "localhost" || strings.HasSuffix(name, ".localhost")
		switch {
		case local && t == PublicTargets:
			return errors.New("must lead to a public address")
		case !local && t == LoopbackTargets && scheme == "http":
			return errors.New("must be https (http only for this machine)")
		}
		return nil
	}
	if !t.Allows(addr) {
		return errors.New("must lead to a public address")
	}
	if t == LoopbackTargets && scheme == "http" && !addr.Unmap().IsLoopback() {
		return errors.New("must be https (http only for this machine)")
	}
	return nil
}

// printable reports whether a text is ASCII without white space and control characters.
func printable(text string) bool {
	for i := range len(text) {
		if text[i] <= ' ' || text[i] >= 0x7f || text[i] == '\\' {
			return false
		}
	}
	return true
}

// validName reports whether a host is a DNS name. A last label that is a number would be
// an IPv4 address in one of its older forms to some resolvers (127.1, 0x7f000001).
func validName(host string) bool {
	labels := strings.Split(strings.TrimSuffix(host, "."), ".")
	for _, l := range labels {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' {
			return false
		}
		for i := range len(l) {
			if c := l[i] | 0x20; (c < 'a' || c > 'z') && (l[i] < '0' || l[i] > '9') && l[i] != '-' && l[i] != '_' {
				return false
			}
		}
	}
	last := labels[len(labels)-1]
	return len(host) <= 253 && (last[0] < '0' || last[0] > '9')
}

// Allows reports whether an address may be called.
func (t Targets) Allows(addr netip.Addr) bool {
	addr = addr.Unmap() // an IPv4 address in IPv6 form is that address
	switch {
	case !addr.IsValid() || addr.Zone() != "":
		return false
	case t == AnyTargets:
		return !addr.IsUnspecified() && !addr.IsMulticast()
	case t == LoopbackTargets && addr.IsLoopback():
		return true
	case addr.Is4():
		return !inAny(addr, reserved4)
	case nat64.Contains(addr): // an IPv6-only network reaches IPv4 in this way
		b := addr.As16()
		return !inAny(netip.AddrFrom4([4]byte(b[12:])), reserved4)
	}
	return global6.Contains(addr) && !inAny(addr, reserved6)
}

func inAny(addr netip.Addr, all []netip.Prefix) bool {
	for _, p := range all {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

func prefixes(texts ...string) []netip.Prefix {
	all := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		all[i] = netip.MustParsePrefix(text)
	}
	return all
}

var (
	global6 = netip.MustParsePrefix("2000::/3")
	nat64   = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052
	// reserved4 are the entries of IANA's registry of special-purpose addresses that are
	// not globally reachable, multicast, the former class E, and a metadata service.
	reserved4 = prefixes("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
		"192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
		"198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
		"168.63.129.16/32") // Azure's metadata and host service, which has a public address
	// reserved6 are parts of 2000::/3: IETF assignments with Teredo and ORCHID,
	// documentation, and 6to4, whose addresses contain IPv4 addresses.
	reserved6 = prefixes("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
)
