package samla

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
)

// transport answers requests without a network, so that a test can hold the time.
type transport func(*http.Request) (status int, header, body string)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) {
	status, after, body := f(r)
	h := http.Header{}
	if after != "" {
		h.Set("Retry-After", after)
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// An answer that the server cannot take now is handed over again, not before Retry-After;
// the person is asked once.
func TestAwaitCollection_HandsAnAnswerOverAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const id = "01a21bf8-f1c6-73fa-bdbe-839fa1b366fc"
		var mu sync.Mutex
		var taken []time.Time
		var asked int
		c, err := New("https://samla.example", "samla_x", &http.Client{Transport: transport(func(r *http.Request) (int, string, string) {
			mu.Lock()
			defer mu.Unlock()
			switch {
			case r.Method == http.MethodPost && len(taken) == 0:
				taken = append(taken, time.Now())
				return http.StatusServiceUnavailable, "20", ""
			case r.Method == http.MethodPost:
				taken = append(taken, time.Now())
				return http.StatusNoContent, "", ""
			case len(taken) < 2:
				return http.StatusOK, "", `{"id":"` + id + `","company":"se-x","status":"TWO_FACTOR_PENDING","pollingInterval":1000,"extraInformation":{"QUESTION_ID":"q1"}}`
			}
			return http.StatusOK, "", `{"id":"` + id + `","company":"se-x","status":"COMPLETED","pollingInterval":null}`
		})})
		if err != nil {
			t.Fatal(err)
		}
		s, err := c.AwaitCollection(t.Context(), uuid.MustParse(id), Person{Ask: func(context.Context, Question) (Answer, error) {
			asked++
			return Answer{Code: "123456"}, nil
		}})
		if err != nil || s.Status != CollectionStatusCOMPLETED || asked != 1 || len(taken) != 2 || taken[1].Sub(taken[0]) < 20*time.Second {
			t.Errorf("%s after %d questions and answers at %v: %v", s.Status, asked, taken, err)
		}
	})
}
