package wire_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"samla/internal/fault"
	"samla/internal/jsontext"
	"samla/internal/wire"
)

// write returns what WriteProblem answers.
func write(method, target string, f *fault.Fault) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	w.Header().Set("X-Request-Id", "01JH6Z3W6Q")
	wire.WriteProblem(w, httptest.NewRequest(method, target, nil), "01JH6Z3W6Q", f)
	return w
}

// The example of docs/reference/api.md 1.6, except for white space.
func TestWriteProblem_WritesDocumentedExample(t *testing.T) {
	f := fault.Detailed(fault.ConsentExpired, "Consent expired at "+jsontext.Time(time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)))
	got := write(http.MethodPost, "/collections", f)
	want := `{"type":"urn:samla:problem:consent-expired","title":"Consent expired","status":409,` +
		`"detail":"The consent has expired and needs to be renewed.","instance":"/collections",` +
		`"code":"CONSENT_EXPIRED","message":"The consent has expired and needs to be renewed.",` +
		`"details":"Consent expired at 2026-01-15T12:00:00.000Z","requestId":"01JH6Z3W6Q",` +
		`"attribution":"USER","remedy":"Create a new consent for this bank and let the user authorize it."}` + "\n"
	if diff := cmp.Diff(want, got.Body.String()); diff != "" {
		t.Error(diff)
	}
	if got.Code != http.StatusConflict || got.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("got %d %v", got.Code, got.Header())
	}
}

func TestWriteProblem_WritesMembersAndHeaders(t *testing.T) {
	at := time.Date(2026, 6, 1, 12, 0, 0, 7_654_321, time.FixedZone("CEST", 7200))
	for _, tc := range []struct {
		f      *fault.Fault
		header string // name: value
		member string // name: JSON
	}{
		{fault.New(fault.Unauthorized), "Www-Authenticate: Bearer", ""},
		{&fault.Fault{Code: fault.MethodNotAllowed, Allow: "GET, POST"}, "Allow: GET, POST", ""},
		{&fault.Fault{Code: fault.RateLimited, RetryAfter: 1500 * time.Millisecond}, "Retry-After: 2", ""},
		{&fault.Fault{Code: fault.RateLimited, RetryAfter: time.Nanosecond}, "Retry-After: 1", ""},
		{&fault.Fault{Code: fault.BackgroundRefreshLimit, RetryAfter: time.Hour, NextAllowedAt: at}, "Retry-After: 3600", `nextAllowedAt: "2026-06-01T10:00:00.007Z"`},
		{&fault.Fault{Code: fault.UserExists, UserID: "6a7c135e-3a56-44ae-bc53-1d0d5321f552"}, "", `userUuid: "6a7c135e-3a56-44ae-bc53-1d0d5321f552"`},
		{&fault.Fault{Code: fault.UnsupportedVersion, SupportedVersions: []string{"2026-04-01"}}, "", `supportedVersions: ["2026-04-01"]`},
		{fault.Param("/externalId", fault.Required, "is <missing>"), "", `errors: [{"pointer":"/externalId","code":"REQUIRED","message":"is <missing>"}]`},
		{fault.Params(), "", `errors: []`},
	} {
		w := write(http.MethodGet, "/users", tc.f)
		if name, value, _ := strings.Cut(tc.header, ": "); w.Header().Get(name) != value {
			t.Errorf("%s: header %s: %q", tc.f.Code, name, w.Header().Get(name))
		}
		var members map[string]json.RawMessage
		if err := json.Unmarshal(w.Body.Bytes(), &members); err != nil {
			t.Fatal(err)
		}
		if name, value, ok := strings.Cut(tc.member, ": "); ok && string(members[name]) != value {
			t.Errorf("%s: member %s: %s", tc.f.Code, name, members[name])
		}
		for _, name := range []string{"details", "errors", "userUuid", "supportedVersions", "nextAllowedAt"} {
			if _, ok := members[name]; ok && !strings.HasPrefix(tc.member, name+":") {
				t.Errorf("%s: has %s", tc.f.Code, name)
			}
		}
	}
}

// An unknown error is answered without any member of the fault.
func TestWriteProblem_HidesUnknownErrors(t *testing.T) {
	for _, f := range []*fault.Fault{
		nil, fault.Wrap(errors.New("secret")), fault.Detailed(fault.Internal, "secret"),
		{Code: "NO_SUCH_CODE", Details: "secret", UserID: "secret"},
	} {
		w := write(http.MethodGet, "/users?externalId=secret", f)
		if w.Code != 500 || strings.Contains(w.Body.String(), "secret") || !strings.Contains(w.Body.String(), `"INTERNAL_ERROR"`) {
			t.Errorf("%v: %d %s", f, w.Code, w.Body)
		}
	}
}

func TestWriteProblem_NamesPathWithoutQuery(t *testing.T) {
	w := write(http.MethodGet, "/a%20b/%C3%A5?x=1", fault.New(fault.NotFound))
	if !strings.Contains(w.Body.String(), `"instance":"/a%20b/%C3%A5"`) {
		t.Error(w.Body)
	}
}
