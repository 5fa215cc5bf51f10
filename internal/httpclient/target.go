package httpclient

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
)

// Target is an address that one Client may send requests to. Only its NewTarget,
// Below and Resolve make one, and only its Do accepts it, so that no request goes to
// another host.
type Target struct {
	client *Client
	url    *url.URL
}

// requestURI returns the path and query as they are sent.
func (t Target) requestURI() string { return t.url.RequestURI() }

// String hides the address, which holds ids.
func (t Target) String() string { return "[address]" }

// EscapePath returns "/segment/segment", escaped. A segment that is empty or a dot
// segment would name another resource: the error is an *Error of kind OutsideBaseURL.
func EscapePath(segments ...string) (string, error) {
	var path strings.Builder
	for _, s := range segments {
		if s == "" || s == "." || s == ".." {
			return "", outsideBaseURL()
		}
		path.WriteByte('/')
		path.WriteString(url.PathEscape(s))
	}
	return path.String(), nil
}

// NewTarget returns the address base URL/segment/segment?query. Errors: as of
// EscapePath.
func (c *Client) NewTarget(query url.Values, segments ...string) (Target, error) {
	path, err := EscapePath(segments...)
	if err != nil {
		return Target{}, err
	}
	u := *c.base.url
	u.RawQuery = query.Encode()
	return c.target(u, c.base.path+path)
}

// target returns u with the given path.
func (c *Client) target(u url.URL, escaped string) (Target, error) {
	path, err := url.PathUnescape(escaped)
	if err != nil || hasDotSegment(path) {
		return Target{}, outsideBaseURL()
	}
	u.Path, u.RawPath = path, escaped
	u.RawQuery = c.withOwnQuery(u.RawQuery)
	return Target{c, &u}, nil
}

// withOwnQuery adds the parameters of Config.Query to an escaped query that lacks them.
func (c *Client) withOwnQuery(query string) string {
	if len(c.query) == 0 {
		return query
	}
	has, missing := map[string]bool{}, url.Values{}
	for part := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(part, "=")
		if name, err := url.QueryUnescape(name); err == nil {
			has[name] = true
		}
	}
	for name, values := range c.query {
		if !has[name] {
			missing[name] = values
		}
	}
	return strings.Trim(query+"&"+missing.Encode(), "&")
}

// hasDotSegment reports whether a path may lead out of the base URL. The path is
// decoded, because a partner's gateway may decode %2e%2e and %2f before it
// routes the request.
func hasDotSegment(path string) bool {
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

// base is a base URL.
type base struct {
	url  *url.URL
	path string // escaped, without a slash at the end
}

var errBaseURL = errors.New("httpclient: base URL")

// ValidateBaseURL returns an error when s cannot be the BaseURL of a Config.
func ValidateBaseURL(s string) error {
	_, err := parseBase(s)
	return err
}

func parseBase(s string) (base, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "":
		return base{}, fmt.Errorf("%w: not an absolute URL", errBaseURL)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return base{}, fmt.Errorf("%w: user, query and fragment are not allowed", errBaseURL)
	case u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())):
		return base{}, fmt.Errorf("%w: must be https", errBaseURL)
	case hasDotSegment(u.Path):
		return base{}, fmt.Errorf("%w: the path has dot segments", errBaseURL)
	}
	return base{url: u, path: strings.TrimRight(u.EscapedPath(), "/")}, nil
}

// contains reports whether an escaped path is the base URL's or lies below it.
func (b base) contains(path string) bool {
	return path == b.path || strings.HasPrefix(path, b.path+"/")
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
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
