package sources

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"samla/internal/dialogue"
	"samla/internal/institution/sourcecheck"
	"samla/internal/sandbox"
	"samla/internal/sourcetest"
)

// validator is a transport that validates each exchange with openapi.json.
type validator struct {
	t    testing.TB
	doc  *document
	base string // path of the base URL
	to   http.RoundTripper
	mu   sync.Mutex
	seen map[string]bool // "POST /v1/sessions 201"
}

func newValidator(t testing.TB, base string, to http.RoundTripper) *validator {
	return &validator{t: t, doc: newDocument(t), base: base, to: to, seen: map[string]bool{}}
}

// RoundTrip implements http.RoundTripper. A request is validated if it was accepted: bad ones
// are sent too.
func (v *validator) RoundTrip(r *http.Request) (*http.Response, error) {
	var sent []byte
	if r.Body != nil {
		var err error
		if sent, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(sent))
	}
	resp, err := v.to.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	got, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(got))
	path := strings.TrimPrefix(r.URL.Path, v.base)
	if parts := strings.Split(path, "/"); len(parts) > 3 {
		parts[3] = "{session}"
		path = strings.Join(parts, "/")
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.check(r.Method, path, resp.StatusCode, sent, got)
	return resp, err
}

func (v *validator) check(method, path string, status int, sent, got []byte) {
	name := method + " " + path + " " + strconv.Itoa(status)
	v.seen[name] = true
	operation := "/paths/" + strings.ReplaceAll(path, "/", "~1") + "/" + strings.ToLower(method)
	answer := v.doc.where(operation + "/responses/" + strconv.Itoa(status))
	if v.doc.at(answer) == nil {
		v.t.Errorf("%s is not documented", name)
		return
	}
	if schema := answer + "/content/application~1json/schema"; v.doc.at(schema) != nil {
		v.body(name, schema, got)
	} else if len(got) > 0 {
		v.t.Errorf("%s has a body", name)
	}
	if schema := operation + "/requestBody/content/application~1json/schema"; status < 300 && v.doc.at(schema) != nil {
		v.body(name+", request", schema, sent)
	}
}

func (v *validator) body(name, schema string, text []byte) {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err == nil {
		err = v.doc.validate(v.t, schema, value)
	}
	if err != nil {
		v.t.Errorf("%s: %v", name, err)
	}
}

// What the examples and the sandbox answer is what openapi.json says, and the check sends
// what it says.
func TestExchanges_AreOfTheDocument(t *testing.T) {
	for name, start := range map[string]func(testing.TB) sourcecheck.Options{
		"go":      func(t testing.TB) sourcecheck.Options { return example(t, sourcetest.Go(t)) },
		"node":    func(t testing.TB) sourcecheck.Options { return example(t, sourcetest.Node(t)) },
		"sandbox": demo,
	} {
		t.Run(name, func(t *testing.T) {
			o := start(t)
			if report := sourcecheck.Run(t.Context(), o); !report.OK {
				t.Errorf("%+v", report)
			}
			seen := o.Client.Transport.(*validator).seen
			for _, want := range []string{"GET /v1/institutions 200", "POST /v1/sessions 201", "GET /v1/sessions/{session}/turn 200",
				"POST /v1/sessions/{session}/pages 200", "DELETE /v1/sessions/{session} 204", "POST /v1/sessions/{session}/pages 409"} {
				if !seen[want] {
					t.Errorf("no %s", want)
				}
			}
		})
	}
}

func example(t testing.TB, url string) sourcecheck.Options {
	return sourcecheck.Options{URL: url, Secret: sourcetest.Secret, Client: &http.Client{Transport: newValidator(t, "", http.DefaultTransport)},
		Parameters: sourcecheck.Parameters{PersonalNumber: sourcetest.PersonalNumber},
		Answers:    []dialogue.Answer{{Code: "000000"}, {Choice: dialogue.Resend}, {Code: sourcetest.Code}}}
}

// demo is the sandbox's se-demo.
func demo(t testing.TB) sourcecheck.Options {
	s, err := sandbox.New(sandbox.Config{})
	if err == nil {
		err = s.Start(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop(context.Background()) })
	for _, i := range s.Sources() {
		if i.ID == "se-demo" {
			transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.CA().Pool(), MinVersion: tls.VersionTLS12}}
			return sourcecheck.Options{URL: i.BaseURL, Secret: s.SourceSecret(), Institution: i.ID,
				Client: &http.Client{Transport: newValidator(t, i.Path, transport)}, Parameters: sourcecheck.Parameters{PersonalNumber: "199006022397"}}
		}
	}
	t.Fatal("the sandbox has no se-demo")
	return sourcecheck.Options{}
}
