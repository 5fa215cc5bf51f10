package wire

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"samla/internal/fault"
)

// post returns a request of createLoan.
func post(body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/loans", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	return r
}

// outcome describes a fault in one line: "ok", the code with the details, or the
// pointer, the code and the message of each invalid field.
func outcome(f *fault.Fault) string {
	if f == nil {
		return "ok"
	}
	if f.Code != fault.InvalidParameter {
		return strings.TrimSpace(string(f.Code) + " " + f.Details)
	}
	parts := make([]string, 0, len(f.Fields))
	for _, field := range f.Fields {
		parts = append(parts, field.Pointer+" "+string(field.Code)+" "+field.Message)
	}
	return strings.Join(parts, ", ")
}

// loan returns a body with the elements of items and further members.
func loan(items, members string) string {
	return `{"reader":"Anna","items":[` + items + `]` + members + `}`
}

const book = `{"type":"BOOK","isbn":"123"}`

func TestReadBody_ReportsInvalidFields(t *testing.T) {
	op := load(t).Operation("createLoan")
	for _, tc := range []struct{ body, want string }{
		{loan(book, ``), "ok"},
		{loan(book+`,{"type":"MAP","a/b~c":true}`, `,"unknown":[1,null]`), "ok"},
		{loan(book, `,"until":null,"since":null,"mail":null,"days":null,"notes":null`), "ok"},
		{loan(book, `,"until":"2028-02-29","since":"2026-01-02T03:04:05","mail":"a@b.example","days":7,"notes":["a"]`), "ok"},
		{loan(book, `,"since":"2026-01-02T03:04:05.5+02:00"`), "ok"},

		{`[]`, " INVALID must be an object"},
		{`null`, " INVALID must be an object"},
		{`{}`, "/items REQUIRED is missing, /reader REQUIRED is missing"},
		{`{"reader":null,"items":null}`, "/items REQUIRED is missing, /reader REQUIRED is missing"},
		{`{"reader":"","items":[` + book + `]}`, "/reader REQUIRED must not contain digits"},
		{`{"reader":7,"items":[` + book + `]}`, "/reader INVALID must be a string"},
		{`{"reader":"a1","items":[` + book + `]}`, "/reader INVALID must not contain digits"},
		{`{"reader":"ååååå","items":[` + book + `]}`, "ok"},
		{`{"reader":"åååååå","items":[` + book + `]}`, "/reader TOO_LONG must be at most 5 characters"},
		{loan(book, `,"until":"2026-02-30"`), "/until INVALID must be a date, YYYY-MM-DD"},
		{loan(book, `,"since":"2026-01-02"`), "/since INVALID must be a time, such as 2026-06-11T09:21:44.512Z"},
		{loan(book, `,"mail":"anna"`), "/mail INVALID must be an e-mail address"},
		{loan(book, `,"days":0.5`), "/days INVALID must be an integer"},
		{loan(book, `,"notes":["",null,7]`), "/notes/0 INVALID must not be empty, /notes/1 INVALID must be a string, /notes/2 INVALID must be a string"},

		// Discriminators.
		{loan(book+`,{"type":"MAP","a/b~c":1}`, ``), "/items/1/a~1b~0c INVALID must be a boolean"},
		{loan(book+`,{}`, ``), "/items/1/type REQUIRED is missing"},
		{loan(book+`,{"type":null}`, ``), "/items/1/type REQUIRED is missing"},
		{loan(book+`,{"type":7}`, ``), "/items/1/type INVALID must be a string"},
		{loan(book+`,{"type":"FILM"}`, ``), "/items/1/type UNKNOWN_TYPE must be one of BOOK, MAP"},
		{loan(book+`,null,"x"`, ``), "/items/1 INVALID must be an object, /items/2 INVALID must be an object"},
		{loan(`{"type":"BOOK","isbn":"1"}`, ``), "/items/0/isbn INVALID must be 3 digits"},

		// Elements that an array must have, and may have once.
		{loan(``, ``), "/items REQUIRED must hold a book"},
		{loan(`{"type":"MAP"}`, ``), "/items REQUIRED must hold a book"},
		{loan(`{"type":"FILM"}`, ``), "/items/0/type UNKNOWN_TYPE must be one of BOOK, MAP"},
		{loan(book+`,{"type":"MAP"},{"type":"MAP"}`, ``), "/items/2 NOT_ALLOWED is there already, and is allowed once only"},
		{loan(book+`,`+book, ``), "/items/1 INVALID must hold a book, /items/1 NOT_ALLOWED is there already, and is allowed once only"},

		{`{"reader":"Anna","reader":"Bo"}`, "MALFORMED_JSON at byte offset 17: the object has this key already"},
		{``, "MALFORMED_JSON at byte offset 0: the text ends too early"},
		{`{"reader":"` + strings.Repeat(" ", MaxBody-13) + `"}`, "/items REQUIRED is missing, /reader TOO_LONG must be at most 5 characters"},
		{`{"reader":"` + strings.Repeat(" ", MaxBody-12) + `"}`, "BODY_TOO_LARGE"},
	} {
		body, f := op.ReadBody(post(tc.body))
		if got := outcome(f); got != tc.want {
			t.Errorf("%.200s\n got %s\nwant %s", tc.body, got, tc.want)
		}
		if f == nil && string(body) != tc.body {
			t.Errorf("the body is changed: %s", body)
		}
	}
}

func TestReadBody_LimitsInvalidFields(t *testing.T) {
	body := loan(book, `,"notes":[`+strings.Repeat("0,", 5000)+`0]`)
	if _, f := load(t).Operation("createLoan").ReadBody(post(body)); f == nil || len(f.Fields) != maxFields {
		t.Errorf("%s", outcome(f))
	}
}

// encoding/json matches names without regard to case: what it decodes must not differ
// from what was validated.
func TestReadBody_RemovesVariantsOfNames(t *testing.T) {
	body, f := load(t).Operation("createLoan").ReadBody(post(
		`{"reader":"Anna","Reader":["b"],"rEADER":3,"amount":1.50,"items":[{"type":"BOOK","isbn":"123","iſbn":7,"Type":"MAP"}]}`))
	want := `{"amount":1.50,"items":[{"isbn":"123","type":"BOOK"}],"reader":"Anna"}`
	if f != nil || string(body) != want {
		t.Errorf("got %s %v", body, f)
	}
}

// The caller checks further rules of an invalid body.
func TestReadBody_ReturnsInvalidBody(t *testing.T) {
	body, f := load(t).Operation("createLoan").ReadBody(post(`{"reader":"Anna","Items":1}`))
	if outcome(f) != "/items REQUIRED is missing" || string(body) != `{"reader":"Anna"}` {
		t.Errorf("%s, %s", outcome(f), body)
	}
}

func TestReadBody_RequiresJSON(t *testing.T) {
	op := load(t).Operation("createLoan")
	for contentType, want := range map[string]string{
		"application/json": "ok", "Application/JSON; charset=utf-8": "ok", "application/json; x": "ok",
		"": "UNSUPPORTED_MEDIA_TYPE", "text/plain": "UNSUPPORTED_MEDIA_TYPE", "application/jsonx": "UNSUPPORTED_MEDIA_TYPE",
		"application/problem+json": "UNSUPPORTED_MEDIA_TYPE", ";;": "UNSUPPORTED_MEDIA_TYPE",
	} {
		r := post(loan(book, ""))
		r.Header.Set("Content-Type", contentType)
		if _, f := op.ReadBody(r); outcome(f) != want {
			t.Errorf("%q: %s", contentType, outcome(f))
		}
	}
}

// A body in another encoding is not read: its text is not what the client means.
func TestReadBody_RefusesEncodedBodies(t *testing.T) {
	op := load(t).Operation("createLoan")
	for encoding, want := range map[string]string{
		"": "ok", "identity": "ok", "Identity , ": "ok",
		"gzip": "UNSUPPORTED_MEDIA_TYPE a body with a Content-Encoding is not read", "identity, br": "UNSUPPORTED_MEDIA_TYPE a body with a Content-Encoding is not read",
	} {
		r := post(loan(book, ""))
		r.Header["Content-Encoding"] = []string{encoding}
		if _, f := op.ReadBody(r); outcome(f) != want {
			t.Errorf("%q: %s", encoding, outcome(f))
		}
	}
}

// The limit holds for any declared length, and a body that is declared too large is
// not read.
func TestReadBody_LimitsSize(t *testing.T) {
	op := load(t).Operation("createLoan")
	large := loan(book, `,"x":"`+strings.Repeat("y", MaxBody)+`"`)
	for _, length := range []int64{-1, int64(len(large))} {
		r := post(large)
		r.ContentLength = length
		if _, f := op.ReadBody(r); outcome(f) != "BODY_TOO_LARGE" {
			t.Errorf("length %d: %s", length, outcome(f))
		}
	}
	r := post("")
	r.Body, r.ContentLength = io.NopCloser(reader(func() error { t.Error("the body is read"); return io.EOF })), MaxBody+1
	if _, f := op.ReadBody(r); outcome(f) != "BODY_TOO_LARGE" {
		t.Error(outcome(f))
	}
}

// put returns a request of putPage.
func put(body string) *http.Request {
	r := httptest.NewRequest(http.MethodPut, "/loans/1/page", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	return r
}

// An operation can have a limit of its own. An opaque value is returned as it is,
// even if its members have names of the contract in another case.
func TestReadBody_ReadsTheSizeThatTheDocumentAllows(t *testing.T) {
	const limit = 4 * MaxBody
	op := load(t).Operation("putPage")
	page := func(n int) string {
		head, tail := `{"reader":"Anna","scan":{"Reader":1.50,"x":[{"iSBN":null}],"y":"`, `"}}`
		return head + strings.Repeat("y", n-len(head)-len(tail)) + tail
	}
	for _, n := range []int{100, MaxBody, MaxBody + 1, limit} {
		body, f := op.ReadBody(put(page(n)))
		if f != nil || string(body) != page(n) {
			t.Errorf("%d bytes: %s, %.100s", n, outcome(f), body)
		}
	}
	for _, length := range []int64{-1, limit + 1} {
		r := put(page(limit + 1))
		r.ContentLength = length
		if _, f := op.ReadBody(r); outcome(f) != "BODY_TOO_LARGE" {
			t.Errorf("length %d: %s", length, outcome(f))
		}
	}
	body, f := op.ReadBody(put(`{"reader":"Anna","Reader":7,"scan":{"Reader":1.50}}`))
	if f != nil || string(body) != `{"reader":"Anna","scan":{"Reader":1.50}}` {
		t.Errorf("%s, %s", outcome(f), body)
	}
}

// Of the bodies above the common limit, few are decoded at the same time. One that waits
// when its client is gone is not decoded.
func TestReadBody_DecodesFewLargeBodiesAtOnce(t *testing.T) {
	op := load(t).Operation("putPage")
	for range largeBodies {
		op.body.large <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	large := `{"reader":"` + strings.Repeat("y", MaxBody) + `"}`
	if _, f := op.ReadBody(put(large).WithContext(ctx)); outcome(f) != "SERVICE_UNAVAILABLE" {
		t.Error(outcome(f))
	}
	if _, f := op.ReadBody(put(`{"reader":"Anna"}`).WithContext(ctx)); f != nil {
		t.Error(outcome(f))
	}
	for range largeBodies {
		<-op.body.large
	}
	if _, f := op.ReadBody(put(large)); f != nil || len(op.body.large) != 0 {
		t.Errorf("%s, %d places taken", outcome(f), len(op.body.large))
	}
}

// reader is a reader without data; the function returns its error.
type reader func() error

func (r reader) Read([]byte) (int, error) { return 0, r() }

// A client that closes its connection sends a malformed body: the server has no fault.
func TestReadBody_OfClosedConnectionIsMalformed(t *testing.T) {
	r := post("")
	r.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"rea`), reader(func() error { return errors.New("reset by peer") })))
	_, f := load(t).Operation("createLoan").ReadBody(r)
	if got := outcome(f); got != "MALFORMED_JSON at byte offset 5: the text ends too early" {
		t.Error(got)
	}
}

func TestReadBody_IgnoresBodyThatIsNotDeclared(t *testing.T) {
	r := httptest.NewRequest(http.MethodDelete, "/loans/1", strings.NewReader("}{"))
	if body, f := load(t).Operation("endLoan").ReadBody(r); body != nil || f != nil {
		t.Errorf("got %q %v", body, f)
	}
}
