package sources

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"samla/internal/apiclient"
	"samla/internal/clock"
	"samla/internal/devserver"
	"samla/internal/sandbox/source"
	"samla/test/harness"
)

const demoMethod = "SWEDISH_MOBILE_BANKID_OTHER_DEVICE_MOCK"

// sandboxed is a server with the sandbox, on a clock that runs faster, and one user.
type sandboxed struct {
	*devserver.Environment
	client *apiclient.Client
	token  string
	clock  clock.Clock
}

func newSandboxed(t *testing.T) *sandboxed {
	t.Helper()
	log := harness.NewLog()
	clk := clock.NewFast(time.Now(), 10)
	e, err := devserver.Start(t.Context(), devserver.Config{Dir: t.TempDir(), Clock: clk, Log: log.Logger()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := e.Stop(ctx); err != nil {
			t.Error(err)
		}
		log.Check(t)
	})
	validating := harness.Contract(t).Transport(http.DefaultTransport, func(err error) { t.Errorf("contract violation: %v", err) })
	s := &sandboxed{Environment: e, clock: clk, client: &apiclient.Client{Base: e.Server.URL(), APIKey: e.APIKey, HTTP: &http.Client{Transport: validating}}}
	user, err := s.client.CreateUser(t.Context(), "customer-1")
	if err == nil {
		s.token, err = s.client.CreateSession(t.Context(), user.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// begin starts a collection and returns its id.
func (s *sandboxed) begin(ctx context.Context, t *testing.T, company, method, number string) string {
	t.Helper()
	c, err := s.client.StartLogin(ctx, s.token, apiclient.Login{Company: company, LoginMethod: method, PersonalNumber: number})
	if err != nil {
		t.Fatal(err)
	}
	return c.ID
}

// end polls a collection to its end, and returns its last status.
func (s *sandboxed) end(ctx context.Context, t *testing.T, id string) string {
	t.Helper()
	seen := answerCodes(ctx, t, s.client, s.token, id, "123456")
	return seen[len(seen)-1]
}

// A source that misbehaves ends a collection with a documented status, in bounded time.
func TestFaultySource_EndsWithADocumentedStatus(t *testing.T) {
	t.Parallel()
	s := newSandboxed(t)
	const number = "199312252399" // one product
	for _, c := range []struct {
		name  string
		fault source.Fault
		want  []string
	}{
		{"none", source.Fault{}, []string{"COMPLETED"}},
		{"unknown turns", source.Fault{Turns: "UNKNOWN"}, []string{"THIRD_PARTY_ERROR"}},
		{"turns without type", source.Fault{Turns: "NONE"}, []string{"THIRD_PARTY_ERROR"}},
		{"huge turns", source.Fault{Turns: "HUGE"}, []string{"THIRD_PARTY_ERROR"}},
		{"endless pages", source.Fault{Pages: "ENDLESS"}, []string{"COMPLETED_PARTIAL"}},
		{"a page that leads to itself", source.Fault{Pages: "SAME"}, []string{"COMPLETED_PARTIAL"}},
		{"huge pages", source.Fault{Pages: "HUGE"}, []string{"THIRD_PARTY_ERROR"}},
		{"unknown products", source.Fault{Pages: "UNKNOWN"}, []string{"COMPLETED_PARTIAL"}},
		{"lies", source.Fault{Pages: "LIES"}, []string{"COMPLETED_PARTIAL"}},
		{"empty pages without end", source.Fault{Pages: "EMPTY"}, []string{"COMPLETED_PARTIAL"}},
		{"text in place of a login", source.Fault{Calls: []string{"sessions"}, Status: 200, Body: "hello"}, []string{"THIRD_PARTY_ERROR"}},
		{"text in place of pages", source.Fault{Calls: []string{"pages"}, Status: 200, Body: "hello"}, []string{"THIRD_PARTY_ERROR"}},
		{"400", source.Fault{Status: 400, Body: `{"error":"BAD_REQUEST"}`}, []string{"FAILED"}},
		{"401", source.Fault{Status: 401, Body: `{"error":"UNAUTHORIZED"}`}, []string{"FAILED"}},
		{"500 once", source.Fault{Status: 500, Times: 1}, []string{"COMPLETED"}},
		{"500 for pages once", source.Fault{Calls: []string{"pages"}, Status: 500, Times: 1}, []string{"COMPLETED"}},
		{"the session is lost", source.Fault{Calls: []string{"pages"}, Status: 404, Body: `{"error":"UNKNOWN_SESSION"}`}, []string{"THIRD_PARTY_ERROR"}},
		{"lost answers", source.Fault{Lost: true, Times: 2}, []string{"COMPLETED"}},
		// Not the end of the login before, which may come late and would count.
		{"in and out by turns", source.Fault{Calls: []string{"sessions", "turn", "answers", "pages"}, Turns: "JUMP"}, []string{"COMPLETED", "THIRD_PARTY_ERROR"}},
		{"500", source.Fault{Status: 500}, []string{"THIRD_PARTY_ERROR"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.Sandbox.SourceService().SetFault("se-demo", c.fault)
			ctx, cancel := context.WithTimeout(t.Context(), 6*time.Minute)
			defer cancel()
			got := s.end(ctx, t, s.begin(ctx, t, "se-demo", demoMethod, number))
			if !slices.Contains(c.want, got) {
				t.Errorf("the status is %s, want %v", got, c.want)
			}
		})
	}
}

// A source that never answers does not slow another one down, and its own persons are told
// in bounded time.
func TestFaultySource_SlowsNoOther(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for limits of time")
	}
	t.Parallel()
	s := newSandboxed(t)
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	s.Sandbox.SourceService().SetFault("se-demo", source.Fault{Calls: []string{"pages"}, DelayMS: -1})
	var hanging []string
	for range 20 {
		hanging = append(hanging, s.begin(ctx, t, "se-demo", demoMethod, "199312252399"))
	}
	polling, stop := context.WithCancel(ctx)
	var polls sync.WaitGroup
	defer polls.Wait()
	defer stop()
	for _, id := range hanging { // a collection that is not polled ends after seven seconds of the machine
		polls.Go(func() {
			for clock.Sleep(polling, clock.System(), time.Second) == nil {
				_, _ = s.client.PollCollection(polling, s.token, id)
			}
		})
	}
	if status := s.end(ctx, t, s.begin(ctx, t, "se-sandbox-savings", "SWEDISH_SECURITY_TOKEN", "199006022397")); status != "COMPLETED" {
		t.Errorf("a healthy source beside it: %s", status)
	}
	for _, id := range hanging {
		c, err := s.client.PollCollection(ctx, s.token, id)
		if err != nil {
			t.Fatal(err)
		}
		if c.Finished() {
			t.Errorf("the healthy source was slower than the time limit of the other, which is %s", c.Status)
		}
	}
	if status := s.end(ctx, t, hanging[0]); status != "THIRD_PARTY_ERROR" {
		t.Errorf("the source that never answers: %s", status)
	}
}
