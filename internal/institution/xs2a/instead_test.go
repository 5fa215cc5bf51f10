package xs2a_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"samla/internal/deviation"
	"samla/internal/institution"
	"samla/internal/institution/xs2a"
)

// twoYears is a question for the transactions of two years before noon.
var twoYears = institution.Question{Kind: "transactions", Account: "account/a1", Needs: institution.NeedsTransactions,
	From: "2024-11-22", Link: "/v1/accounts/a1/transactions"}

// asked returns what a bank with the error receives when each smaller question is asked
// in place of the one before it, the refused ones included.
func asked(t *testing.T, s *scriptedBank, q institution.Question) (queries []string) {
	t.Helper()
	for {
		_, err := s.Fetch(t.Context(), institution.Access{ConsentID: "c1", PSU: person}, q)
		query := s.last(t).query
		queries = append(queries, query)
		var failed *institution.Error
		if !errors.As(err, &failed) {
			return append(queries, "ok")
		}
		smaller, ok := s.Instead(q, failed, noon)
		if !ok {
			return queries
		}
		if smaller.BookedOnly != strings.Contains(smaller.Detail, "booked") {
			t.Errorf("%q says BookedOnly %t", smaller.Detail, smaller.BookedOnly)
		}
		q = smaller
	}
}

func TestInstead_AsksForLess(t *testing.T) {
	const (
		twoYears0 = "bookingStatus=both&dateFrom=2024-11-22"
		booked0   = "bookingStatus=booked&dateFrom=2024-11-22"
		both89    = "bookingStatus=both&dateFrom=2026-08-25"
		booked89  = "bookingStatus=booked&dateFrom=2026-08-25"
		both30    = "bookingStatus=both&dateFrom=2026-10-23"
		booked30  = "bookingStatus=booked&dateFrom=2026-10-23"
	)
	for body, want := range map[string][]string{
		"400 PERIOD_INVALID":                       {twoYears0, both89, both30, "bookingStatus=both"},
		"400 TIMESTAMP_INVALID":                    {twoYears0, both89, both30, "bookingStatus=both"},
		"400 FORMAT_ERROR dateFrom is too old":     {twoYears0, both89, both30, "bookingStatus=both"},
		"400 FORMAT_ERROR bookingStatus":           {twoYears0, booked0},
		"400 PARAMETER_NOT_SUPPORTED":              {twoYears0, booked0, both89, booked89, both30, booked30, "bookingStatus=both", "bookingStatus=booked"},
		"400 PARAMETER_NOT_CONSISTENT":             {twoYears0, booked0, both89, booked89, both30, booked30, "bookingStatus=both", "bookingStatus=booked"},
		"400 ":                                     {twoYears0, booked0, both89, booked89, both30, booked30, "bookingStatus=both", "bookingStatus=booked"},
		"422 ":                                     {twoYears0, booked0, both89, booked89, both30, booked30, "bookingStatus=both", "bookingStatus=booked"},
		"400 FORMAT_ERROR bookingStatus, dateFrom": {twoYears0, booked0, both89, booked89, both30, booked30, "bookingStatus=both", "bookingStatus=booked"},
		"501 SERVICE_INVALID bookingStatus":        {twoYears0, booked0},
		"501 ":                                     {twoYears0, booked0, both89, booked89, both30, booked30, "bookingStatus=both", "bookingStatus=booked"},
		"401 ":                                     {twoYears0, both89}, // Swedbank
		"401 CONSENT_INVALID":                      {twoYears0, both89},
		"403 SERVICE_INVALID":                      {twoYears0, both89},
		"404 RESOURCE_UNKNOWN":                     {twoYears0},
		"401 CONSENT_EXPIRED":                      {twoYears0},
		"401 SIGNATURE_INVALID":                    {twoYears0},
		"429 ":                                     {twoYears0},
		"503 ":                                     {twoYears0},
		"409 STATUS_INVALID":                       {twoYears0},
	} {
		var status int
		var code string
		_, _ = fmt.Sscanf(body, "%d %s", &status, &code)
		s := newScriptedBank(t, nil, responds(status, `{"tppMessages":[{"category":"ERROR","code":"`+code+`","text":"`+body+`"}]}`))
		if got := asked(t, s, twoYears); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s: asked\n%s", body, strings.Join(got, "\n"))
		}
	}
}

func TestInstead_StopsAtWhatTheBankAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		refuses func(r *http.Request) bool
		asked   int
	}{
		"both":              {func(r *http.Request) bool { return r.URL.Query().Get("bookingStatus") == "both" }, 2},
		"more than 90 days": {func(r *http.Request) bool { return r.URL.Query().Get("dateFrom") < "2026-08-24" }, 3},
		"dateFrom":          {func(r *http.Request) bool { return r.URL.Query().Has("dateFrom") }, 7},
	} {
		s := newScriptedBank(t, nil, nil)
		s.answer = func(w http.ResponseWriter, r *http.Request) {
			if c.refuses(r) {
				responds(400, `{"tppMessages":[{"category":"ERROR","code":"FORMAT_ERROR"}]}`)(w, r)
				return
			}
			responds(200, reportPage)(w, r)
		}
		if got := asked(t, s, twoYears); got[len(got)-1] != "ok" || len(got)-1 != c.asked {
			t.Errorf("%s: asked %q", name, got)
		}
	}
}

func TestInstead_LeavesOutBalancesOfTheAccountList(t *testing.T) {
	for refusal, want := range map[string]string{
		"400 PARAMETER_NOT_SUPPORTED": "withBalance=true,,ok", "400 ": "withBalance=true,,ok", "403 SERVICE_INVALID": "withBalance=true,,ok",
		"403 CONSENT_UNKNOWN": "withBalance=true", "401 CERTIFICATE_INVALID": "withBalance=true", "500 ": "withBalance=true",
	} {
		var status int
		var code string
		_, _ = fmt.Sscanf(refusal, "%d %s", &status, &code)
		s := newScriptedBank(t, nil, nil)
		s.answer = func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Has("withBalance") {
				responds(status, `{"tppMessages":[{"category":"ERROR","code":"`+code+`"}]}`)(w, r)
				return
			}
			responds(200, accountList)(w, r)
		}
		if got := strings.Join(asked(t, s, first(s.Bank)), ","); got != want {
			t.Errorf("%s: asked %q", refusal, got)
		}
	}
}

// A link to a further page may lack what the bank demands on every page.
func TestInstead_CompletesFurtherPages(t *testing.T) {
	b := newReader(t)
	e := &institution.Error{Kind: refused, HTTPStatus: 400, Code: "FORMAT_ERROR"}
	q := twoYears
	q.Link, q.Detail = "/v1/accounts/a1/transactions?page=2", "page booked"
	whole, ok := b.Instead(q, e, noon)
	if !ok || whole.Link != "/v1/accounts/a1/transactions?page=2&bookingStatus=booked&dateFrom=2024-11-22" || whole.Detail != q.Detail {
		t.Errorf("asks %+v", whole)
	}
	if again, ok := b.Instead(whole, e, noon); ok {
		t.Errorf("asks %+v", again)
	}
	if again, ok := b.Instead(q, &institution.Error{Kind: sca, HTTPStatus: 401}, noon); ok {
		t.Errorf("asks %+v", again)
	}
}

// Of a part of the period nothing is left when the shorter history begins after it.
func TestInstead_StaysWithinThePartOfThePeriod(t *testing.T) {
	b := newReader(t)
	for _, e := range []*institution.Error{{Kind: refused, HTTPStatus: 400, Code: "PERIOD_INVALID"}, {Kind: sca, HTTPStatus: 401}} {
		for until, want := range map[string]bool{"2026-09-30": true, "2026-08-24": false} {
			q := twoYears
			q.Until = until
			smaller, ok := b.Instead(q, e, noon)
			if ok != want || smaller.Until != until {
				t.Errorf("until %s: %+v, %t", until, smaller, ok)
			}
			if again, ok := b.Instead(smaller, e, noon); ok {
				t.Errorf("until %s: %+v", until, again)
			}
		}
	}
}

func TestInstead_KeepsTheMannerOnFurtherPages(t *testing.T) {
	b := newReader(t)
	q := twoYears
	q.Detail = "booked from=2026-08-25"
	links, _ := nextOf(t, b, q, `{"transactions":{"booked":[],"_links":{"next":{"href":"?bookingStatus=booked&dateFrom=2026-08-25"}}}}`)
	if len(links) != 0 {
		t.Errorf("a page that leads to itself leads to %q", links)
	}
	read, err := b.Read(institution.Answer{Question: q, Body: []byte(`{"transactions":{"booked":[],"_links":{"next":"?page=2"}}}`), FetchedAt: noon})
	if err != nil || len(read.Questions) != 1 || read.Questions[0].Detail != "page booked from=2026-08-25" {
		t.Errorf("got %+v, %v", read, err)
	}
}

// A bank gives at least 90 days without a new signature (RTS art. 10a).
func TestRead_CountsShortHistories(t *testing.T) {
	b := newReader(t)
	for detail, short := range map[string]bool{"": false, "booked": false, "undated": false, "from=2026-08-25": false, "from=2026-10-23": true} {
		q := twoYears
		q.Detail = detail
		read, err := b.Read(institution.Answer{Question: q, Body: []byte(`{"transactions":{"booked":[]}}`), FetchedAt: noon})
		if err != nil || (read.Deviations[deviation.ShortHistory] > 0) != short || read.Deviations.Incomplete() != short {
			t.Errorf("%q: %v, %v", detail, read.Deviations, err)
		}
	}
}

// A refusal of the form of a read gave no access to data. Nothing else is known not to
// be counted.
func TestErrorResponse_SaysWhatIsNotCounted(t *testing.T) {
	for answer, want := range map[string]bool{
		"400 FORMAT_ERROR": true, "400 PARAMETER_NOT_SUPPORTED": true, "400 PARAMETER_NOT_CONSISTENT": true, "400 PERIOD_INVALID": true,
		"400 TIMESTAMP_INVALID": true, "403 FORMAT_ERROR": true,
		"400 ": false, "200 FORMAT_ERROR": false, "500 FORMAT_ERROR": false, "429 FORMAT_ERROR": false, "401 CONSENT_INVALID": false, "404 RESOURCE_UNKNOWN": false,
		"429 ACCESS_EXCEEDED": false,
	} {
		var status int
		var code string
		_, _ = fmt.Sscanf(answer, "%d %s", &status, &code)
		s := newScriptedBank(t, nil, responds(status, `{"tppMessages":[{"category":"ERROR","code":"`+code+`"}]}`))
		_, err := s.Fetch(t.Context(), institution.Access{ConsentID: "c1"}, twoYears)
		var failed *institution.Error
		if !errors.As(err, &failed) || failed.NotCounted != want {
			t.Errorf("%s: got %+v", answer, failed)
		}
	}
}

func TestErrorResponse_NamesOnlyOurParameters(t *testing.T) {
	for text, want := range map[string]string{
		"bookingStatus": "bookingStatus", "The parameter DATEFROM of 191212121212": "dateFrom", "withBalance": "withBalance",
		"bookingStatus or dateFrom": "", "191212121212": "", "": "",
	} {
		for _, body := range []string{
			`{"tppMessages":[{"category":"ERROR","code":"FORMAT_ERROR","text":"` + text + `"}]}`,
			`{"tppMessages":[{"category":"ERROR","code":"FORMAT_ERROR","path":"` + text + `"}]}`,
			`{"error":"invalid_request","error_description":"` + text + `"}`, "<html>" + text,
			`{"type":"x","code":"FORMAT_ERROR","title":"` + text + `"}`, `{"type":"x","code":"FORMAT_ERROR","detail":"` + text + `"}`,
		} {
			s := newScriptedBank(t, nil, responds(400, body))
			_, err := s.Fetch(t.Context(), institution.Access{ConsentID: "c1"}, twoYears)
			var failed *institution.Error
			if !errors.As(err, &failed) || failed.Parameter != want || want != "" && !failed.NotCounted {
				t.Errorf("%s: got %+v", body, failed)
			}
		}
	}
}

// Whatever a bank refuses and however often, asking for less ends, never repeats a
// question and never asks for something else.
func TestInstead_Ends(t *testing.T) {
	banks := []*xs2a.Bank{newReader(t)}
	kinds := []institution.ErrorKind{refused, notCover, sca, gone, institution.Busy, institution.MalformedResponse}
	codes := []string{"", "FORMAT_ERROR", "PERIOD_INVALID", "PARAMETER_NOT_SUPPORTED", "RESOURCE_UNKNOWN"}
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SampledFrom(banks).Draw(t, "bank")
		q := institution.Question{
			Kind: rapid.SampledFrom([]string{"accounts", "cards", "balances", "transactions"}).Draw(t, "kind"), Account: "account/a1",
			Needs: institution.NeedsTransactions, Essential: rapid.Bool().Draw(t, "essential"),
			From:   rapid.SampledFrom([]string{"", "2024-11-22", "2026-08-25", "2026-11-22"}).Draw(t, "from"),
			Link:   rapid.SampledFrom([]string{"", "/v1/x", "/v1/x?bookingStatus=booked", "/v1/x?page=2"}).Draw(t, "link"),
			Until:  rapid.SampledFrom([]string{"", "", "2026-09-30", "2026-11-01"}).Draw(t, "until"),
			Detail: rapid.SampledFrom([]string{"", "withBalance", "page", "page booked", "undated", "booked from=2026-10-23"}).Draw(t, "detail"),
		}
		before := map[institution.Question]bool{}
		for {
			before[q] = true
			e := &institution.Error{Kind: rapid.SampledFrom(kinds).Draw(t, "error"), HTTPStatus: rapid.SampledFrom([]int{400, 401, 403, 404, 422}).Draw(t, "status"),
				Code: rapid.SampledFrom(codes).Draw(t, "code"), Parameter: rapid.SampledFrom([]string{"", "bookingStatus", "dateFrom"}).Draw(t, "parameter")}
			smaller, ok := b.Instead(q, e, noon)
			if again, same := b.Instead(q, e, noon); again != smaller || same != ok {
				t.Fatal("the same refusal gives two questions")
			}
			if !ok {
				return
			}
			if before[smaller] || len(before) > 12 {
				t.Fatalf("after %d questions: %+v", len(before), smaller)
			}
			if smaller.Kind != q.Kind || smaller.Account != q.Account || smaller.Needs != q.Needs || smaller.Essential != q.Essential || smaller.From != q.From {
				t.Fatalf("%+v in place of %+v", smaller, q)
			}
			q = smaller
		}
	})
}
