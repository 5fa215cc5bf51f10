package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	v20260401 "samla/internal/api/v20260401"
	"samla/internal/clock"
	"samla/internal/company"
	"samla/internal/dialogue"
	"samla/internal/institution"
	"samla/internal/seal/keyset"
	"samla/internal/server"
)

// asking is an institution in memory that asks each person for a code, and waits.
type asking struct{ institution.Loginer }

func (asking) Login(_ context.Context, r institution.LoginRequest) (institution.LoginSession, error) {
	return institution.LoginSession{ID: r.RequestID, Turn: theQuestion}, nil
}

func (asking) Turn(context.Context, string) (dialogue.Turn, error) { return theQuestion, nil }

func (asking) EndLogin(context.Context, string, string) error { return nil }

var theQuestion = dialogue.Turn{ID: "t1", PollAfter: 10 * time.Second, Ask: &dialogue.Ask{Question: "q1", Kind: dialogue.Code, ResponseType: "NUMBER_CODE",
	Message: "Enter the code.", Choices: []dialogue.Choice{{ID: dialogue.Resend, Name: "New code"}}}}

// loginServer is a server with that institution, and a function that makes its requests.
func loginServer(b *testing.B) (*server.Server, func(method, path, body string) *http.Request) {
	b.Helper()
	master, err := keyset.NewMaster()
	if err != nil {
		b.Fatal(err)
	}
	s, err := server.New(b.Context(), server.Config{Listen: "127.0.0.1:0", Database: b.TempDir(), MaxWaiting: 1 << 20},
		server.Parts{Clock: clock.System(), Log: slog.New(slog.DiscardHandler), Master: master, Institutions: institution.Set{"se-a": {
			Company: company.Company{ID: "se-a", LoginMethods: []string{"SWEDISH_SECURITY_TOKEN"}, Needs: []string{company.NeedsPersonalNumber}}, Loginer: asking{}}}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Stop(context.WithoutCancel(b.Context())); err != nil {
			b.Error(err)
		}
	})
	if err := s.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	_, secret, err := s.Authn.CreateKey(b.Context(), "bench", "bench", "")
	if err != nil {
		b.Fatal(err)
	}
	return s, func(method, path, body string) *http.Request {
		r, err := http.NewRequestWithContext(b.Context(), method, path, strings.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		r.Header.Set("Authorization-Token", secret)
		r.Header.Set("Insurely-Version", v20260401.Version)
		r.Header.Set("Content-Type", "application/json")
		return r
	}
}

const loginBody = `{"company":"se-a","loginMethod":"SWEDISH_SECURITY_TOKEN","parameters":[{"type":"SWEDISH_BANKID","personalNumber":"199006022397"}]}`

// The cost of a login without the network: a status poll while the person is asked, beside a
// bare handler that writes the same bytes, and a start, beside the creation of a user, which
// is one small commit. The metric ratio is how many times the other one it costs.
func BenchmarkLogin(b *testing.B) {
	s, request := loginServer(b)
	h := s.Handler()
	b.Run("status", func(b *testing.B) {
		w := &sink{header: http.Header{}}
		h.ServeHTTP(w, request(http.MethodPost, "/collections", loginBody))
		var begun struct{ ID string }
		if err := json.Unmarshal(w.body, &begun); err != nil || w.status != http.StatusCreated {
			b.Fatalf("%d %s", w.status, w.body)
		}
		poll := request(http.MethodGet, "/collections/"+begun.ID+"/status", "")
		for !bytes.Contains(w.body, []byte(`"questionId":"q1"`)) {
			if err := b.Context().Err(); err != nil {
				b.Fatal(err)
			}
			h.ServeHTTP(w, poll)
		}
		body := bytes.Clone(w.body)
		mux := http.NewServeMux()
		mux.HandleFunc("GET /collections/{id}/status", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(body)
		})
		compare(b, func() { clear(w.header); h.ServeHTTP(w, poll) }, func() { clear(w.header); mux.ServeHTTP(w, poll) })
		if w.status != http.StatusOK {
			b.Fatalf("%d %s", w.status, w.body)
		}
	})
	b.Run("create", func(b *testing.B) {
		w, users := &sink{header: http.Header{}}, 0
		start, user := request(http.MethodPost, "/collections", loginBody), request(http.MethodPost, "/users", "")
		send := func(r *http.Request, body string) {
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
			clear(w.header)
			if h.ServeHTTP(w, r); w.status != http.StatusCreated {
				b.Fatalf("%d %s", w.status, w.body)
			}
		}
		compare(b, func() { send(start, loginBody) }, func() {
			users++
			send(user, `{"externalId":"`+strconv.Itoa(b.N)+"-"+strconv.Itoa(users)+`"}`)
		})
	})
}

// compare measures one function and reports how many times another it costs. They run by
// turns, so that what else the machine does meets both.
func compare(b *testing.B, one, other func()) {
	b.Helper()
	b.ReportAllocs()
	const turn = 64
	var ours, theirs time.Duration
	clk := clock.System()
	for n := 0; n < b.N; n += turn {
		rest := min(turn, b.N-n)
		b.StopTimer()
		began := clk.Now()
		for range rest {
			other()
		}
		theirs += clk.Now().Sub(began)
		b.StartTimer()
		began = clk.Now()
		for range rest {
			one()
		}
		ours += clk.Now().Sub(began)
	}
	b.ReportMetric(float64(ours)/float64(max(theirs, 1)), "ratio")
}
