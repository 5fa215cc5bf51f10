package client

import (
	"errors"
	"net/url"
	"strings"
)

// CheckOrigin reports an origin of pages that must not frame the connect page: anything but
// https and, on the machine itself, http, with a host and maybe a port (RFC 6454 6.2).
func CheckOrigin(origin string) error {
	u, err := url.Parse(origin)
	switch {
	case err != nil || len(origin) > 300 || strings.ContainsFunc(origin, func(r rune) bool { return r <= ' ' || r > '~' || r == ';' || r == ',' || r == '*' || r == '\'' }):
		return errors.New("is no origin of at most 300 printable ASCII characters")
	case u.Scheme+"://"+u.Host != origin || u.Hostname() == "" || origin != strings.ToLower(origin):
		return errors.New("must be a scheme, a host in lower case and maybe a port, such as https://app.example.com")
	case u.Scheme == "https" || u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	}
	return errors.New("must begin with https://, or with http:// and an address of this machine")
}
