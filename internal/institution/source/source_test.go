package source_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/deviation"
	"samla/internal/dialogue"
	"samla/internal/fact"
	"samla/internal/institution"
	"samla/internal/institution/source"
	"samla/internal/psu"
	"samla/internal/strictjson"
)

const (
	secret  = "not-a-real-secret-0123456789"
	session = "s0123456789012345678901234"
	number  = "198412099296" // Skatteverket's test number
)

var noon = time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)

// scripted is a source that answers every request in the same way and keeps the last one.
type scripted struct {
	*source.Source
	status  int
	header  http.Header
	body    string
	request *http.Request
	sent    map[string]any
}

func newScripted(t testing.TB, status int, body string) *scripted {
	t.Helper()
	s := &scripted{status: status, body: body, header: http.Header{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		s.request, s.sent = r, nil
		_ = json.Unmarshal(text, &s.sent)
		for name, values := range s.header {
			w.Header()[name] = values
		}
		w.WriteHeader(s.status)
		_, _ = io.WriteString(w, s.body)
	}))
	t.Cleanup(server.Close)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "secret"), []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	s.Source, err = source.New(source.Config{BaseURL: server.URL + "/base", SecretFile: "secret", DeviceHosts: []string{"device.example"}},
		institution.Deps{Dir: dir, Company: "se-mine", Clock: clock.NewManual(noon)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

const inTurn = `{"turn":{"id":"t","type":"IN"}}`

func TestSource_SendsWhatIsKnownOfThePerson(t *testing.T) {
	s := newScripted(t, 201, `{"session":"`+session+`","turn":{"id":"t","type":"IN"}}`)
	got, err := s.Login(t.Context(), institution.LoginRequest{RequestID: "r-1", LoginMethod: "EMAIL", Email: "a@example.com", UserID: "u",
		PSU: psu.Context{PersonalNumber: number, IPAddress: "192.0.2.7", UserAgent: "agent", Locale: "sv-SE"}})
	if err != nil || got.ID != session || got.Turn.In == nil {
		t.Fatalf("got %+v, %v", got, err)
	}
	want := map[string]any{"institution": "se-mine", "loginMethod": "EMAIL", "personalNumber": number, "email": "a@example.com", "userId": "u",
		"locale": "sv-SE", "ipAddress": "192.0.2.7", "userAgent": "agent"}
	for name, value := range want {
		if s.sent[name] != value {
			t.Errorf("%s is %v", name, s.sent[name])
		}
	}
	h := s.request.Header
	if s.request.Method != "POST" || s.request.URL.Path != "/base/v1/sessions" || h.Get("Request-Id") != "r-1" || h.Get("Authorization") != "Bearer "+secret {
		t.Errorf("%s %s", s.request.Method, s.request.URL.Path)
	}
}

// Every exchange of a session, by name.
func exchanges(s *scripted, t testing.TB) map[string]func() error {
	ctx := t.Context()
	return map[string]func() error{
		"POST /base/v1/sessions":                     func() error { _, err := s.Login(ctx, institution.LoginRequest{RequestID: "r"}); return err },
		"GET /base/v1/sessions/" + session + "/turn": func() error { _, err := s.Turn(ctx, session); return err },
		"POST /base/v1/sessions/" + session + "/answers": func() error {
			_, err := s.Answer(ctx, session, "r", dialogue.Answer{Question: "q", Code: "123456"})
			return err
		},
		"POST /base/v1/sessions/" + session + "/pages": func() error {
			_, err := s.Fetch(ctx, institution.Access{Session: session}, s.Start(noScope, "")[0])
			return err
		},
		"DELETE /base/v1/sessions/" + session: func() error { return s.EndLogin(ctx, session, "r") },
	}
}

func TestSource_ErrorsFollowTheTable(t *testing.T) {
	for _, c := range []struct {
		status int
		code   string
		want   institution.ErrorKind
		reason institution.Reason
	}{
		{400, "BAD_REQUEST", institution.Refused, ""},
		{401, "UNAUTHORIZED", institution.CertificateRejected, institution.OurCredentialsRejected},
		{403, "", institution.CertificateRejected, institution.OurCredentialsRejected},
		{404, "UNKNOWN_INSTITUTION", institution.Refused, institution.NotOfferedAtSource},
		{404, "UNKNOWN_SESSION", institution.SessionGone, ""},
		{404, "", institution.SessionGone, ""}, // of a login: Refused
		{410, "", institution.SessionGone, ""},
		{409, "QUESTION_OVER", institution.QuestionOver, ""},
		{409, "TURN_NEEDED", institution.TurnNeeded, ""},
		{409, number, institution.Refused, ""},
		{429, "TOO_MANY", institution.Busy, ""},
		{302, "", institution.ForeignAddress, ""},
		{500, "", institution.Unreachable, ""},
		{503, "UNAVAILABLE", institution.Unreachable, ""},
		{503, "UNKNOWN_SESSION", institution.Unreachable, ""},
	} {
		s := newScripted(t, c.status, `{"error":"`+c.code+`","message":"of `+number+`"}`)
		s.header.Set("Retry-After", "7")
		for name, do := range exchanges(s, t) {
			err := do()
			if c.status == 404 && c.code == "" && strings.HasSuffix(name, "/sessions") {
				if institution.KindOf(err) != institution.Refused {
					t.Errorf("a login at another path: %v", err)
				}
				continue
			}
			if c.want == institution.SessionGone && strings.HasPrefix(name, "DELETE") {
				if err != nil {
					t.Errorf("the end of a session that is gone: %v", err)
				}
				continue
			}
			var e *institution.Error
			if !errors.As(err, &e) || e.Kind != c.want || e.Reason != c.reason || e.HTTPStatus != c.status || e.RetryAfter != 7*time.Second {
				t.Errorf("%d %s for %s: %#v", c.status, c.code, name, err)
				continue
			}
			if text := err.Error() + e.Code; strings.Contains(text, number) || strings.Contains(text, session) {
				t.Errorf("%s: %s", name, text)
			}
			if got := s.request.Method + " " + s.request.URL.Path; got != name || s.request.Header.Get("Request-Id") == "" {
				t.Errorf("%s was sent as %s", name, got)
			}
		}
	}
}

// The error says which member breaks which rule, and repeats nothing.
func TestSource_NamesWhatAMalformedAnswerBreaks(t *testing.T) {
	s := newScripted(t, 200, `{"turn":{"id":"t","type":"`+number+`"}}`)
	for name, do := range exchanges(s, t) {
		if strings.HasSuffix(name, "pages") || strings.HasPrefix(name, "DELETE") {
			continue
		}
		if err := do(); institution.KindOf(err) != institution.MalformedResponse || strings.Contains(err.Error(), number) ||
			!strings.HasSuffix(err.Error(), ": /turn/type: must be WAIT, ASK, DEVICE, IN or OUT") {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := s.Read(institution.Answer{Question: institution.Question{Kind: "page"}, Body: []byte(`{"next":` + number + `}`)})
	if err == nil || strings.Contains(err.Error(), number) || !strings.Contains(err.Error(), "/next: ") {
		t.Errorf("a page: %v", err)
	}
	s.body = `{"turn":{"id":"t","type":"DEVICE","question":"q","request":{"url":"https://device.example/","method":"GET","headers":{"x-` + number + `":"\n"}}}}`
	if _, err := s.Turn(t.Context(), session); err == nil || strings.Contains(err.Error(), number) {
		t.Errorf("a header: %v", err)
	}
}

func TestSource_BoundsAnswers(t *testing.T) {
	s := newScripted(t, 200, inTurn+strings.Repeat(" ", 1<<20))
	if _, err := s.Turn(t.Context(), session); institution.KindOf(err) != institution.MalformedResponse || institution.ReasonOf(err) != institution.AnswerTooLarge {
		t.Errorf("a turn of more than 1 MiB: %v", err)
	}
	s.body = `{"products":[1` + strings.Repeat(",1", 300_000) + `]}`
	q := s.Start(noScope, "")[0]
	if _, err := s.Fetch(t.Context(), institution.Access{Session: session}, q); institution.ReasonOf(err) != institution.AnswerTooLarge {
		t.Errorf("a page of many elements: %v", err)
	}
	s.body = `{"products":[]}` + strings.Repeat(" ", 2<<20)
	if _, err := s.Fetch(t.Context(), institution.Access{Session: session}, q); err != nil {
		t.Errorf("a page of 2 MiB: %v", err)
	}
}

// A page may take longer than other calls. The source is not waited for beyond either limit.
func TestSource_LimitsTheTimeOfExchanges(t *testing.T) {
	late := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // else the server does not notice that the client is gone
		select {
		case <-time.After(300 * time.Millisecond):
		case <-r.Context().Done():
		}
		_, _ = io.WriteString(w, `{}`)
	}))
	defer late.Close()
	t.Setenv("SAMLA_TEST_GOOD", secret)
	open := func(call, page time.Duration) *source.Source {
		s, err := source.New(source.Config{BaseURL: late.URL, SecretVariable: "SAMLA_TEST_GOOD",
			Limits: source.Limits{Call: strictjson.Duration(call), Page: strictjson.Duration(page)}}, institution.Deps{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		return s
	}
	s := open(20*time.Millisecond, time.Minute)
	if _, err := s.Turn(t.Context(), session); institution.KindOf(err) != institution.Unreachable || institution.ReasonOf(err) != institution.NoAnswerInTime {
		t.Errorf("a late turn: %v", err)
	}
	q := s.Start(noScope, "")[0]
	if _, err := s.Fetch(t.Context(), institution.Access{Session: session}, q); err != nil {
		t.Errorf("a page within its limit: %v", err)
	}
	if _, err := open(10*time.Millisecond, 20*time.Millisecond).Fetch(t.Context(), institution.Access{Session: session}, q); institution.ReasonOf(err) != institution.NoAnswerInTime {
		t.Errorf("a late page: %v", err)
	}
}

// A page that is asked for again is the same request; another one is not.
func TestSource_PagesAreRepeatedRequests(t *testing.T) {
	s := newScripted(t, 200, `{"next":"c2"}`)
	ids := []string{}
	for _, access := range []string{session, session, session + "x"} {
		for _, q := range []institution.Question{{Kind: "page"}, {Kind: "page", Detail: "c2"}} {
			if _, err := s.Fetch(t.Context(), institution.Access{Session: access}, q); err != nil {
				t.Fatal(err)
			}
			if cursor, asked := s.sent["cursor"]; !asked || (q.Detail == "") != (cursor == nil) {
				t.Errorf("%+v was sent as %v", q, s.sent)
			}
			ids = append(ids, s.request.Header.Get("Request-Id"))
		}
	}
	if ids[0] != ids[2] || ids[1] != ids[3] {
		t.Errorf("a repeat is another request: %v", ids)
	}
	slices.Sort(ids)
	if n := len(slices.Compact(ids)); n != 4 {
		t.Errorf("%d ids for 4 requests", n)
	}
	if _, err := s.Fetch(t.Context(), institution.Access{Session: session}, institution.Question{Kind: "accounts"}); institution.KindOf(err) != institution.Refused {
		t.Errorf("a question of another family: %v", err)
	}
}

func TestSource_ReadsPages(t *testing.T) {
	s := newScripted(t, 200, "")
	read := func(body, cursor string) institution.Reading {
		t.Helper()
		got, err := s.Read(institution.Answer{Question: institution.Question{Kind: "page", Detail: cursor}, Body: []byte(body), FetchedAt: noon})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	got := read(`{"next":"c2","products":[
		{"type":"ISK","productName":"Sparande","accountNumber":"1","id":"theirs"},
		{"type":"SHOES"}, 7],
		"missing":[{"what":"loans","reason":"closed"},{"what":"cards"}],
		"accounts":[
		{"id":"a1","iban":"se45 5000 0000 0583 9825 7466","name":" Lön ","holder":"Tolvan Tolvansson","currency":"SEK","kind":"CHECKING",
		 "booked":{"amount":"100.10","currency":"SEK"},"available":{"amount":90,"currency":"SEK"},
		 "transactions":[
			{"id":"t1","amount":"-5.05","currency":"SEK","bookingDate":"2026-03-31","counterparty":"Shop","description":"Kaffe"},
			{"id":"t2","amount":7,"currency":"SEK","counterparty":"Work","pending":true},
			{"id":"t3","amount":"x","currency":"SEK"}]},
		{"id":"a2","currency":"SEK","kind":"SAVINGS"},
		{"id":"a3","currency":"SEK","kind":"BOAT"}, {"id":1}]}`, "")
	if len(got.Questions) != 1 || got.Questions[0] != (institution.Question{Kind: "page", Detail: "c2", Onward: true}) {
		t.Errorf("next: %+v", got.Questions)
	}
	f := got.Facts
	if len(f.Products) != 1 || f.Products[0].Common().Type != "ISK" || f.Products[0].Common().ID != "" {
		t.Errorf("products %v", f.Products)
	}
	if len(f.Accounts) != 2 || f.Accounts[0].Name != "Lön" || f.Accounts[0].Class != fact.ClassChecking || f.Accounts[0].IBAN != "SE4550000000058398257466" || f.Accounts[1].Class != fact.ClassSavings {
		t.Errorf("accounts %+v", f.Accounts)
	}
	if len(f.Balances) != 2 || f.Balances[0].Amount.String() != "100.10 SEK" || f.Balances[1].Kind != fact.InterimAvailable {
		t.Errorf("balances %+v", f.Balances)
	}
	if len(f.Histories) != 1 || len(f.Histories[0].Transactions) != 2 {
		t.Fatalf("histories %+v", f.Histories)
	}
	rows := f.Histories[0].Transactions
	if !rows[0].Booked || rows[0].CreditorName != "Shop" || rows[0].BookingDate.Day() != 31 || rows[1].Booked || rows[1].DebtorName != "Work" {
		t.Errorf("rows %+v", rows)
	}
	want := deviation.Counts{deviation.UnknownProduct: 1, deviation.UnreadableProduct: 1, deviation.MissingAtSource: 2,
		deviation.UnreadableRow: 1, deviation.UnreadableAccount: 2}
	for kind, n := range want {
		if got.Deviations[kind] != n || !kind.Incomplete() {
			t.Errorf("%s: %d, want %d", kind, got.Deviations[kind], n)
		}
	}
	if end := read(`{"products":[],"next":""}`, "c2"); len(end.Questions) != 0 || end.Deviations.Incomplete() || end.Deviations[deviation.UnknownValue] != 1 {
		t.Errorf("an empty cursor: %+v", end)
	}
	if long := read(`{"next":"`+strings.Repeat("c", 2001)+`"}`, ""); len(long.Questions) != 0 || long.Deviations[deviation.UnusableLink] != 1 {
		t.Errorf("a cursor that is too long: %+v", long)
	}
	for _, body := range []string{`{"products":[]}`, `{"accounts":null}`, `{"missing":[]}`, `{"next":null}`} {
		if last := read(body, "c2"); len(last.Questions) != 0 || len(last.Deviations) != 0 {
			t.Errorf("%s as the last page: %+v", body, last)
		}
	}
	for _, body := range []string{``, `[]`, `{}`, `null`, `{"items":[],"error":"closed"}`, `{"products":{}}`, `{"next":7}`, `{"products":[}`} {
		if _, err := s.Read(institution.Answer{Question: institution.Question{Kind: "page"}, Body: []byte(body)}); institution.KindOf(err) != institution.MalformedResponse || err == nil {
			t.Errorf("%s: %v", body, err)
		}
	}
}
