package enablebanking

import (
	"net"
	"net/http"
	"strings"
)

// psuHeaders say that the person takes part in a request.
var psuHeaders = []string{
	"Psu-Ip-Address", "Psu-User-Agent", "Psu-Referer", "Psu-Accept", "Psu-Accept-Charset", "Psu-Accept-Encoding", "Psu-Accept-Language", "Psu-Geo-Location",
}

// checkPSU reports whether the person takes part. All headers that the bank requires are
// sent, or none of any kind.
func checkPSU(h http.Header, required []string) (bool, *apiError) {
	any := false
	for _, name := range psuHeaders {
		any = any || h.Get(name) != ""
	}
	if !any {
		return false, nil
	}
	for _, name := range required {
		if h.Get(name) == "" {
			return false, refuse(http.StatusUnprocessableEntity, "PSU_HEADER_NOT_PROVIDED", "PSU header "+strings.ToLower(name)+" is not provided")
		}
	}
	if ip := h.Get("Psu-Ip-Address"); ip != "" && net.ParseIP(ip) == nil {
		return false, refuse(http.StatusUnprocessableEntity, "PSU_HEADER_INVALID", "psu-ip-address is not an address")
	}
	return true, nil
}

// readsPerDay is the limit of reads without the person, for each account and kind of data
// (RTS art. 36(5)).
const readsPerDay = 4

// countRead counts a read without the person. It reports false if the limit is used up.
// The caller holds mu.
func (g *Gateway) countRead(key string) bool {
	now := g.Clock.Now()
	if _, left := g.reads.Left(key, readsPerDay, now); !left {
		return false
	}
	g.reads.Add(key, now)
	g.counters.Unattended++
	if err := g.journal.Write(entry{Read: &readEntry{key, now}}); err != nil {
		g.Log.Error("sandbox gateway: not stored", "err", err)
	}
	return true
}
