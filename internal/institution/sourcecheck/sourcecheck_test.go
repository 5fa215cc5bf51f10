package sourcecheck_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"samla/internal/clock"
	"samla/internal/dialogue"
	"samla/internal/institution/sourcecheck"
	"samla/internal/sandbox"
	"samla/internal/sourcetest"
)

// options are those that both examples pass with.
func options(base string) sourcecheck.Options {
	return sourcecheck.Options{URL: base, Secret: sourcetest.Secret, Client: http.DefaultClient,
		Parameters: sourcecheck.Parameters{PersonalNumber: sourcetest.PersonalNumber}, Wait: time.Minute,
		Answers: []dialogue.Answer{{Code: "000000"}, {Choice: dialogue.Resend}, {Code: sourcetest.Code}}}
}

// result returns the checks with a result.
func result(r sourcecheck.Report, of sourcecheck.Result) (names []string) {
	for _, c := range r.Checks {
		if c.Result == of {
			names = append(names, c.Name)
		}
	}
	return names
}

// check returns the check of a name.
func check(r sourcecheck.Report, name string) sourcecheck.Check {
	for _, c := range r.Checks {
		if c.Name == name {
			return *c
		}
	}
	return sourcecheck.Check{}
}

func details(r sourcecheck.Report) string {
	text, _ := json.MarshalIndent(r, "", " ")
	return string(text)
}

func TestRun_PassesTheExamples(t *testing.T) {
	for name, start := range map[string]func(testing.TB) string{"go": sourcetest.Go, "node": sourcetest.Node} {
		t.Run(name, func(t *testing.T) {
			report := sourcecheck.Run(t.Context(), options(start(t)))
			if !report.OK || report.Failed+report.Skipped > 0 || report.Institution != sourcetest.Institution || report.Protocol != 1 {
				t.Error(details(report))
			}
			if text := details(report); strings.Contains(text, sourcetest.PersonalNumber) || strings.Contains(text, sourcetest.Secret) {
				t.Error("the report has a secret")
			}
		})
	}
}

// The sandbox's sources share no code with the examples, and were written from the protocol.
func TestRun_PassesTheSandbox(t *testing.T) {
	s, err := sandbox.New(sandbox.Config{})
	if err == nil {
		err = s.Start(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Stop(context.Background()) }()
	base := ""
	for _, i := range s.Sources() {
		if i.ID == "se-demo" {
			base = i.BaseURL
		}
	}
	o := options(base)
	o.Secret, o.Institution, o.Answers, o.Parameters.PersonalNumber = s.SourceSecret(), "se-demo", nil, "199006022397"
	o.Client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.CA().Pool(), MinVersion: tls.VersionTLS12}}}
	if report := sourcecheck.Run(t.Context(), o); !report.OK {
		t.Error(details(report))
	}
}

// A source that asks for a certificate is called without it too.
func TestRun_ChecksCertificates(t *testing.T) {
	s, err := sandbox.New(sandbox.Config{})
	if err == nil {
		err = s.Start(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Stop(context.Background()) }()
	qwac, _ := s.TPP()
	client := func(certificates ...tls.Certificate) *http.Client {
		return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.CA().Pool(), Certificates: certificates, MinVersion: tls.VersionTLS12}}}
	}
	for _, i := range s.Sources() {
		if i.Credential != "mutual" {
			continue
		}
		o := options(i.BaseURL)
		o.Secret, o.Institution, o.Answers, o.Parameters.PersonalNumber = "", i.ID, nil, "199006022397"
		o.Client, o.Anonymous = client(qwac), client()
		o.Wait = time.Millisecond // nobody signs
		if report := sourcecheck.Run(t.Context(), o); !slices.Equal(result(report, sourcecheck.Failed), []string{"in"}) {
			t.Errorf("%s: %s", i.ID, details(report))
		}
		o.Anonymous = o.Client // as if the source let everybody in
		if report := sourcecheck.Run(t.Context(), o); !slices.Equal(result(report, sourcecheck.Failed), []string{"credentials", "in"}) {
			t.Errorf("%s: %s", i.ID, details(report))
		}
	}
}

// exchange is one exchange through the proxy of a test, which can change both.
type exchange struct {
	*http.Request
	status int
	header http.Header
	body   []byte
}

func (x *exchange) is(method, end string) bool {
	return x.Method == method && strings.HasSuffix(x.URL.Path, end)
}
func (x *exchange) replace(old, new string) {
	x.body = bytes.ReplaceAll(x.body, []byte(old), []byte(new))
}

// proxy passes requests on to a source, after before and before after have changed them.
func proxy(t *testing.T, to string, before func(*http.Request), after func(*exchange)) string {
	t.Helper()
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	p := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			if before != nil {
				before(r.Out)
			}
		},
		ModifyResponse: func(resp *http.Response) error {
			if after == nil {
				return nil
			}
			body, err := io.ReadAll(resp.Body)
			x := &exchange{resp.Request, resp.StatusCode, resp.Header, body}
			after(x)
			resp.StatusCode, resp.Body = x.status, io.NopCloser(bytes.NewReader(x.body))
			resp.ContentLength = int64(len(x.body))
			resp.Header.Set("Content-Length", strconv.Itoa(len(x.body)))
			return err
		},
	}
	s := httptest.NewServer(p)
	t.Cleanup(s.Close)
	return s.URL
}

// Each check finds a source that breaks its rule, and no other check does.
func TestRun_FindsWhatIsBroken(t *testing.T) {
	good := sourcetest.Go(t)
	var seen atomic.Int64
	found := map[string]bool{}
	for name, c := range map[string]struct {
		before func(*http.Request)
		after  func(*exchange)
		want   []string // the checks that fail
	}{
		"anybody is let in": {func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+sourcetest.Secret) }, nil, []string{"credentials"}},
		"protocol 2":        {nil, func(x *exchange) { x.replace(`"protocol":1`, `"protocol":2`) }, []string{"institutions"}},
		"an unknown product type": {nil, func(x *exchange) {
			if x.is("GET", "/institutions") {
				x.replace("OCCUPATIONAL_PENSION", "SHOES")
			}
		}, []string{"institutions", "products"}},
		"errors as text": {nil, func(x *exchange) {
			if x.status == 409 {
				x.body = []byte("no")
			}
		}, []string{"turn-needed", "questions", "errors"}},
		"200 for a login": {nil, func(x *exchange) {
			if x.status == 201 {
				x.status = 200
			}
		}, []string{"login"}},
		"a status of no code": {nil, func(x *exchange) {
			if x.status == 400 {
				x.status, x.body = 422, []byte(`{"detail":"no"}`)
			}
		}, []string{"bad-request", "errors"}},
		"a protocol that is a text": {nil, func(x *exchange) { x.replace(`"protocol":1`, `"protocol":"1"`) }, []string{"institutions"}},
		"409 for an unknown session": {nil, func(x *exchange) {
			if strings.Contains(string(x.body), "UNKNOWN_SESSION") {
				x.status = 409
			}
		}, []string{"unknown-session", "end", "errors"}},
		"404 for all that is deleted twice": {nil, func(x *exchange) {
			if x.Method == "DELETE" {
				x.status, x.body = 404, []byte(`{"error":"UNKNOWN_SESSION"}`)
			}
		}, []string{"unknown-session", "end"}},
		"another session id each time": {func(r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/sessions") && uuid.Validate(r.Header.Get("Request-Id")) == nil {
				r.Header.Set("Request-Id", uuid.NewString())
			}
		}, nil, []string{"request-ids"}},
		"requests act twice": {func(r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/answers") {
				r.Header.Set("Request-Id", uuid.NewString())
			}
		}, nil, []string{"request-ids"}},
		"any request id": {func(r *http.Request) {
			if r.Method == "POST" && uuid.Validate(r.Header.Get("Request-Id")) != nil {
				r.Header.Set("Request-Id", uuid.NewString())
			}
		}, nil, []string{"bad-request"}},
		"a short session id": {nil, func(x *exchange) {
			if x.is("POST", "/sessions") && x.status == 201 {
				x.body = []byte(`{"session":"7","turn":{"id":"t","type":"WAIT","for":"SOURCE"}}`)
			}
		}, []string{"login"}},
		"a turn of another type": {nil, func(x *exchange) { x.replace(`"type":"ASK"`, `"type":"BEG"`) }, []string{"turns"}},
		"a turn id each time": {nil, func(x *exchange) {
			if x.is("GET", "/turn") {
				n := strconv.FormatInt(seen.Add(1), 10)
				x.replace(`"id":"bankid"`, `"id":"bankid-`+n+`"`)
				x.replace(`"id":"in"`, `"id":"in-`+n+`"`)
			}
		}, []string{"turn-ids"}},
		"turns that change under an id": {nil, func(x *exchange) {
			if x.is("GET", "/turn") {
				x.replace(`{"turn":{`, `{"turn":{"n":`+strconv.FormatInt(seen.Add(1), 10)+`,`)
			}
		}, []string{"turn-ids"}},
		"a question asked twice": {nil, func(x *exchange) {
			x.replace(`"question":"code-2"`, `"question":"code-1"`)
		}, []string{"questions"}},
		"the login fails": {nil, func(x *exchange) { x.replace(`"type":"IN"`, `"type":"OUT","reason":"LOCKED"`) }, []string{"in"}},
		"endless pages": {nil, func(x *exchange) {
			x.replace(`{"accounts"`, `{"next":"accounts","accounts"`)
		}, []string{"pages"}},
		"no page": {nil, func(x *exchange) { x.replace(`{"accounts"`, `{"next":7,"accounts"`) }, []string{"pages"}},
		"pages that change": {nil, func(x *exchange) {
			if x.is("POST", "/pages") && x.status == 200 {
				x.replace(`{"accounts"`, `{"x":"`+x.Header.Get("Request-Id")+`","accounts"`)
			}
		}, []string{"cursors"}},
		"an amount that is a text": {nil, func(x *exchange) { x.replace("512000.25", `"many"`) }, []string{"products"}},
		"a product that is not listed": {nil, func(x *exchange) {
			x.replace(`"type":"OCCUPATIONAL_PENSION"`, `"type":"PRIVATE_PENSION"`)
			x.replace(`"benefitType":"DEFINED_CONTRIBUTION",`, ``)
		}, []string{"products"}},
		"missing without a reason": {nil, func(x *exchange) { x.replace(`{"accounts"`, `{"missing":[{"what":"loans"}],"accounts"`) }, []string{"products"}},
		"a huge turn": {nil, func(x *exchange) {
			if x.is("GET", "/turn") && x.status == 200 {
				x.replace(`{"turn":{`, `{"turn":{"pad":"`+strings.Repeat("x", 1<<20)+`",`)
			}
		}, []string{"turns", "sizes"}},
		"a page of many elements": {nil, func(x *exchange) {
			x.replace(`{"accounts"`, `{"pad":[0`+strings.Repeat(",0", 200_000)+`],"accounts"`)
		}, []string{"sizes"}},
		"a person with 5001 products": {nil, func(x *exchange) {
			x.replace(`{"accounts"`, `{"products":[{"type":"OCCUPATIONAL_PENSION","productNumber":"1"}`+
				strings.Repeat(`,{"type":"OCCUPATIONAL_PENSION","productNumber":"1"}`, 5000)+`],"accounts"`)
		}, []string{"sizes"}},
		"a person with 201 pages": {func(r *http.Request) {
			if r.Body != nil {
				text, _ := io.ReadAll(r.Body)
				if _, cursor, later := strings.Cut(string(text), `"cursor":"more-`); later {
					r.Header.Set("X-Page", strings.TrimSuffix(cursor, `"}`))
					text = []byte(`{"cursor":"accounts"}`)
				}
				r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
			}
		}, func(x *exchange) {
			n, _ := strconv.Atoi(x.Header.Get("X-Page"))
			x.replace(`{"accounts"`, `{"next":"more-`+strconv.Itoa(n+1)+`","accounts"`)
		}, []string{"sizes"}},
		"400 for an unknown institution": {nil, func(x *exchange) {
			if strings.Contains(string(x.body), "UNKNOWN_INSTITUTION") {
				x.status, x.body = 400, []byte(`{"error":"BAD_REQUEST"}`)
			}
		}, []string{"unknown-institution"}},
		"members of later versions are refused": {func(r *http.Request) {
			if r.Body != nil {
				text, _ := io.ReadAll(r.Body)
				if bytes.Contains(text, []byte("memberOfALaterVersion")) {
					text = []byte("{}")
				}
				r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
			}
		}, nil, []string{"unknown-members"}},
		"a number in a cursor": {func(r *http.Request) {
			if r.Body != nil {
				text, _ := io.ReadAll(r.Body)
				text = bytes.ReplaceAll(text, []byte("accounts-"+sourcetest.PersonalNumber), []byte("accounts"))
				r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
			}
		}, func(x *exchange) { x.replace(`"next":"accounts"`, `"next":"accounts-`+sourcetest.PersonalNumber+`"`) }, []string{"personal-data"}},
	} {
		for _, check := range c.want {
			found[check] = true
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report := sourcecheck.Run(t.Context(), options(proxy(t, good, c.before, c.after)))
			if got := result(report, sourcecheck.Failed); report.OK || !slices.Equal(got, c.want) {
				t.Errorf("failed %v, want %v\n%s", got, c.want, details(report))
			}
		})
	}
	report := sourcecheck.Run(t.Context(), options(proxy(t, good, nil, nil)))
	if !report.OK {
		t.Errorf("through a proxy that changes nothing:\n%s", details(report))
	}
	for _, c := range report.Checks {
		if !found[c.Name] && c.Name != "times" {
			t.Errorf("no test breaks the rule of %s", c.Name)
		}
	}
}

func TestRun_FindsSlowAnswers(t *testing.T) {
	o := options(sourcetest.Go(t))
	o.Clock, o.Wait = clock.NewFast(time.Now(), 1_000_000), 100_000*time.Hour // a millisecond is a quarter of an hour
	if report := sourcecheck.Run(t.Context(), o); !slices.Equal(result(report, sourcecheck.Failed), []string{"times"}) {
		t.Error(details(report))
	}
}

func TestRun_SaysWhichAnswerItNeeds(t *testing.T) {
	o := options(sourcetest.Go(t))
	o.Answers = nil
	var told []string
	o.Tell = func(said string) { told = append(told, said) }
	report := sourcecheck.Run(t.Context(), o)
	if q := report.NeedsAnswer; report.OK || q == nil || q.Kind != "CODE" || !slices.Equal(q.Choices, []string{"RESEND"}) {
		t.Error(details(report))
	}
	if len(told) != 1 || !strings.HasPrefix(told[0], "waiting for BANKID: bankid.") {
		t.Errorf("told %q", told)
	}
}

func TestRun_StopsWithoutAnAnswer(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	report := sourcecheck.Run(t.Context(), options(s.URL))
	if report.OK || report.Failed != 1 || report.Passed != 0 || strings.Contains(details(report), s.URL) {
		t.Error(details(report))
	}
	if d := check(report, "institutions").Details; len(d) != 1 || !strings.Contains(d[0], "connection refused") {
		t.Errorf("said %q", d)
	}
}

// What the caller chose wrongly is said with what there is to choose.
func TestRun_SaysWhatIsOffered(t *testing.T) {
	base := sourcetest.Go(t)
	for name, c := range map[string]struct {
		change func(*sourcecheck.Options)
		check  string
		want   string
	}{
		"institution":  {func(o *sourcecheck.Options) { o.Institution = "se-other" }, "institutions", `"se-other" is not listed: the source has ["` + sourcetest.Institution + `"]`},
		"login method": {func(o *sourcecheck.Options) { o.LoginMethod = "FAX" }, "institutions", `login method "FAX": it has ["SWEDISH_MOBILE_BANKID_OTHER_DEVICE"`},
		"parameter":    {func(o *sourcecheck.Options) { o.Parameters.PersonalNumber = "" }, "login", "--personal-number"},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(base)
			c.change(&o)
			report := sourcecheck.Run(t.Context(), o)
			if d := check(report, c.check).Details; report.Failed != 1 || len(d) != 1 || !strings.Contains(d[0], c.want) {
				t.Errorf("want %q\n%s", c.want, details(report))
			}
		})
	}
}

// What the source says of a refusal is in the report, unless it has something of the person.
func TestRun_RepeatsWhatTheSourceSays(t *testing.T) {
	good := sourcetest.Go(t)
	for message, repeated := range map[string]bool{"no such day": true, "nobody is " + sourcetest.PersonalNumber: false} {
		base := proxy(t, good, nil, func(x *exchange) {
			if x.status == 409 {
				x.status, x.body = 400, []byte(`{"error":"BAD_REQUEST","message":"`+message+`"}`)
			}
		})
		report := sourcecheck.Run(t.Context(), options(base))
		want := `status 400 BAD_REQUEST, want 409 TURN_NEEDED`
		if repeated {
			want = `status 400 BAD_REQUEST ("no such day"), want 409 TURN_NEEDED`
		}
		if d := check(report, "turn-needed").Details; len(d) == 0 || !strings.HasSuffix(d[0], want) {
			t.Errorf("said %q, want %s", d, want)
		}
		if clean := check(report, "personal-data").Result == sourcecheck.Passed; clean != repeated || strings.Contains(details(report), sourcetest.PersonalNumber) {
			t.Error(details(report))
		}
	}
}

// A source may close the connection on which it got too much; no later call uses that.
func TestRun_SendsNothingAfterTooMuch(t *testing.T) {
	target, err := url.Parse(sourcetest.Go(t))
	if err != nil {
		t.Fatal(err)
	}
	pass := httputil.NewSingleHostReverseProxy(target)
	var over sync.Map // addresses from which too much came
	var found, later atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, is := over.Load(r.RemoteAddr); is {
			later.Add(1)
		}
		if r.ContentLength > 1<<20 {
			over.Store(r.RemoteAddr, true)
			found.Add(1)
		}
		pass.ServeHTTP(w, r)
	}))
	defer s.Close()
	if report := sourcecheck.Run(t.Context(), options(s.URL)); !report.OK {
		t.Error(details(report))
	}
	if found.Load() != 1 || later.Load() != 0 {
		t.Errorf("%d bodies were too large, want 1; %d calls came after them, want 0", found.Load(), later.Load())
	}
}

func TestParseAnswers_ReadsFlagsAndFile(t *testing.T) {
	got, err := sourcecheck.ParseAnswers([]string{"code=1=2", "choice=SMS", "EMAIL=a@example.com"}, []byte(`[{"response":{"headers":{},"body":{"a":1}}}]`))
	if err != nil || len(got) != 4 || got[0].Code != "1=2" || got[1].Choice != "SMS" || got[2].Inputs["EMAIL"] != "a@example.com" || string(got[3].Response.Body) != `{"a":1}` {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, bad := range []string{"code", "=1", ""} {
		if _, err := sourcecheck.ParseAnswers([]string{bad}, nil); err == nil {
			t.Errorf("%q is an answer", bad)
		}
	}
	for _, bad := range []string{``, `{}`, `[{"pin":"1"}]`, `[7]`} {
		if _, err := sourcecheck.ParseAnswers(nil, []byte(bad)); err == nil {
			t.Errorf("%q is a file of answers", bad)
		}
	}
}

// A login that a source should have refused, or begun once, is not left open: nobody is to be
// asked to sign there.
func TestRun_LeavesNoSession(t *testing.T) {
	var begun, ended atomic.Int64
	url := proxy(t, sourcetest.Go(t), func(r *http.Request) {
		if r.Method == "POST" && strings.HasSuffix(r.URL.Path, "/sessions") {
			r.Header.Set("Request-Id", uuid.NewString())
		}
	}, func(x *exchange) {
		switch {
		case x.status == 201:
			begun.Add(1)
		case x.Method == "DELETE" && x.status == 204:
			ended.Add(1)
		}
	})
	report := sourcecheck.Run(t.Context(), options(url))
	if got := result(report, sourcecheck.Failed); !slices.Equal(got, []string{"bad-request", "request-ids"}) {
		t.Error(details(report))
	}
	// Beside these, one that never was is ended, and two are ended twice.
	if n := begun.Load(); n < 5 || ended.Load() != n+3 {
		t.Errorf("%d sessions begun, %d ended", n, ended.Load())
	}
}
