package xs2a

import (
	"cmp"
	"net/http"

	"samla/internal/httpclient"
	"samla/internal/psu"
)

// dateMember is the value of a header in the configuration that stands for the time of the
// request (RFC 9110 5.6.7).
const dateMember = "{date}"

// headers returns the headers of one request (docs/reference/banks.md 2). The banks file
// can replace the media types: some banks accept one only, or want a charset.
func (b *Bank) headers(c call) http.Header {
	h := make(http.Header, 16)
	for name, value := range b.config.Headers {
		if value == dateMember {
			value = b.clock.Now().UTC().Format(http.TimeFormat)
		}
		h.Set(name, value)
	}
	for name, values := range c.header {
		h[name] = values
	}
	h.Set("X-Request-ID", c.requestID)
	if c.accept != "" || h.Get("Accept") == "" {
		h.Set("Accept", cmp.Or(c.accept, "application/json, application/problem+json;q=0.9"))
	}
	switch {
	case c.body == nil:
		h.Del("Content-Type")
	case h.Get("Content-Type") == "":
		h.Set("Content-Type", "application/json")
	}
	setHeader(h, "Consent-ID", c.consentID)
	if token := cmp.Or(c.token, c.clientToken); token != "" {
		h.Set("Authorization", "Bearer "+token)
	}
	if b.wire.noRedirect == everywhere && !b.wire.signing.onPage {
		h.Set("TPP-Redirect-Preferred", "false")
	}
	setPSUHeaders(h, c.psu)
	setPersonHeaders(h, b.config.PersonHeaders, c.psu)
	if c.psuID && b.wire.sendPSUID && c.psu.PersonalNumber != "" {
		h.Set("PSU-ID", c.psu.PersonalNumber.Digits())
		setHeader(h, "PSU-ID-Type", b.wire.psuIDType)
	}
	return h
}

// setPSUHeaders sets the headers about a person who is present. Without an IP address
// no person is present, and it sets none of them: the bank counts the request as
// unattended (RTS art. 36(5)).
func setPSUHeaders(h http.Header, p psu.Context) {
	if p.IPAddress == "" {
		return
	}
	setHeader(h, "PSU-IP-Address", p.IPAddress)
	setHeader(h, "PSU-User-Agent", p.UserAgent)
	setHeader(h, "PSU-Accept-Language", p.Locale)
}

// setHeader sets a header whose value comes from outside. It ignores an empty value.
func setHeader(h http.Header, name, value string) {
	if value != "" {
		h.Set(name, httpclient.HeaderValue(value))
	}
}
