package source_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"samla/internal/clock/clocktest"
	"samla/internal/sandbox/source"
)

func TestFault_ChangesOnlyItsCalls(t *testing.T) {
	w := start(t)
	set := func(institution string, f source.Fault) {
		t.Helper()
		body, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		w.call("PUT", "/sandbox/sources/"+institution+"/fault", string(body)).want(204)
	}
	l := w.begin(demo, mock, "200001020000")
	other := w.begin("se-sandbox-savings", "SWEDISH_SECURITY_TOKEN", anna)

	set(demo, source.Fault{Calls: []string{"turn"}, Times: 2, Status: 502, Body: "<html>"})
	for range 2 {
		if r := w.call("GET", l.path("turn"), "").want(502); string(r.body) != "<html>" {
			t.Errorf("%s", r.body)
		}
		other.next()
		w.begin(demo, mock, anna)
	}
	w.clock.Advance(time.Second)
	l.next()

	for name, check := range map[string]func(p page, r response){
		"ENDLESS": func(p page, _ response) {
			var next page
			l.page(p.Next).decode(&next)
			if p.Next == "" || next.Next == p.Next || len(next.Products) != 1 {
				t.Errorf("%v, %v", p.Next, next.Next)
			}
		},
		"EMPTY":   func(p page, _ response) { wantTrue(t, p.Next != "" && len(p.Products) == 0) },
		"SAME":    func(p page, _ response) { wantTrue(t, p.Next == "1") },
		"HUGE":    func(_ page, r response) { wantTrue(t, len(r.body) > 16<<20) },
		"UNKNOWN": func(_ page, r response) { wantTrue(t, strings.Contains(string(r.body), "CRYSTAL_BALL")) },
		"LIES":    func(_ page, r response) { wantTrue(t, strings.Contains(string(r.body), `"much"`)) },
	} {
		t.Run(name, func(*testing.T) {
			set(demo, source.Fault{Pages: name})
			r := l.page("").want(200)
			var p page
			_ = json.Unmarshal(r.body, &p) // some are no pages
			check(p, r)
		})
	}
	for name, want := range map[string]string{"UNKNOWN": "DANCE", "NONE": `"turn":{"id"`, "HUGE": "xxxxx", "BACK": `"ASK"`, "JUMP": `"type":"`} {
		set(demo, source.Fault{Calls: []string{"turn"}, Turns: name})
		if r := w.call("GET", l.path("turn"), "").want(200); !strings.Contains(string(r.body), want) || name == "NONE" && strings.Contains(string(r.body), `"type"`) {
			t.Errorf("%s: %.200s", name, r.body)
		}
	}
	set(demo, source.Fault{})
	d := w.begin(demo, device, anna)
	set(demo, source.Fault{Turns: "HOST"})
	if d.next(); !strings.Contains(d.turn.Request.URL, "elsewhere.example") {
		t.Errorf("%+v", d.turn)
	}
	set(demo, source.Fault{})
	if l.next().Type != "IN" {
		t.Errorf("%+v", l.turn)
	}
	if all, _, whole := l.read(); !whole || len(all.Products) != 26 {
		t.Errorf("%d products", len(all.Products))
	}
	w.call("PUT", "/sandbox/sources/se-nobody/fault", "{}").want(404)
	if r := w.call("GET", "/sandbox/sources", "").want(200); !strings.Contains(string(r.body), demo) {
		t.Errorf("%s", r.body)
	}
}

// A fault with a misspelt member or value would do nothing, and let a test pass.
func TestPutFault_RefusesWhatItDoesNotKnow(t *testing.T) {
	w := start(t)
	fault := "/sandbox/sources/" + demo + "/fault"
	w.call("PUT", fault, `{"status":502}`).want(204)
	for body, said := range map[string]string{
		"[": "no fault", "": "no fault", `{"times":"x"}`: "no fault", `{"pags":"ENDLESS"}`: "pags",
		`{"status":7}`: "status", `{"calls":["page"]}`: "institutions", `{"times":-1}`: "times", `{"delayMs":-2}`: "delayMs",
		`{"pages":"ENDLES"}`: "ENDLESS", `{"turns":"ENDLESS"}`: "JUMP",
	} {
		if r := w.call("PUT", fault, body).want(400); !strings.Contains(string(r.body), said) {
			t.Errorf("%s: %s", body, r.body)
		}
	}
	if r := w.call("GET", "/sandbox/sources", "").want(200); !strings.Contains(string(r.body), "502") {
		t.Errorf("a refused fault replaced another: %s", r.body)
	}
}

func wantTrue(t *testing.T, ok bool) {
	t.Helper()
	if !ok {
		t.Error("the answer is not the faulty one")
	}
}

// A slow institution waits by the sandbox's clock; one that hangs waits for its caller.
func TestFault_Delays(t *testing.T) {
	w := start(t)
	if !w.SetFault(demo, source.Fault{DelayMS: 3000}) || w.SetFault("se-nobody", source.Fault{}) {
		t.Error("the wrong institutions are known")
	}
	done := make(chan response)
	go func() { done <- w.call("POST", w.pathOf(demo)+"sessions", loginBody(demo, mock, anna)) }()
	clocktest.Waiting(t, w.clock, 1, "the delay")
	select {
	case <-done:
		t.Error("answered before the delay was over")
	default:
	}
	w.clock.Advance(3 * time.Second)
	(<-done).want(201)
}

// An institution that acts and loses its answer has acted once.
func TestFault_LostAnswerWasAnEffect(t *testing.T) {
	w := start(t)
	l := w.begin("se-sandbox-savings", "SWEDISH_SECURITY_TOKEN", anna)
	w.SetFault("se-sandbox-savings", source.Fault{Calls: []string{"answers"}, Times: 1, Lost: true})
	server := httptest.NewServer(w.mux)
	defer server.Close()
	ask := func() (*http.Response, error) {
		r, err := http.NewRequest("POST", server.URL+l.path("answers"), strings.NewReader(`{"question":"`+l.turn.Question+`","code":"000000"}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+secret)
		r.Header.Set("Request-Id", "7b3f2f52-5e0c-4f3c-9f3a-0b1f7c9f0a11")
		return server.Client().Do(r)
	}
	if r, err := ask(); err == nil {
		_ = r.Body.Close()
		t.Fatalf("status %d", r.StatusCode)
	}
	r, err := ask()
	if err != nil || r.StatusCode != 200 {
		t.Fatalf("%v, %v", r, err)
	}
	_ = r.Body.Close()
	if l.next(); *l.turn.AttemptsLeft != 2 {
		t.Errorf("%+v", l.turn)
	}
}
