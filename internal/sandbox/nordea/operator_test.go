package nordea_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"samla/internal/clock"
	"samla/internal/clock/clocktest"
	"samla/internal/sandbox/nordea"
)

// breaks sends a request and returns the error of the connection.
func (c *client) breaks(method, path, body string) error {
	c.Helper()
	got, err := c.server.Client().Do(c.request(method, path, body))
	if err != nil {
		return err
	}
	defer func() { _ = got.Body.Close() }()
	_, err = io.ReadAll(got.Body)
	return err
}

func (e *env) untilWaiting() {
	e.Helper()
	clocktest.Waiting(e.TB, e.clock.(*clock.Manual), 1, "the delay")
}

func TestCalls_AreCountedByKind(t *testing.T) {
	c := start(t, nil).client()
	r := c.reader(maja, all)
	r.call("GET", accounts, "").want(200)
	r.absent().call("GET", accounts, "").want(200)
	r.call("GET", accounts+"/"+r.first(), "").want(200)
	c.call("GET", accounts, "").want(401)
	c.call("GET", "/personal/v5/unknown", "").want(404)
	for kind, want := range map[string]int{
		"GET personal/v5/accounts attended":                    3, // two reads and a refusal
		"GET personal/v5/accounts":                             1,
		"GET personal/v5/accounts/* attended":                  1,
		"POST personal/v5/decoupled/authentications attended":  1,
		"GET personal/v5/decoupled/authentications/* attended": 1,
		"POST personal/v5/decoupled/authorizations attended":   1,
		"POST personal/v5/decoupled/token attended":            1,
		"GET personal/other":                                   1,
	} {
		if got := c.Calls().Count(kind); got != want {
			t.Errorf("%d of %s, want %d: %v", got, kind, want, c.Calls().Counts())
		}
	}
	if got := c.Stats(); got.Logins != 1 || got.Grants != 1 || got.AttendedReads != 3 || got.UnattendedReads != 1 {
		t.Errorf("%+v", got)
	}
}

func TestLog_ContainsNoSecrets(t *testing.T) {
	var log strings.Builder
	var mu sync.Mutex
	c := start(t, func(c *nordea.Config) {
		c.Log = slog.New(slog.NewTextHandler(lockedWriter{&mu, &log}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}).client()
	r := c.reader(maja, all)
	r.call("GET", accounts, "").want(200)
	c.FailJournal()
	r.absent().call("GET", accounts, "").want(500)
	mu.Lock()
	defer mu.Unlock()
	for _, secret := range []string{maja, r.token, "secret-1", "SE"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log contains %q: %s", secret, log.String())
		}
	}
}

type lockedWriter struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

func TestOperatorEndpoints_ActOnTheBank(t *testing.T) {
	c := start(t, nil).client()
	tokens := c.grant(maja, all)
	mux := http.NewServeMux()
	c.MountOperator(mux)
	do := func(method, path, body string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(method, "/sandbox/nordea/se-demo-nordea"+path, strings.NewReader(body)))
		return w
	}
	shown := do("GET", "", "")
	if shown.Code != 200 || !strings.Contains(shown.Body.String(), `"grants":[{`) || strings.Contains(shown.Body.String(), maja) ||
		strings.Contains(shown.Body.String(), tokens.text("access_token")) {
		t.Errorf("%d %s", shown.Code, shown.Body)
	}
	id := c.Grants()[0].ID
	for _, k := range []struct {
		method, path, body string
		status             int
	}{
		{"POST", "/grants/unknown/revoke", "", 404}, {"POST", "/grants/" + id + "/revoke", "", 204}, {"POST", "/grants/" + id + "/revoke", "", 409},
		{"PUT", "/faults", `[{"deviation":"lost","times":1,"kinds":["v5/accounts"]}]`, 204}, {"PUT", "/faults", `[{"deviation":"odd"}]`, 400},
		{"PUT", "/faults", `[]`, 204}, {"PUT", "/faults", `{}`, 400}, {"PUT", "/faults", `[{"unknown":1}]`, 400},
		{"POST", "/redirects", `{"clientId":"app-1","redirectUri":"https://new.example/back"}`, 204},
		{"POST", "/redirects", `{"clientId":"app-3","redirectUri":"https://new.example/back"}`, 400}, {"POST", "/redirects", `x`, 400},
	} {
		if got := do(k.method, k.path, k.body); got.Code != k.status {
			t.Errorf("%s %s %s: %d %s", k.method, k.path, k.body, got.Code, got.Body)
		}
	}
	c.as(tokens.text("access_token")).reads(401, "error.token.invalid")
}

// Many persons log in and read at once, and two use one code. Run with the race detector.
func TestBank_ServesManyAtOnce(t *testing.T) {
	c := start(t, nil).client()
	shared := c.call("POST", "/personal/v5/decoupled/authorizations", authorization(c.code(birgitta), all)).want(200).text("code")
	var wg sync.WaitGroup
	var mu sync.Mutex
	statuses := map[int]int{}
	for _, person := range []string{maja, ester, sten, alva, elsa, noa} {
		wg.Go(func() {
			r := c.reader(person, all)
			for range 3 {
				r.call("GET", accounts, "").want(200)
				r.transactions("?")
			}
		})
		wg.Go(func() {
			got := c.exchange(shared).status
			mu.Lock()
			defer mu.Unlock()
			statuses[got]++
		})
	}
	wg.Go(func() {
		for range 20 {
			c.Stats()
			c.Grants()
		}
	})
	wg.Wait()
	if statuses[200] != 1 || statuses[400] != 5 {
		t.Errorf("the code was answered with %v", statuses)
	}
	if got := c.Stats().Grants; got != 7 {
		t.Errorf("%d grants", got)
	}
}

func FuzzParseSignature(f *testing.F) {
	f.Add(`keyId="a",algorithm="rsa-sha256",headers="(request-target) date",signature="AAAA"`)
	f.Add(`keyId="",algorithm="",headers="",signature=""`)
	f.Add(`a="b", c="`)
	f.Add(`keyId="a", algorithm="b", headers="c", signature="AAAA",`)
	f.Fuzz(func(t *testing.T, header string) {
		id, headers, value, ok := nordea.ParseSignature(header)
		if ok && (id == "" || len(headers) == 0 || len(value) == 0) {
			t.Fatalf("%q is accepted with an empty member", header)
		}
		if ok && strings.Count(header, `"`) != 8 {
			t.Fatalf("%q is accepted with other members", header)
		}
	})
}

func FuzzParseKey(f *testing.F) {
	bank, err := nordea.New(nordea.Config{Behaviour: nordea.DefaultBank(), Clock: clock.NewManual(startTime)})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("")
	f.Add("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	f.Fuzz(func(t *testing.T, key string) {
		if nordea.ParseKey(bank, key) {
			t.Fatalf("%q is a key of the bank", key)
		}
	})
}
