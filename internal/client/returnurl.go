package client

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
)

// CheckReturnURL reports an address that persons must not be sent to at the end of an
// authorization. Good are https addresses, http addresses of the machine itself, and
// addresses of an app's own scheme, which has a dot in its name (RFC 8252 7.1).
func CheckReturnURL(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || len(address) > 2000 || strings.ContainsFunc(address, func(r rune) bool { return r <= ' ' || r > '~' }):
		return errors.New("is no URL of at most 2000 printable ASCII characters")
	case u.Fragment != "" || strings.HasSuffix(address, "#"):
		return errors.New("must have no fragment")
	case u.User != nil:
		return errors.New("must have no user name")
	case u.Scheme == "https" && u.Host != "":
		return nil
	case u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	case strings.Contains(u.Scheme, "."):
		return nil
	}
	return errors.New("must begin with https://, with http:// and an address of this machine, or with an app's own scheme that has a dot, such as com.example.app:/")
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}
