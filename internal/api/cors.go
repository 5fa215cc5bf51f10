package api

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// origins are the origins of web pages that may call the API
// (docs/reference/api.md 1.10), written as browsers write them.
type origins map[string]bool

// The header fields of CORS answers (https://fetch.spec.whatwg.org, "CORS protocol").
const (
	exposedHeaders = "Insurely-Version, X-Request-Id, Link, Retry-After, RateLimit, RateLimit-Policy, Idempotency-Replayed, ETag"
	allowedHeaders = "Authorization, Content-Type, Insurely-Version, Idempotency-Key, X-Request-Id, If-None-Match"
	allowedMethods = "GET, HEAD, POST, DELETE"
	preflightAge   = "600" // seconds
)

// CheckOrigins returns an error if a web page cannot have one of the origins.
func CheckOrigins(list []string) error {
	_, err := newOrigins(list)
	return err
}

// newOrigins returns a set of origins. A page sends scheme, host and port in lower
// case and nothing else, so any other text is an error: it would never match.
func newOrigins(list []string) (origins, error) {
	set := origins{}
	for _, text := range list {
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.Scheme+"://"+u.Host != text || text != strings.ToLower(text) {
			return nil, fmt.Errorf("the allowed origin %q must be scheme, host and port in lower case, such as https://app.example.com", text)
		}
		set[text] = true
	}
	return set, nil
}

// handle adds the CORS fields to an answer to a page of an allowed origin, and answers
// a preflight of one. It reports whether the request is answered. Without allowed
// origins it does nothing: browsers then refuse the answers.
func (o origins) handle(w http.ResponseWriter, r *http.Request) (answered bool) {
	if len(o) == 0 {
		return false
	}
	h := w.Header()
	h["Vary"] = append(h["Vary"], "Origin")
	origin := r.Header.Get("Origin")
	if !o[origin] {
		return false
	}
	h.Set("Access-Control-Allow-Origin", origin)
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		h.Set("Access-Control-Expose-Headers", exposedHeaders)
		return false
	}
	h.Set("Access-Control-Allow-Methods", allowedMethods)
	h.Set("Access-Control-Allow-Headers", allowedHeaders)
	h.Set("Access-Control-Max-Age", preflightAge)
	w.WriteHeader(http.StatusNoContent)
	return true
}

// fromPage reports whether a browser sent the request for a page of another origin.
// A browser adds the header Origin; a page cannot remove it.
func fromPage(r *http.Request) bool { return len(r.Header["Origin"]) > 0 }
