package faulty

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/server"
)

// asks returns a turn that asks for a code.
func asks(turn, question, message string) string {
	return fmt.Sprintf(`{"turn":{"id":%q,"type":"ASK","question":%q,"kind":"CODE","message":%q,"pollAfter":250}}`, turn, question, message)
}

const (
	outTurn    = `{"turn":{"id":"out","type":"OUT","reason":"CANCELLED"}}`
	workTurn   = `{"turn":{"id":"work","type":"WAIT","for":"SOURCE","pollAfter":250}}`
	turnNeeded = `{"error":"TURN_NEEDED"}`
	noSession  = `{"error":"UNKNOWN_SESSION"}`
	// twoPages is a page that another one follows.
	twoPages = `{"products":[{"type":"OCCUPATIONAL_PENSION","productNumber":"1"}],"next":"2"}`
)

// counting returns a handler whose answers have the number of the call in place of %d.
func counting(text string) http.HandlerFunc {
	var n atomic.Int64
	return func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.ReplaceAll(text, "%d", fmt.Sprint(n.Add(1))))
	}
}

// bomb answers with a body that is a thousand times as long when it is unpacked.
func bomb(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Encoding", "gzip")
	z := gzip.NewWriter(w)
	zeros := []byte(strings.Repeat(" ", 1<<20))
	for range 256 {
		if _, err := z.Write(zeros); err != nil {
			return
		}
	}
	_ = z.Close()
}

// busyForADay answers 429.
func busyForADay(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Retry-After", "86400")
	w.WriteHeader(http.StatusTooManyRequests)
	_, _ = io.WriteString(w, `{"error":"TOO_MANY"}`)
}

// then returns a handler that answers by first once, and then by rest.
func then(first, rest http.HandlerFunc) http.HandlerFunc {
	var n atomic.Int64
	return func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) == 1 {
			first(w, r)
			return
		}
		rest(w, r)
	}
}

// cut closes the connection without an answer.
func cut(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// ill is what a source does, and how a collection there ends.
type ill struct {
	sick func(s *source)
	want string
	most int // requests
}

func ills(elsewhere string) map[string]ill {
	every := []string{"sessions", "turn", "answers", "pages", "end"}
	code := says(200, asks("a1", "q1", "The code"))
	all := map[string]ill{
		// The order of turns.
		"in-at-once":     {func(s *source) { s.on(says(201, `{"session":"`+theSession+`",`+healthyIn[1:]), "sessions") }, "COMPLETED", 9},
		"turn-after-out": {func(s *source) { s.on(says(200, outTurn, healthyIn), "turn") }, "AUTHENTICATION_CANCELLED", 9},
		"out-at-once":    {func(s *source) { s.on(says(201, `{"session":"`+theSession+`",`+outTurn[1:]), "sessions") }, "AUTHENTICATION_CANCELLED", 9},
		"reused-question": {func(s *source) {
			s.on(code, "turn")
			s.on(says(200, asks("a2", "q1", "Another code")), "answers")
		}, "THIRD_PARTY_ERROR", 40},
		"earlier-question": {func(s *source) {
			s.on(code, "turn")
			s.on(says(200, asks("a2", "q2", "The code"), asks("a3", "q1", "The code")), "answers")
		}, "THIRD_PARTY_ERROR", 40},
		"deaf":      {func(s *source) { s.on(code, "turn", "answers") }, "THIRD_PARTY_ERROR", 900},
		"over":      {func(s *source) { s.on(code, "turn"); s.on(says(409, `{"error":"QUESTION_OVER"}`), "answers") }, "THIRD_PARTY_ERROR", 900},
		"questions": {func(s *source) { s.on(counting(asks("a%d", "q%d", "The code")), "turn", "answers") }, "THIRD_PARTY_ERROR", 200},
		"in-again-and-again": {func(s *source) {
			s.on(says(409, turnNeeded), "pages")
		}, "THIRD_PARTY_ERROR", 60},
		"back-to-work": {func(s *source) {
			s.on(says(200, healthyIn, workTurn), "turn")
			s.on(says(409, turnNeeded), "pages")
		}, "THIRD_PARTY_ERROR", 900},
		"back-out": {func(s *source) {
			s.on(says(200, healthyIn, outTurn), "turn")
			s.on(says(409, turnNeeded), "pages")
		}, "AUTHENTICATION_CANCELLED", 20},
		// Sessions.
		"other-session": {func(s *source) {
			s.on(says(200, `{"session":"another-session-of-enough-characters",`+healthyIn[1:]), "turn")
		}, "COMPLETED", 9},
		"forgets-session": {func(s *source) {
			s.on(then(cut, counting(`{"session":"session-of-enough-random-characters-%d","turn":`+healthyTurn+`}`)), "sessions")
		}, "COMPLETED", 12},
		"short-session": {func(s *source) { s.on(says(201, `{"session":"1","turn":`+healthyTurn+`}`), "sessions") }, "THIRD_PARTY_ERROR", 200},
		"path-session": {func(s *source) {
			s.on(says(201, `{"session":"../../../../v1/admin/0123456789","turn":`+healthyTurn+`}`), "sessions")
		}, "THIRD_PARTY_ERROR", 200},
		"lost-at-login":  {func(s *source) { s.on(says(404, noSession), "turn") }, "AUTHENTICATION_ERROR", 9},
		"lost-at-code":   {func(s *source) { s.on(code, "turn"); s.on(says(404, noSession), "answers") }, "AUTHENTICATION_ERROR", 200},
		"lost-at-pages":  {func(s *source) { s.on(says(404, noSession), "pages") }, "THIRD_PARTY_ERROR", 9},
		"lost-at-page-2": {func(s *source) { s.on(then(says(200, twoPages), says(404, noSession)), "pages") }, "COMPLETED_PARTIAL", 9},
		// Words.
		"garbage":       {func(s *source) { s.on(says(200, "\x00\xff{"), every...) }, "THIRD_PARTY_ERROR", 200},
		"garbage-turn":  {func(s *source) { s.on(says(200, "<html>"), "turn") }, "THIRD_PARTY_ERROR", 200},
		"garbage-pages": {func(s *source) { s.on(says(200, `{"products":`), "pages") }, "THIRD_PARTY_ERROR", 9},
		"typed-turn":    {func(s *source) { s.on(says(200, `{"turn":{"id":5,"type":["WAIT"]}}`), "turn") }, "THIRD_PARTY_ERROR", 200},
		"unknown-turn":  {func(s *source) { s.on(says(200, `{"turn":{"id":"x","type":"DANCE"}}`), "turn") }, "THIRD_PARTY_ERROR", 200},
		"no-turn":       {func(s *source) { s.on(says(200, `{}`), "turn") }, "THIRD_PARTY_ERROR", 200},
		"typed-pages":   {func(s *source) { s.on(says(200, `{"products":{"a":1}}`), "pages") }, "THIRD_PARTY_ERROR", 9},
		"typed-next":    {func(s *source) { s.on(says(200, `{"products":[],"next":5}`), "pages") }, "THIRD_PARTY_ERROR", 9},
		"products": {func(s *source) {
			s.on(says(200, `{"products":[[],1,null,"x",{"type":5},{"type":"LOTTERY_TICKET"},{"type":"PSD2_SAVINGS_ACCOUNT"},`+
				`{"type":"ISK","holdings":"none"},{"type":"OCCUPATIONAL_PENSION","productNumber":"1"}],"accounts":[7,{}],"missing":["x"]}`), "pages")
		}, "COMPLETED_PARTIAL", 9},
		"deep": {func(s *source) {
			s.on(says(200, `{"products":[{"type":"ISK","holdings":`+strings.Repeat("[", 400_000)+strings.Repeat("]", 400_000)+`}]}`), "pages")
		}, "THIRD_PARTY_ERROR", 9},
		// Sizes.
		"huge-turn":     {func(s *source) { s.on(says(200, `{"turn":{"id":"`+strings.Repeat("x", 2<<20)+`"}}`), "turn") }, "THIRD_PARTY_ERROR", 200},
		"huge-page":     {func(s *source) { s.on(says(200, strings.Repeat(" ", 17<<20)), "pages") }, "THIRD_PARTY_ERROR", 9},
		"bomb":          {func(s *source) { s.on(bomb, "turn") }, "THIRD_PARTY_ERROR", 200},
		"page-bomb":     {func(s *source) { s.on(bomb, "pages") }, "THIRD_PARTY_ERROR", 9},
		"endless-pages": {func(s *source) { s.on(counting(`{"products":[],"next":"%d"}`), "pages") }, "COMPLETED_PARTIAL", 1100},
		"circle": {func(s *source) {
			s.on(says(200, `{"products":[],"next":"1"}`, `{"products":[],"next":"2"}`, `{"products":[],"next":"1"}`), "pages")
		}, "COMPLETED_PARTIAL", 9},
		"own-circle": {func(s *source) {
			s.on(says(200, `{"products":[],"next":"1"}`), "pages")
		}, "COMPLETED_PARTIAL", 9},
		// The exchange.
		"500":          {func(s *source) { s.on(says(500, "x"), every...) }, "THIRD_PARTY_ERROR", 200},
		"500-pages":    {func(s *source) { s.on(says(503, `{"error":"UNAVAILABLE"}`), "pages") }, "THIRD_PARTY_ERROR", 300},
		"500-page-2":   {func(s *source) { s.on(then(says(200, twoPages), says(500, "")), "pages") }, "COMPLETED_PARTIAL", 300},
		"busy":         {func(s *source) { s.on(busyForADay, "sessions") }, "THIRD_PARTY_ERROR", 20},
		"busy-turn":    {func(s *source) { s.on(busyForADay, "turn") }, "THIRD_PARTY_ERROR", 20},
		"busy-answer":  {func(s *source) { s.on(code, "turn"); s.on(busyForADay, "answers") }, "THIRD_PARTY_ERROR", 40},
		"busy-pages":   {func(s *source) { s.on(busyForADay, "pages") }, "THIRD_PARTY_ERROR", 300},
		"unauthorized": {func(s *source) { s.on(says(401, `{"error":"UNAUTHORIZED"}`), every...) }, "FAILED", 40},
		"redirects": {func(s *source) {
			s.on(http.RedirectHandler(elsewhere, http.StatusTemporaryRedirect).ServeHTTP, every...)
		}, "THIRD_PARTY_ERROR", 40},
		"redirect-pages": {func(s *source) { s.on(http.RedirectHandler(elsewhere, http.StatusFound).ServeHTTP, "pages") }, "THIRD_PARTY_ERROR", 40},
		"cuts":           {func(s *source) { s.on(cut, every...) }, "THIRD_PARTY_ERROR", 200},
		"cut-pages":      {func(s *source) { s.on(cut, "pages") }, "THIRD_PARTY_ERROR", 300},
		"hangs":          {func(s *source) { s.on(s.hangs, every...) }, "THIRD_PARTY_ERROR", 40},
		"hangs-at-turn":  {func(s *source) { s.on(s.hangs, "turn") }, "THIRD_PARTY_ERROR", 40},
		"hangs-at-pages": {func(s *source) { s.on(s.hangs, "pages") }, "THIRD_PARTY_ERROR", 40},
		"hangs-at-end":   {func(s *source) { s.on(s.hangs, "end") }, "COMPLETED", 40},
		"drips":          {func(s *source) { s.on(s.drips, "turn", "pages") }, "THIRD_PARTY_ERROR", 40},
	}
	return all
}

// speed is how much faster than usual the clock of the server runs. The limits of
// exchanges with a source are in real time.
const speed = 5

// Whatever a source does, a collection from it ends with a documented status, in bounded
// time and after a bounded number of requests, and its session is ended.
func TestIllSource_EndsWithADocumentedStatus(t *testing.T) {
	skipIfShort(t)
	var astray atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { astray.Add(1) }))
	defer elsewhere.Close()
	all := ills(elsewhere.URL)
	companies := []string{}
	for name := range all {
		companies = append(companies, "se-"+name)
	}
	slices.Sort(companies)
	e := startSources(t, "", clock.NewFast(time.Now(), speed), func(c *server.Config) { c.ReadTime = 2 * time.Minute }, companies...)
	e.Log.Secret("a code", theCode)
	t.Run("all", func(t *testing.T) {
		for name, c := range all {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				s := e.sources["se-"+name]
				c.sick(s)
				began := time.Now()
				seen := e.follow(t, e.login(t, s.company), 8*time.Minute)
				if last := seen[len(seen)-1]; last != c.want {
					t.Errorf("statuses %v, want %s", seen, c.want)
				}
				n := int(s.asked.Load())
				t.Logf("%v after %v of the server's time, %d requests: %v", seen[len(seen)-1], (time.Since(began) * speed).Round(time.Second), n, s.counts())
				if n > c.most {
					t.Errorf("%d requests", n)
				}
				for end := time.Now().Add(time.Minute); s.count("end") == 0 && s.count("turn") > 0; time.Sleep(50 * time.Millisecond) {
					if time.Now().After(end) {
						t.Fatal("the session is not ended")
					}
				}
			})
		}
	})
	if astray.Load() > 0 {
		t.Errorf("%d redirects were followed", astray.Load())
	}
}
