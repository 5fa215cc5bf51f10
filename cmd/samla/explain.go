package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"samla/internal/apiclient"
)

// whose says in words who has to act (docs/reference/api.md 1.6).
var whose = map[string]string{
	"CLIENT": "the request has to change",
	"BANK":   "the institution",
	"SAMLA":  "the server, and who runs it",
	"USER":   "the person",
}

// explained is an error in words: what happened, whose turn it is, and what to do next.
type explained struct {
	text string
	err  error
}

func (e explained) Error() string { return e.text }
func (e explained) Unwrap() error { return e.err }

// explain returns the error of a command as people need it. Errors that are not of a server
// stay as they are.
func explain(err error) error {
	var problem *apiclient.Problem
	if errors.As(err, &problem) {
		return explained{problemText(problem), err}
	}
	var request *url.Error
	if !errors.As(err, &request) {
		return err
	}
	server := request.URL
	if u, parseErr := url.Parse(request.URL); parseErr == nil {
		server = u.Scheme + "://" + u.Host
	}
	var unknown x509.UnknownAuthorityError
	var wrongHost x509.HostnameError
	text := fmt.Sprintf("no server answers at %s (%v)\n  what to do: start it (samla serve, or samla dev), or name another one with --server or 'samla profile use'", server, request.Err)
	switch {
	case errors.As(err, &unknown), errors.As(err, &wrongHost):
		text = fmt.Sprintf("the certificate of %s is not trusted (%v)\n  what to do: check the address; a certificate authority of your own is named with SSL_CERT_FILE", server, request.Err)
	case request.Timeout():
		text = fmt.Sprintf("%s did not answer in time\n  what to do: try again; samla doctor examines an installation", server)
	}
	return explained{text, err}
}

// problemText writes a problem document, or what is known of an answer that is not one.
func problemText(p *apiclient.Problem) string {
	if p.Code == "" {
		return fmt.Sprintf("the server answered HTTP %d, and not as Samla does\n  what to do: check the address of the server; it is that of the API, without a path", p.Status)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s, HTTP %d)", plain(p.Message), plain(p.Code), p.Status)
	if p.Details != "" {
		fmt.Fprintf(&b, "\n  %s", plain(p.Details))
	}
	for _, e := range p.Errors {
		fmt.Fprintf(&b, "\n  %s: %s", plain(e.Pointer), plain(e.Message))
	}
	if p.UserID != "" {
		fmt.Fprintf(&b, "\n  userUuid: %s", plain(p.UserID))
	}
	if turn, known := whose[p.Attribution]; known {
		fmt.Fprintf(&b, "\n  whose turn: %s", turn)
	}
	remedy := plain(p.Remedy)
	if p.Status == http.StatusUnauthorized {
		remedy = "The API key is wrong or revoked. 'samla profile add' keeps another one; 'samla key create' makes one on the server."
	}
	if remedy != "" {
		fmt.Fprintf(&b, "\n  what to do: %s", remedy)
	}
	if p.RequestID != "" {
		fmt.Fprintf(&b, "\n  request: %s", plain(p.RequestID))
	}
	return b.String()
}

// plain is a text that cannot control the terminal.
func plain(s string) string { return column{}.cut(s) }
