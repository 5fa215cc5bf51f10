package bgspec

import (
	"net/http"

	"samla/internal/specs/exchange"
)

// Transport validates every request and answer that passes through next and
// calls report for each violation, as exchange.Transport.
func (o *Oracle) Transport(next http.RoundTripper, report func(error)) http.RoundTripper {
	return exchange.Transport(o, next, report)
}

// Handler validates every answer of next, and every request that next accepted,
// as exchange.Handler.
func (o *Oracle) Handler(next http.Handler, report func(error)) http.Handler {
	return exchange.Handler(o, next, report)
}
