package api

// setHeaders sets the headers of every answer. The request id is the caller's, if it
// has the form of docs/reference/api.md 1.4, or a new one.
func (c *Call) setHeaders() {
	h := c.w.Header()
	if ids := c.r.Header["X-Request-Id"]; len(ids) > 0 && isRequestID(ids[0]) {
		c.id = ids[0]
		h["X-Request-Id"] = ids[:1:1]
	} else {
		c.id = c.route.h.IDs.New()
		h["X-Request-Id"] = []string{c.id}
	}
	if c.route.ID == "" && !c.route.Versioned {
		h["Insurely-Version"] = c.route.version.header // also where no operation answers
	}
	h["X-Content-Type-Options"] = noSniff
	h["Cache-Control"] = noStore
	if c.r.TransferEncoding != nil {
		// The request may have had a Content-Length too, which net/http removes. A
		// proxy may have read its end elsewhere, so nothing more is read from the
		// connection (RFC 9112 6.1).
		h["Connection"] = []string{"close"}
	}
}

// isRequestID reports whether s matches [A-Za-z0-9._-]{1,64}.
func isRequestID(s string) bool {
	if len(s) == 0 || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}

// IsID reports whether s has the form of our ids: a UUID in lower case (RFC 9562).
func IsID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case '0' <= c && c <= '9', 'a' <= c && c <= 'f':
		default:
			return false
		}
	}
	return true
}
