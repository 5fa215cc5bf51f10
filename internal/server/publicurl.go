package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"samla/internal/institution"
	"samla/internal/store/sqlstore"
)

// CheckPublicURL reports a public URL that browsers cannot use. An empty one is none.
func CheckPublicURL(text string) error {
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	switch {
	case err != nil, u.Scheme != "https" && u.Scheme != "http", u.Opaque != "":
		return errors.New("the public URL must be like https://samla.example.com: a scheme, a host, and a port if it is not the usual one")
	case u.User != nil:
		return errors.New("the public URL must have no user name and no password")
	case strings.ContainsAny(text, "?#"):
		return errors.New("the public URL must have no query and no fragment")
	case !isHost(u.Hostname()):
		return errors.New("the public URL must have the name or the address of a host after https://, such as samla.example.com")
	case strings.HasSuffix(u.Host, ":") || u.Port() != "" && !isPort(u.Port()):
		return errors.New("the port of the public URL must be a number from 1 to 65535")
	case u.Path == "/":
		return errors.New("the public URL must have no slash at the end")
	case u.Path != "":
		return errors.New("the public URL must have no path: the pages of this server are at /go and /callback")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return errors.New("the public URL must begin with https, except on this machine")
	}
	return nil
}

// hostRE is a name of DNS (RFC 1123): labels of letters, digits and hyphens, in ASCII.
var hostRE = regexp.MustCompile(`^([a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)*[a-zA-Z]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$`)

// isHost reports whether browsers can reach a host of this name. An unspecified address
// (0.0.0.0) is for servers that listen.
func isHost(host string) bool {
	if addr, err := netip.ParseAddr(host); err == nil {
		return !addr.IsUnspecified() && !addr.IsMulticast() && addr.Zone() == ""
	}
	return len(host) <= 253 && hostRE.MatchString(host)
}

func isPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return err == nil && n > 0
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// checkRedirects reports institutions whose persons are sent to a page of theirs and cannot
// be sent back, because no browser could reach this server.
func (c Config) checkRedirects(all institution.Set) error {
	host, _, err := net.SplitHostPort(c.Listen)
	if c.PublicURL != "" || err == nil && isLoopback(host) {
		return nil
	}
	for _, i := range all.All() {
		if i.Profile.Redirects || i.Profile.LoginFirst {
			return fmt.Errorf("persons sign at %s on a page of the bank, which sends them back: pass --public-url with the address of this server in their browsers", i.Company.ID)
		}
	}
	return nil
}

// refuseOlder lets no release start on the database any more that cannot send persons to
// pages of institutions, once this one does (docs/operate.md, Upgrade).
func (s *Server) refuseOlder(ctx context.Context) error {
	for _, i := range s.parts.Institutions.All() {
		if !i.Profile.Redirects && !i.Profile.LoginFirst && i.Refresher == nil {
			continue
		}
		raised, err := s.store.RaiseOldest(ctx, sqlstore.VisitsMigration)
		if raised { // on a new database there is no release before
			s.parts.Log.Warn("persons are sent to pages of institutions from now on: the release before cannot be started on this database any more; if a node of it runs, stop it now", "company", i.Company.ID)
		}
		return err
	}
	return nil
}

// PublicURL returns the base URL of this server as browsers reach it. It is empty before
// Start unless it is configured.
func (s *Server) PublicURL() string {
	switch {
	case s.config.PublicURL != "":
		return s.config.PublicURL
	case s.listener == nil:
		return ""
	}
	return "http://" + s.listener.Addr().String()
}

// ReturnAddress returns the address to which an institution, or a gateway, of this name
// sends persons back.
func (s *Server) ReturnAddress(name string) string { return s.consents.ReturnAddress(name) }
