package xs2a

import (
	"net/http"
	"samla/internal/psu"
	"strings"
)

// headers of one request (docs/reference/banks.md 2).
func (b *Bank) headers(c call) http.Header {
	h := make(http.Header, 16)
	for name, value := range b.config.Headers {
		h.Set(name, value)
	}
	for name, values := range c.header {
		h[name] = values
	}
	h.Set("X-Request-ID", c.requestID)
	h.Set("Accept", "application/json, application/problem+json;q=0.9")
	if c.body != nil {
		h.Set("Content-Type", "application/json")
	}
	set(h, "Consent-ID", c.consentID)
	if c.token != "" {
		h.Set("Authorization", "Bearer "+c.token)
	}
	if b.wire.noRedirect == everywhere {
		h.Set("TPP-Redirect-Preferred", "false")
	}
	present(h, c.psu)
	if c.psuID && b.wire.sendPSUID && c.psu.PersonalNumber != "" {
		h.Set("PSU-ID", c.psu.PersonalNumber.Digits())
		set(h, "PSU-ID-Type", b.wire.psuIDType)
	}
	return h
}

// present adds what is known of a person who is asking right now. Without an
// address nobody is, and nothing at all is said: the bank counts the call as
// unattended (RTS art. 36(5)).
func present(h http.Header, p psu.Context) {
	if p.IPAddress == "" {
		return
	}
	set(h, "PSU-IP-Address", p.IPAddress)
	set(h, "PSU-User-Agent", p.UserAgent)
	set(h, "PSU-Accept-Language", p.Locale)
}

const maxHeader = 512

// set adds a header whose value comes from outside: control characters, which
// could end the header, are dropped.
func set(h http.Header, name, value string) {
	if value == "" {
		return
	}
	value = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, value)
	h.Set(name, strings.ToValidUTF8(value[:min(len(value), maxHeader)], ""))
}
