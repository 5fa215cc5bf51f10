package cases

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// endlessAnswers is how often an endless answer is given. After that the bank's list
// ends, so that a server without a bound ends too.
const endlessAnswers = 1201

// script is a list of answers and what was given of it.
type script struct {
	answers []answer

	mu    sync.Mutex
	given []bool         // the answers that were given, by index
	asked map[string]int // number of answers to a request, by ask
}

func newScript(answers []answer) *script {
	return &script{answers: answers, given: make([]bool, len(answers)), asked: map[string]int{}}
}

// request is what conditions apply to.
type request struct {
	ask    string
	query  url.Values
	header http.Header
	now    time.Time
}

// choose returns the answer to a request and how many answers this request had before.
// Of the answers whose conditions are true those with the most conditions are given one
// after the other, and the last of them is repeated.
func (s *script) choose(r request) (_ answer, earlier int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var best []int
	most := -1
	for i, a := range s.answers {
		if n := len(a.If) + len(a.IfHeader); n >= most && a.applies(r) {
			if n > most {
				best, most = nil, n
			}
			best = append(best, i)
		}
	}
	if len(best) == 0 {
		return answer{}, 0, false
	}
	next := best[len(best)-1]
	if i := slices.IndexFunc(best, func(i int) bool { return !s.given[i] }); i >= 0 {
		next = best[i]
	}
	s.given[next] = true
	earlier = s.asked[r.ask]
	s.asked[r.ask]++
	return s.answers[next], earlier, true
}

// applies reports whether an answer is for this request and its conditions are true.
func (a answer) applies(r request) bool {
	if a.Ask != r.ask {
		return false
	}
	for name, condition := range a.If {
		if !holds(condition, r.query, name, r.now) {
			return false
		}
	}
	for name, value := range a.IfHeader {
		if r.header.Get(name) != value {
			return false
		}
	}
	return true
}

// holds reports whether a condition on a query parameter is true.
func holds(condition string, query url.Values, name string, now time.Time) bool {
	if condition == "" {
		return !query.Has(name)
	}
	if !query.Has(name) {
		return false
	}
	value := query.Get(name)
	if condition == "*" {
		return true
	}
	if days, ok := strings.CutPrefix(condition, "older than "); ok {
		n, err := strconv.Atoi(strings.TrimSuffix(days, " days"))
		date, invalid := time.Parse(time.DateOnly, value)
		if err == nil {
			return invalid == nil && date.Before(today(now).AddDate(0, 0, -n))
		}
	}
	return value == condition
}

const day = 24 * time.Hour

// today returns midnight of the day, in UTC.
func today(now time.Time) time.Time { return now.UTC().Truncate(day) }

// content returns the body of an answer; earlier is the number of earlier answers.
func (a answer) content(earlier int) string {
	switch {
	case a.Endless != "" && earlier < endlessAnswers:
		return a.Endless
	case a.Endless != "":
		return `{"transactions":{"booked":[]}}`
	case a.Text != nil:
		return *a.Text
	default:
		return string(a.Body)
	}
}

// latin1 converts a text to ISO-8859-1.
func latin1(text string) ([]byte, error) {
	var out []byte
	for _, r := range text {
		if r > 0xff {
			return nil, fmt.Errorf("%q has no byte in ISO-8859-1", r)
		}
		out = append(out, byte(r))
	}
	return out, nil
}

// standard returns the answers of a consent that is signed before the case begins.
func standard(id string, access json.RawMessage, now time.Time) []answer {
	if access == nil {
		access = json.RawMessage(`{"allPsd2": "allAccounts"}`)
	}
	at := func(ask string, status int, body string) answer {
		return answer{Ask: ask, Status: status, Body: json.RawMessage(body)}
	}
	return []answer{
		at("POST /v1/consents", http.StatusCreated, fmt.Sprintf(`{"consentStatus": "received", "consentId": %q, "_links": {}}`, id)),
		at("POST /v1/consents/"+id+"/authorisations", http.StatusCreated, `{"scaStatus": "received", "authorisationId": "au1",
			"challengeData": {"data": ["67df3917-fa0d-44e5-b327-edcc928297f8"]}, "_links": {}}`),
		at("GET /v1/consents/"+id+"/authorisations/au1", 0, `{"scaStatus": "finalised"}`),
		at("GET /v1/consents/"+id, 0, fmt.Sprintf(`{"consentStatus": "valid", "validUntil": %q, "frequencyPerDay": 4,
			"recurringIndicator": true, "access": %s}`, today(now).AddDate(0, 0, 150).Format(time.DateOnly), access)),
	}
}

// refused is the answer to reads in the step "daily look".
func refused() []answer {
	return []answer{{Ask: "GET /v1/accounts", Status: http.StatusUnauthorized}}
}
