package httpclient

import (
	"cmp"
	"net/url"
	"strings"
)

// Link is a link that the partner gave, taken apart. It is only text: Below makes an
// address of its parts, and that is always at the base URL, whatever host the link
// names.
type Link struct {
	// Host says whose address the link is.
	Host LinkHost
	// Path is escaped. With Below it begins with a slash and lies below the base URL's
	// path, which it does not repeat. Otherwise it is as in the link.
	Path  string
	Below bool
	Query string // escaped, without the question mark
}

// LinkHost is the host of a link.
type LinkHost int

// The hosts of links.
const (
	NoHost    LinkHost = iota // the link has a path or a query only
	OwnHost                   // the partner's; http in place of https does not matter
	OtherHost                 // nothing may be sent there
)

// linkSpelling undoes what gets into links by mistake: line breaks, and the escape
// of HTML.
var linkSpelling = strings.NewReplacer("\t", "", "\r", "", "\n", "", "&amp;", "&")

// ParseLink parses a link of the partner. It escapes what a link must not hold as it
// is, such as spaces, and leaves everything else as it stands: a partner may compare
// the query with what it wrote. A "#" after a query belongs to the query. Errors: an
// *Error of kind OutsideBaseURL for a link of another scheme, with a user, or with dot
// segments.
func (c *Client) ParseLink(href string) (Link, error) {
	href = linkSpelling.Replace(strings.TrimSpace(href))
	path, query, _ := strings.Cut(href, "?")
	path, _, _ = strings.Cut(path, "#")
	l := Link{Query: escapeInvalid(query, "/?")}
	if scheme, after, found := strings.Cut(path, "//"); found && (scheme == "" || strings.HasSuffix(scheme, ":")) {
		authority := after
		path = ""
		if slash := strings.IndexByte(after, '/'); slash >= 0 {
			authority, path = after[:slash], after[slash:]
		}
		host, err := c.base.owner(scheme, authority)
		if err != nil {
			return Link{}, err
		}
		l.Host = host
	} else if first, _, _ := strings.Cut(path, "/"); strings.Contains(first, ":") {
		return Link{}, outsideBaseURL() // another scheme
	}
	l.Path = escapeInvalid(path, "/")
	if decoded, err := url.PathUnescape(l.Path); err != nil || hasDotSegment(decoded) {
		return Link{}, outsideBaseURL()
	}
	if strings.HasPrefix(l.Path, "/") && c.base.contains(l.Path) {
		l.Path, l.Below = strings.TrimPrefix(l.Path, c.base.path), true
	}
	return l, nil
}

// owner returns whose host an authority is. The scheme has its colon; without one, it
// is the base URL's.
func (b base) owner(scheme, authority string) (LinkHost, error) {
	u, err := url.Parse(cmp.Or(strings.ToLower(scheme), b.url.Scheme+":") + "//" + authority)
	switch {
	case err != nil || u.User != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		return NoHost, outsideBaseURL()
	case !strings.EqualFold(u.Hostname(), b.url.Hostname()):
		return OtherHost, nil
	case port(u) == port(b.url), u.Scheme == "http" && u.Port() == "":
		return OwnHost, nil
	}
	return OtherHost, nil
}

// Below returns the address base URL + path?query. Path and query are escaped; path
// begins with a slash. Errors: an *Error of kind OutsideBaseURL for another path.
func (c *Client) Below(path, query string) (Target, error) {
	if !strings.HasPrefix(path, "/") {
		return Target{}, outsideBaseURL()
	}
	u := *c.base.url
	u.RawQuery = escapeInvalid(query, "/?")
	return c.target(u, c.base.path+escapeInvalid(path, "/"))
}

// Resolve returns the address of a link that the partner gave, which must be of the
// partner's host and lie below the base URL. A path without a host may leave out the
// base URL's path. Errors: an *Error of kind OutsideBaseURL.
func (c *Client) Resolve(href string) (Target, error) {
	l, err := c.ParseLink(href)
	switch {
	case err != nil:
		return Target{}, err
	case l.Host == OtherHost, l.Host == OwnHost && !l.Below, l.Path == "" && l.Query == "":
		return Target{}, outsideBaseURL()
	case l.Below && l.Path != "":
		return c.Below(l.Path, l.Query)
	}
	return c.Below("/"+strings.TrimPrefix(l.Path, "/"), l.Query)
}

// escapeInvalid escapes the bytes that cannot be in a path segment or a query as they
// are, except for those in also. It leaves what is escaped already.
func escapeInvalid(s, also string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	done := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
		case c != '%' && (isPathByte(c) || strings.IndexByte(also, c) >= 0):
		default:
			b.WriteString(s[done:i])
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
			done = i + 1
		}
	}
	if done == 0 {
		return s
	}
	b.WriteString(s[done:])
	return b.String()
}

// isPathByte reports whether c is a pchar of RFC 3986 3.3 that is not an escape.
func isPathByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~!$&'()*+,;=:@", c) >= 0
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}
