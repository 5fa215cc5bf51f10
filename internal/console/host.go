package console

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
)

// onlyHere answers requests for the host of the console's address only. A page of another
// site can let its name point to this machine (DNS rebinding); then the browser names that
// host. A browser that names this machine by its address is sent to the name: passkeys need
// one (https://www.w3.org/TR/webauthn-3/#relying-party-identifier).
func onlyHere(address func() string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		at, err := url.Parse(address())
		switch {
		case err != nil || at.Host == "":
			http.Error(w, "The console has no address yet.", http.StatusServiceUnavailable)
		case r.Host == at.Host:
			next.ServeHTTP(w, r)
		case sameMachine(r.Host, at.Host) && (r.Method == http.MethodGet || r.Method == http.MethodHead):
			http.Redirect(w, r, at.Scheme+"://"+at.Host+r.URL.RequestURI(), http.StatusSeeOther)
		default:
			http.Error(w, "The console is at "+at.Scheme+"://"+at.Host+" only.", http.StatusMisdirectedRequest)
		}
	})
}

// sameMachine reports whether two hosts are this machine, at the same port.
func sameMachine(a, b string) bool {
	hostA, portA, errA := net.SplitHostPort(a)
	hostB, portB, errB := net.SplitHostPort(b)
	return errA == nil && errB == nil && portA == portB && loopback(hostA) && loopback(hostB)
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}
