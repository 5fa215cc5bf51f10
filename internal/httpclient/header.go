package httpclient

import "strings"

const maxHeaderValue = 512 // bytes

// HeaderValue returns a value from outside in a form in which it can be sent: without control
// characters, which could end the header, and not too long.
func HeaderValue(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(strings.ToValidUTF8(s[:min(len(s), maxHeaderValue)], ""))
}
