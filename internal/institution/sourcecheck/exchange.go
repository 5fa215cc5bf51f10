package sourcecheck

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"samla/internal/institution/source"
	"samla/internal/plaintext"
)

// run is the state of a run.
type run struct {
	Options
	ctx       context.Context
	checks    map[string]*Check
	report    Report
	exchanged bool // there was an answer
	offer     institution
	questions map[string]bool // ids that were seen
	session   string          // of the dialogue; "" = none
}

const maxDetails = 20

// maxDetail is how many characters a detail has. It may name what the source wrote.
const maxDetail = 300

// fail notes what is wrong, the same once. It returns false.
func (r *run) fail(check, format string, args ...any) bool {
	c := r.checks[check]
	c.Result = Failed
	detail := r.shown(fmt.Sprintf(format, args...))
	if len(c.Details) < maxDetails && !slices.Contains(c.Details, detail) {
		c.Details = append(c.Details, detail)
	}
	return false
}

// shown returns a text of the report without what was told to the source, and without what
// could control the terminal on which the report is read.
func (r *run) shown(text string) string {
	for _, secret := range append(r.known(), r.Secret) {
		if len(secret) >= shortestKnown {
			text = strings.ReplaceAll(text, secret, "[hidden]")
		}
	}
	return plaintext.Printable(text, maxDetail)
}

// pass notes that a check was made. It does not change one that has failed.
func (r *run) pass(check string) {
	if c := r.checks[check]; c.Result == Skipped {
		c.Result = Passed
	}
}

// call is one request.
type call struct {
	method, path string // path below the base URL
	requestID    string // "" = none
	body         any    // nil = none; []byte is sent as it is
	secret       *string
	client       *http.Client
	last         bool // the connection is closed after it
}

// answer is one answer. Its status is 0 if there was none.
type answer struct {
	status  int
	code    string // of a refusal
	message string // of a refusal; "" if it has something of the person
	body    []byte
}

// ok reports whether the status is a success, if not the documented one.
func (a answer) ok() bool { return a.status >= 200 && a.status <= 299 }

func isPage(path string) bool { return strings.HasSuffix(path, "/pages") }

// do makes an exchange and checks what every one must keep.
func (r *run) do(c call) answer {
	limit, within := source.MaxBody, source.MaxCallTime
	if isPage(c.path) {
		limit, within = source.MaxPage, source.MaxPageTime
	}
	ctx, cancel := context.WithTimeout(r.ctx, within)
	defer cancel()
	begun := r.Clock.Now()
	status, body, err := r.send(ctx, c, limit)
	took := r.Clock.Now().Sub(begun)
	name := c.method + " " + r.hidden(c.path)
	if err != nil {
		if took >= within-time.Second/10 {
			r.fail("times", "%s: no answer in %v", name, within)
		} else {
			r.fail("errors", "%s: no answer: %s", name, withoutURL(err))
		}
		return answer{}
	}
	r.exchanged = true
	if took > within {
		r.fail("times", "%s: an answer after more than %v", name, within)
	}
	a := answer{status: status, body: body}
	if len(body) > limit {
		r.fail("sizes", "%s: more than %d bytes", name, limit)
	}
	if status >= 400 {
		a.code, a.message = r.refusal(name, status, body)
	} else if status < 200 || status >= 300 {
		r.fail("errors", "%s: status %d", name, status)
	}
	return a
}

// send sends a request and reads up to one byte more than limit of the answer.
func (r *run) send(ctx context.Context, c call, limit int) (int, []byte, error) {
	var body io.Reader
	switch b := c.body.(type) {
	case nil:
	case []byte:
		body = bytes.NewReader(b)
	default:
		text, err := json.Marshal(b)
		if err != nil {
			return 0, nil, err
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, c.method, r.URL+c.path, body)
	if err != nil {
		return 0, nil, err
	}
	secret := r.Secret
	if c.secret != nil {
		secret = *c.secret
	}
	if secret != "" {
		req.Header.Set("Authorization", "Bearer "+secret)
	}
	req.Close = c.last
	if c.requestID != "" {
		req.Header.Set("Request-Id", c.requestID)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	client := r.Client
	if c.client != nil {
		client = c.client
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	content, err := io.ReadAll(io.LimitReader(resp.Body, int64(limit)+1))
	return resp.StatusCode, content, err
}

// withoutURL returns the text of an error of package http without the address, which has
// the id of a session.
func withoutURL(err error) string {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return err.Error()
}

// refusal checks the body of a refusal and returns its code and its message.
func (r *run) refusal(name string, status int, body []byte) (code, message string) {
	var in struct {
		Error   string `json:"error"`
		Message string `json:"message"`
	}
	err, codes := json.Unmarshal(body, &in), source.CodesOf(status)
	switch {
	case len(codes) == 0:
		r.fail("errors", "%s: status %d is none of the protocol", name, status)
	case err != nil:
		r.fail("errors", "%s: the body of status %d is not the JSON of an error", name, status)
	case !slices.Contains(codes, in.Error):
		r.fail("errors", "%s: the member error of status %d is none of %q", name, status, codes)
	}
	if !r.clean(name+": message", in.Message) {
		in.Message = ""
	}
	return cmp.Or(source.CodeOf(body), "with an error that is not documented"), in.Message
}

// clean checks that a text has nothing that is known of the person, and reports whether it has not.
func (r *run) clean(what, text string) bool {
	for _, known := range r.known() {
		if len(known) >= shortestKnown && strings.Contains(strings.ToLower(text), strings.ToLower(known)) {
			return r.fail("personal-data", "%s has something that was told of the person", what)
		}
	}
	return true
}

// shortestKnown is the length below which a text can be anywhere by chance.
const shortestKnown = 5

// known returns what was told to the source of the person.
func (r *run) known() []string {
	short := r.Parameters.PersonalNumber
	if len(short) == 12 {
		short = short[2:]
	}
	return []string{short, r.Parameters.Email, r.Parameters.UserID}
}

// hidden returns a path without the id of its session.
func (r *run) hidden(path string) string {
	parts := strings.Split(path, "/")
	if len(parts) > 3 {
		parts[3] = "{session}"
	}
	return strings.Join(parts, "/")
}

// want checks status and code of an answer.
func (r *run) want(check, what string, a answer, status int, code string) bool {
	switch {
	case a.status == status && a.code == code:
		r.pass(check)
		return true
	case a.status == 0:
		return r.fail(check, "%s: no answer", what)
	}
	said := ""
	if a.message != "" {
		said = fmt.Sprintf(" (%.200q)", a.message)
	}
	return r.fail(check, "%s: status %s%s, want %s", what, coded(a.status, a.code), said, coded(status, code))
}

// coded writes a status and its code, if there is one.
func coded(status int, code string) string {
	return strings.TrimSpace(strconv.Itoa(status) + " " + code)
}

func newID() string { return uuid.NewString() }

// sameJSON reports whether two bodies are the same value.
func sameJSON(a, b []byte) bool {
	x, errX := decoded(a)
	y, errY := decoded(b)
	return errX == nil && errY == nil && equal(x, y)
}
