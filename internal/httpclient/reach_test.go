package httpclient_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestReach_TellsTheClockAndTheCertificateOfThePartner(t *testing.T) {
	asked := make(chan string, 1)
	p := partner(t, func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Method + " " + r.URL.String()
		w.Header().Set("Date", "Fri, 27 Nov 2026 08:00:00 GMT")
	})
	c := config(p.URL)
	r, err := client(t, c).Reach(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want := time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC); !r.Now.Equal(want) || r.Took <= 0 || !r.PartnerUntil.Equal(p.Certificate().NotAfter) {
		t.Errorf("%+v", r)
	}
	if got := <-asked; got != "HEAD /" {
		t.Errorf("the partner was asked %s", got)
	}
}

func TestReach_NamesNoAddressInAnError(t *testing.T) {
	untrusted := config(partner(t, func(http.ResponseWriter, *http.Request) {}).URL)
	untrusted.Roots = nil
	for name, base := range map[string]string{"closed": closedPort(t), "untrusted": untrusted.BaseURL} {
		c := untrusted
		c.BaseURL = base
		_, err := client(t, c).Reach(t.Context())
		if err == nil || strings.Contains(err.Error(), "127.0.0.1") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
