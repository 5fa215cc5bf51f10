package enablebanking

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"samla/internal/httpclient"
	"samla/internal/institution"
	"samla/internal/institution/httperror"
	"samla/internal/jsontext"
	"samla/internal/psu"
)

// call is one request to the gateway.
type call struct {
	operation operation
	method    string
	path      []string
	query     url.Values
	body      any         // nil = none
	psu       http.Header // headers about the person
	attended  bool        // they are there
	long      bool        // transactions over more days than every bank gives
}

// exchange sends a request and returns the body of a successful answer. Errors:
// *institution.Error.
func (g *Gateway) exchange(ctx context.Context, c call) ([]byte, error) {
	target, err := g.client.NewTarget(c.query, c.path...)
	if err != nil { // a segment that is not ours is no path segment
		return nil, &institution.Error{Kind: institution.Refused, NotSent: true}
	}
	h := http.Header{"Accept": {"application/json"}}
	for name, values := range c.psu {
		h[name] = values
	}
	var body []byte
	if c.body != nil {
		if body, err = jsontext.Marshal(c.body); err != nil {
			return nil, &institution.Error{Kind: institution.Refused, NotSent: true}
		}
		h.Set("Content-Type", "application/json")
	}
	resp, err := g.client.Do(ctx, httpclient.Request{Method: c.method, Target: target, Header: h, Body: body, Room: institution.RoomOf(ctx)})
	if err != nil {
		return nil, httperror.Transport(err, "")
	}
	if resp.Status < 200 || resp.Status > 299 {
		return nil, refusal(c, resp, g.clock.Now())
	}
	return resp.Body, nil
}

// psuValues are the headers about the person that we know, in the gateway's spelling.
var psuValues = map[string]func(psu.Context) string{
	"Psu-Ip-Address":      func(p psu.Context) string { return p.IPAddress },
	"Psu-User-Agent":      func(p psu.Context) string { return p.UserAgent },
	"Psu-Accept-Language": func(p psu.Context) string { return p.Locale },
}

// usualHeaders make a call one of the person at a bank that requires none.
var usualHeaders = []string{"Psu-Ip-Address", "Psu-User-Agent"}

// psuHeaders returns the headers about a person who is present: all that the bank
// requires, or none if one of them is not known (docs/reference/families.md 11.1). Nothing
// is made up.
func (e Entry) psuHeaders(p psu.Context) http.Header {
	if !p.Attended() {
		return nil
	}
	names := e.RequiredHeaders
	if len(names) == 0 {
		names = usualHeaders
	}
	h := http.Header{}
	for _, name := range names {
		of, known := psuValues[http.CanonicalHeaderKey(name)]
		value := ""
		if known {
			value = httpclient.HeaderValue(of(p))
		}
		switch {
		case value != "":
			h.Set(name, value)
		case len(e.RequiredHeaders) > 0:
			return nil
		}
	}
	if h.Get("Psu-Ip-Address") == "" && len(e.RequiredHeaders) == 0 {
		return nil
	}
	return h
}

// langOf returns the language of a locale ("sv-SE" → "sv"), or "".
func langOf(locale string) string {
	lang, _, _ := strings.Cut(locale, "-")
	lang = strings.ToLower(lang)
	if len(lang) != 2 || slices.ContainsFunc([]byte(lang), func(c byte) bool { return c < 'a' || c > 'z' }) {
		return ""
	}
	return lang
}
