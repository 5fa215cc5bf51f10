package source

import (
	"encoding/json"
	"maps"
	"net/textproto"
	"regexp"
	"slices"
	"strings"

	"samla/internal/dialogue"
)

// Hosts are the hosts that the devices of persons may call: host, or host:port if the port
// is not 443.
type Hosts map[string]bool

// NewHosts returns the hosts of a configuration.
func NewHosts(names []string) Hosts {
	hosts := Hosts{}
	for _, name := range names {
		hosts[strings.TrimSuffix(strings.ToLower(name), ":443")] = true
	}
	return hosts
}

// The limits of a device request.
const (
	maxHeaders    = 50
	maxHeader     = 8 << 10 // bytes of a name and a value
	maxDeviceBody = 64 << 10
	maxCookies    = 50
)

var (
	methods  = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}
	headerRE = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
)

// refusedHeaders would carry credentials, cookies past the check of their hosts, or change
// where the request goes (RFC 9110 sections 7 and 11).
var (
	refusedHeaders = []string{"Authorization", "Cookie", "Cookie2", "Host", "Connection", "Content-Length",
		"Transfer-Encoding", "Te", "Trailer", "Upgrade", "Keep-Alive", "Forwarded"}
	refusedPrefixes = []string{"Proxy-", "X-Forwarded-"}
)

type wireDevice struct {
	Question string          `json:"question"`
	Request  json.RawMessage `json:"request"`
	Older    bool            `json:"older"`
}

func (r *reader) device(raw json.RawMessage, hosts Hosts) *dialogue.Device {
	var in wireDevice
	if !r.decode("/turn", raw, &in) {
		return nil
	}
	r.id("/turn/question", in.Question, maxID, true)
	device := &dialogue.Device{Question: in.Question, Older: in.Older}
	request := &device.Request
	if len(in.Request) == 0 {
		r.add("/turn/request", "is missing")
		return device
	}
	if !r.decode("/turn/request", in.Request, request) {
		return device
	}
	u, problem := secureURL(request.URL)
	if problem == "" && !hosts[strings.TrimSuffix(strings.ToLower(u.Host), ":443")] {
		problem = "leads to a host that deviceHosts does not list"
	}
	if problem != "" {
		r.add("/turn/request/url", problem)
		return device
	}
	if !slices.Contains(methods, request.Method) {
		r.add("/turn/request/method", "must be GET, HEAD, POST, PUT, PATCH or DELETE")
	}
	r.id("/turn/request/etag", request.Etag, maxID, false)
	if len(request.Body) > maxDeviceBody {
		r.add("/turn/request/body", "is too long")
	}
	r.headers(request.Headers)
	r.cookies(request.Cookies, strings.ToLower(u.Hostname()))
	return device
}

// headers checks the headers. A fault names one only if it is in refusedHeaders: other names
// could say anything.
func (r *reader) headers(headers map[string]string) {
	const at = "/turn/request/headers"
	if len(headers) > maxHeaders {
		r.add(at, "are more than 50")
		return
	}
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		canonical := textproto.CanonicalMIMEHeaderKey(name)
		switch value := headers[name]; {
		case len(name)+len(value) > maxHeader:
			r.add(at, "has one that is too long")
		case !headerRE.MatchString(name):
			r.add(at, "has a name that no header can have")
		case slices.Contains(refusedHeaders, canonical):
			r.add(at+"/"+canonical, "is a header that a device is not given")
		case hasPrefix(canonical, refusedPrefixes):
			r.add(at, "has one of Proxy-… or X-Forwarded-…, which a device is not given")
		case strings.ContainsFunc(value, isControl):
			r.add(at, "has a value with a control character")
		}
	}
}

func hasPrefix(name string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}

// cookies checks that each cookie is for the host of the request, or for a domain above it.
func (r *reader) cookies(cookies []dialogue.Cookie, host string) {
	if len(cookies) > maxCookies {
		r.add("/turn/request/cookies", "are more than 50")
		return
	}
	for i, c := range cookies {
		domain := strings.ToLower(strings.TrimPrefix(c.Domain, "."))
		switch {
		case domain != "" && domain != host && (!strings.Contains(domain, ".") || !strings.HasSuffix(host, "."+domain)):
			r.add(at("request/cookies", i, "/domain"), "is not the host of the request")
		case !headerRE.MatchString(c.Name) || len(c.Name)+len(c.Value)+len(c.Path) > maxHeader:
			r.add(at("request/cookies", i, ""), "has no usable name, or is too long")
		case strings.ContainsFunc(c.Value+c.Path, isControl) || strings.ContainsAny(c.Value+c.Path, ";"):
			r.add(at("request/cookies", i, ""), "has a character that a cookie must not have")
		}
	}
}

func isControl(c rune) bool { return c < ' ' || c == 0x7f }
