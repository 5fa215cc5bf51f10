package families_test

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/institution/families"
	"samla/internal/psu"
	"samla/internal/sandbox/pki"
	"samla/internal/tracing"
)

// sent keeps the headers of requests, and answers none of them.
type sent []http.Header

// RoundTrip implements http.RoundTripper.
func (s *sent) RoundTrip(r *http.Request) (*http.Response, error) {
	*s = append(*s, r.Header)
	return nil, errors.New("no network")
}

// Banks check what they are sent, so no institution of any family gets a traceparent unless
// its entry says so.
func TestAll_SendTraceparentOnlyWhereTheEntrySaysSo(t *testing.T) {
	const common = `"displayName":"B","loginMethods":["EID"],"baseURL":"https://b.example"`
	keys := t.TempDir()
	if _, err := pki.Open(keys, clock.System().Now, nil); err != nil {
		t.Fatal(err)
	}
	certificates := `"certificates":{"qwacCert":"` + filepath.Join(keys, pki.QWACFile) + `","qwacKey":"` + filepath.Join(keys, pki.QWACKeyFile) + `"},`
	t.Setenv("TRACEPARENT_TEST_SECRET", "0123456789012345678901")
	for member, wanted := range map[string]string{"": "", `,"traceparent":false`: "", `,"traceparent":true`: "00-01000000000000000000000000000000-0100000000000000-00"} {
		file, err := families.All().Load(write(t, []byte(`{"banks":[
			{"company":"se-bank","family":"xs2a","signature":{"none":true},`+certificates+common+member+`},
			{"company":"se-source","family":"source","secretVariable":"TRACEPARENT_TEST_SECRET",`+common+member+`}]}`)))
		if err != nil {
			t.Fatal(err)
		}
		requests := &sent{}
		set, err := file.Open(institution.Deps{Wrap: func(http.RoundTripper) http.RoundTripper { return requests }})
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range set.All() {
			*requests = nil
			ctx := tracing.Example(context.Background())
			if i.Opener != nil {
				_, _ = i.Opener.OpenConsent(ctx, institution.OpenRequest{Scope: consent.Scope{Balances: true}, ValidUntil: time.Now().Add(time.Hour),
					PSU: psu.Context{IPAddress: "192.0.2.1"}})
			} else {
				_, _ = i.Loginer.Login(ctx, institution.LoginRequest{})
			}
			if len(*requests) != 1 || (*requests)[0].Get("Traceparent") != wanted {
				t.Errorf("%s with %q: %d requests, %v", i.Company.ID, member, len(*requests), *requests)
			}
		}
		set.Close()
	}
}
