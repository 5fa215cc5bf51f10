package httpclient

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
)

// Target is an address that a Client may call: only its At and Resolve make
// one, so that no code path leads to another host.
type Target struct{ url *url.URL }

// requestURI is the path and query as they go over the wire.
func (t Target) requestURI() string { return t.url.RequestURI() }

// String hides the address: it holds ids.
func (t Target) String() string { return "[address]" }

type base struct {
	url  *url.URL
	path string // escaped, without a slash at its end
}

var errBase = errors.New("httpclient: base URL")

func parseBase(s string) (base, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "":
		return base{}, fmt.Errorf("%w: not an absolute URL", errBase)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return base{}, fmt.Errorf("%w: user, query and fragment are not allowed", errBase)
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
		return base{}, fmt.Errorf("%w: must be https", errBase)
	case climbs(u.Path):
		return base{}, fmt.Errorf("%w: path has dot segments", errBase)
	}
	return base{url: u, path: strings.TrimRight(u.EscapedPath(), "/")}, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// CheckBaseURL tells whether s can be a Config's BaseURL.
func CheckBaseURL(s string) error {
	_, err := parseBase(s)
	return err
}

// At makes the address base/segment/segment?query. A segment that is empty or a
// dot segment is an error: it would name another resource.
func (c *Client) At(query url.Values, segments ...string) (Target, error) {
	var path strings.Builder
	path.WriteString(c.base.path)
	for _, s := range segments {
		if s == "" || s == "." || s == ".." {
			return Target{}, &Error{Kind: Foreign, notSent: true}
		}
		path.WriteByte('/')
		path.WriteString(url.PathEscape(s))
	}
	u := *c.base.url
	u.RawQuery = query.Encode()
	return withPath(u, path.String())
}

// Resolve makes an address of a link that the partner gave. A link may be
// absolute, relative to the host or, as some write it, a path under the base
// URL that begins with a slash. Scheme, host and port must be the base URL's
// and the path must lie under its path; otherwise the error is an *Error of
// kind Foreign.
func (c *Client) Resolve(href string) (Target, error) {
	foreign := &Error{Kind: Foreign, notSent: true}
	ref, err := url.Parse(strings.TrimSpace(href))
	if err != nil || ref.Opaque != "" || ref.User != nil || (ref.Path == "" && ref.RawQuery == "") {
		return Target{}, foreign
	}
	if climbs(ref.Path) {
		return Target{}, foreign
	}
	root := *c.base.url
	root.Path, root.RawPath = root.Path+"/", "" // a link without a slash in front is below the base
	u := root.ResolveReference(ref)
	u.Fragment, u.RawFragment = "", ""
	if !strings.EqualFold(u.Scheme, root.Scheme) || !strings.EqualFold(u.Hostname(), root.Hostname()) || port(u) != port(&root) {
		return Target{}, foreign
	}
	u.Scheme, u.Host = root.Scheme, root.Host
	path := u.EscapedPath()
	if !c.base.holds(path) {
		if ref.Host != "" || !strings.HasPrefix(ref.Path, "/") {
			return Target{}, foreign
		}
		path = c.base.path + path
	}
	return withPath(*u, path)
}

// ResolveWith is Resolve, and gives a link that carries no query these
// parameters. One that carries a query is opaque and stays as it is.
func (c *Client) ResolveWith(href string, query url.Values) (Target, error) {
	t, err := c.Resolve(href)
	if err == nil && t.url.RawQuery == "" {
		t.url.RawQuery = query.Encode()
	}
	return t, err
}

func (b base) holds(path string) bool {
	return path == b.path || strings.HasPrefix(path, b.path+"/")
}

func withPath(u url.URL, escaped string) (Target, error) {
	path, err := url.PathUnescape(escaped)
	if err != nil || climbs(path) {
		return Target{}, &Error{Kind: Foreign, notSent: true}
	}
	u.Path, u.RawPath = path, escaped
	return Target{&u}, nil
}

// climbs looks at the decoded path: %2e%2e and %2f must not lead out either, for
// a partner's gateway may decode before it routes.
func climbs(path string) bool {
	if strings.ContainsAny(path, "\\\x00") {
		return true
	}
	for segment := range strings.SplitSeq(path, "/") {
		if segment == ".." || segment == "." {
			return true
		}
	}
	return false
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	if u.Scheme == "http" {
		return "80"
	}
	return "443"
}
