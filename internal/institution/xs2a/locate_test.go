package xs2a_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"samla/internal/deviation"
	"samla/internal/institution"
	"samla/internal/institution/xs2a"
)

// firstPage is a question for the first page of the transactions of an account.
var firstPage = institution.Question{Kind: "transactions", Account: "account/a1", From: since, Link: "/v1/accounts/a1/transactions"}

// nextOf returns the addresses of the next pages in a body, and the deviations.
func nextOf(t *testing.T, b *xs2a.Bank, q institution.Question, body string) (links []string, d deviation.Counts) {
	t.Helper()
	read, err := b.Read(institution.Answer{Question: q, Body: []byte(body)})
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	for _, next := range read.Questions {
		links = append(links, next.Link)
		if next.Essential || next.Account != q.Account || next.From != q.From || next.Needs != q.Needs {
			t.Errorf("%s: asks %+v", body, next)
		}
	}
	return links, read.Deviations
}

func TestRead_LocatesTheNextPage(t *testing.T) {
	b := newReader(t) // at https://bank.example/psd2
	const page2 = "/v1/accounts/a1/transactions?page=2"
	for href, want := range map[string]string{
		"/v1/accounts/a1/transactions?page=2":                          page2,
		"/psd2/v1/accounts/a1/transactions?page=2":                     page2,
		"https://bank.example/psd2/v1/accounts/a1/transactions?page=2": page2,
		"http://bank.example/psd2/v1/accounts/a1/transactions?page=2":  page2,
		"//bank.example/psd2/v1/accounts/a1/transactions?page=2":       page2,
		"?page=2":                                                           page2,
		"transactions?page=2":                                               page2,
		"./transactions?page=2":                                             "! " + page2,
		"../a1/transactions?page=2":                                         "! " + page2,
		"accounts/a1/transactions?page=2":                                   page2,
		"v1/accounts/a1/transactions?page=2":                                page2,
		"/accounts/a1/transactions?page=2":                                  page2,
		"/gateway/v1/accounts/a1/transactions?page=2":                       page2,
		"https://inner.example/psd2/v1/accounts/a1/transactions?page=2":     "! " + page2,
		"https://inner.example/v1/accounts/a1/transactions?page=2":          "! " + page2,
		"https://inner.example/accounts/v1/accounts/a1/transactions?page=2": "! " + page2,
		"https://inner.example:8443/x/accounts/a1/transactions?page=2":      "! " + page2,
		"https://bank.example/internal/v1/accounts/a1/transactions?page=2":  "! " + page2,
		"https://inner.example/y/z?page=2":                                  "! " + page2,
		"https://inner.example?page=2":                                      "! " + page2,
		"https://user@bank.example/psd2/v1/accounts/a1/transactions?page=2": "! " + page2,
		"javascript:alert(1)?page=2":                                        "! " + page2,
		" /v1/accounts/a1/transactions?page=2&amp;size=5\n":                 page2 + "&size=5",
		"/v1/accounts/a1/transactions?c=a/b==|1 x%zz&dateTo2022":            "/v1/accounts/a1/transactions?c=a/b==%7C1%20x%25zz&dateTo2022",
		"/v1/accounts/a1/transactions?c=a%2Fb%3D%3D%7C1%20x":                "/v1/accounts/a1/transactions?c=a%2Fb%3D%3D%7C1%20x",
		"/v1/accounts/a1/transactions?c=a#b":                                "/v1/accounts/a1/transactions?c=a%23b",
		"/v1/pages/17":                                                      "/v1/pages/17",
		"17":                                                                "/v1/accounts/a1/17",
		"/v1/accounts/a1/transactions?bookingStatus=both&dateFrom=" + since: "", // itself
		"?dateFrom=" + since + "&bookingStatus=both":                        "",
		"https://inner.example/y/z":                                         "-", // leads nowhere
		"https://bank.example":                                              "-",
		"https://bank.example/other":                                        "-",
		"mailto:a@b.example":                                                "-",
		"/psd2/../admin":                                                    "-",
		"#":                                                                 "-",
	} {
		quoted, _ := json.Marshal(href)
		links, d := nextOf(t, b, firstPage, `{"transactions":{"booked":[],"_links":{"next":{"href":`+string(quoted)+`}}}}`)
		var expect deviation.Counts
		switch {
		case want == "-":
			expect.Add(deviation.UnusableLink, 1)
			want = ""
		case strings.HasPrefix(want, "! "):
			expect.Add(deviation.LinkReplaced, 1)
			want = want[2:]
		}
		if strings.Join(links, " ") != want || d[deviation.UnusableLink] != expect[deviation.UnusableLink] || d[deviation.LinkReplaced] != expect[deviation.LinkReplaced] {
			t.Errorf("%s: got %q, %v", href, links, d)
		}
	}
}

func TestRead_LocatesPagesBelowThePathsOfTheProfile(t *testing.T) {
	s := newScriptedBank(t, func(c *xs2a.Config) {
		c.Profile.Paths.Accounts, c.Profile.Paths.Cards = "ais/v2/konton", "ais/v2/kort"
	}, nil)
	for href, want := range map[string]string{
		"https://inner.example/x/konton/a1/transactions?page=2":      "/ais/v2/konton/a1/transactions?page=2",
		"https://inner.example/x/v2/kort/c1/transactions?page=2":     "/ais/v2/kort/c1/transactions?page=2",
		"https://inner.example/x/v1/accounts/a1/transactions?page=2": "/ais/v2/konton/a1/transactions?page=2", // by its query
		"konton/a1/transactions?page=2":                              "/ais/v2/konton/a1/transactions?page=2",
	} {
		q := firstPage
		q.Link = ""
		links, _ := nextOf(t, s.Bank, q, `{"transactions":{"booked":[],"_links":{"next":{"href":"`+href+`"}}}}`)
		if len(links) != 1 || links[0] != want {
			t.Errorf("%s: got %q", href, links)
		}
	}
}

func TestRead_FindsTheNextPageAtAnyLevel(t *testing.T) {
	b := newReader(t)
	const two = `"/v1/accounts/a1/transactions?page=2"`
	for body, want := range map[string]string{
		`{"transactions":{"booked":[],"_links":{"next":{"href":` + two + `}}}}`:                                                   "2",
		`{"transactions":{"booked":[],"_links":{"NEXT":` + two + `}}}`:                                                            "2",
		`{"transactions":{"booked":[],"_links":{"next":[{"href":""},{"href":` + two + `}]}}}`:                                     "2",
		`{"transactions":{"booked":[],"_links":{"next":[` + two + `]}}}`:                                                          "2",
		`{"transactions":{"booked":[],"_links":[{"rel":"next","href":` + two + `}]}}`:                                             "2",
		`{"transactions":{"booked":[],"_links":[{"account":"x"},{"next":{"href":` + two + `}}]}}`:                                 "2",
		`{"transactions":{"booked":[],"_links":{"account":{"href":"/x"}}},"_links":{"next":{"href":` + two + `}}}`:                "2",
		`{"transactions":{"booked":[],"_links":{"next":{"href":` + two + `}}},"_links":{"next":{"href":"?page=2"}}}`:              "2",
		`{"transactions":{"booked":[],"_links":{"next":{"href":` + two + `}}},"_links":{"next":{"href":"?page=3"}}}`:              "2 3",
		`{"transactions":{"booked":[],"_links":{"next":{"href":null}}},"_links":{"next":{"href":"?page=2"}}}`:                     "2",
		`{"transactions":{"booked":[],"next":` + two + `}}`:                                                                       "2",
		`{"transactions":{"booked":[]},"pagination":{"next":` + two + `,"page":1,"total":2}}`:                                     "2",
		`{"transactions":{"booked":[],"hasMore":true},"_links":{"next":` + two + `}}`:                                             "2",
		`{"transactions":{"booked":[]},"paging":{"nextPage":` + two + `}}`:                                                        "2",
		`{"transactions":{"booked":[],"nextLink":` + two + `}}`:                                                                   "2",
		`{"transactions":{"booked":[],"_links":{"nextPage":{"href":` + two + `}}},"hasMore":true}`:                                "2",
		`{"transactions":{"booked":[]},"links":{"next":` + two + `}}`:                                                             "2",
		`{"cardTransactions":{"booked":[]},"_links":{"next":"?page=2"}}`:                                                          "2",
		`{"transactions":{"booked":[],"_links":[]},"_links":""}`:                                                                  "",
		`{"transactions":{"booked":[],"_links":null},"_links":{}}`:                                                                "",
		`{"transactions":{"booked":[],"_links":{"next":null,"previous":{"href":"?page=0"}}},"_links":{"next":17,"first":"?p=1"}}`: "",
		`{"transactions":{"booked":[],"_links":{"next":{}}},"_links":{"next":""}}`:                                                "",
	} {
		links, d := nextOf(t, b, firstPage, body)
		if strings.Contains(body, "hasMore") && d[deviation.UnusableLink] != 0 {
			t.Errorf("%s: %v", body, d)
		}
		var pages []string
		for _, link := range links {
			_, page, _ := strings.Cut(link, "page=")
			pages = append(pages, page)
		}
		if strings.Join(pages, " ") != want {
			t.Errorf("%s: got %q", body, links)
		}
	}
	for kind, body := range map[string]string{
		"accounts": `{"accounts":[],"_links":{"next":"?page=2"}}`,
		"cards":    `{"cardAccounts":[],"_links":{"next":{"href":"https://inner.example/card-accounts?page=2"}}}`,
		"balances": `{"balances":[],"_links":{"next":["https://inner.example/psd2/v1/accounts/a1/balances?page=2"]}}`,
	} {
		q := answerTo(kind, nil).Question
		q.Essential = kind == "accounts"
		want := map[string]string{"accounts": "/v1/accounts?page=2", "cards": "/v1/card-accounts?page=2", "balances": "/v1/accounts/a1/balances?page=2"}[kind]
		read, err := b.Read(institution.Answer{Question: q, Body: []byte(body)})
		if err != nil || len(read.Questions) != 1 || read.Questions[0].Link != want || read.Questions[0].Essential {
			t.Errorf("%s: got %+v, %v", kind, read, err)
		}
	}
}

func TestRead_CountsNextPagesWithoutAnAddress(t *testing.T) {
	b := newReader(t)
	for next, want := range map[string]int{
		`2`: 1, `true`: 1, `{"page":2}`: 1, `{"href":{"x":1},"page":2}`: 0, `[3]`: 1, `[{"page":2}]`: 1,
		`null`: 0, `false`: 0, `0`: 0, `""`: 0, `{}`: 0, `[]`: 0, `{"href":null,"method":"GET"}`: 0, `{"page":null}`: 0,
		`{"uri":"?page=2"}`: 0, `{"url":"?page=2"}`: 0,
	} {
		links, d := nextOf(t, b, firstPage, `{"transactions":{"booked":[],"_links":{"next":`+next+`}}}`)
		if d[deviation.UnusableLink] != want || (len(links) == 1) != strings.Contains(next, "?page=2") {
			t.Errorf("%s: got %q, %v", next, links, d)
		}
	}
	for said, want := range map[string]int{`true`: 1, `"true"`: 1, `false`: 0, `null`: 0} {
		if _, d := nextOf(t, b, firstPage, `{"transactions":{"booked":[],"hasMore":`+said+`}}`); d[deviation.UnusableLink] != want {
			t.Errorf("hasMore %s: got %v", said, d)
		}
	}
}

func TestFetch_FindsTheNextPageInTheHeader(t *testing.T) {
	for header, want := range map[string]string{
		`<https://bank.example/psd2/v1/accounts/a1/transactions?page=2>; rel="next"`: "?page=2",
		`</first>; rel="first", <?a=1,2&page=2>; title="x"; rel=next`:                "?a=1,2&page=2",
		`<?page=2>; rel="next"; title="more"`:                                        "?page=2",
		`<?page=0>; rel="prev"`:                                                      "",
		`<?page=2>; rel="nextish"`:                                                   "",
	} {
		s := newScriptedBank(t, nil, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Link", header)
			responds(200, `{"transactions":{"booked":[]}}`)(w, r)
		})
		answer, err := s.Fetch(t.Context(), institution.Access{ConsentID: "c1"}, firstPage)
		if err != nil {
			t.Fatal(err)
		}
		links, _ := nextOf(t, s.Bank, firstPage, string(answer.Body))
		if strings.Join(links, " ") != map[bool]string{true: "/v1/accounts/a1/transactions" + want}[want != ""] {
			t.Errorf("%s: got %q", header, links)
		}
	}
}

func TestRead_LocatesTheDataOfAccounts(t *testing.T) {
	b := newReader(t)
	const standard = "/v1/accounts/a1/balances /v1/accounts/a1/transactions"
	for links, want := range map[string]string{
		`null`: standard, `[]`: standard, `{}`: standard, `""`: standard, `17`: standard, `[null]`: standard,
		`{"transactions":null}`: standard,
		`{"balances":{"href":"/v1/accounts/a1/balances"},"transactions":{"href":"/v1/accounts/a1/transactions"}}`:           standard,
		`{"balances":"/v1/accounts/a1/balances","transactions":["https://inner.example/psd2/v1/accounts/a1/transactions"]}`: standard,
		`{"viewBalances":{"href":"/v1/accounts/a1/balances"},"viewTransactions":{"href":"https://inner.example/x"}}`:        standard,
		`[{"rel":"balances","href":"https://bank.example"},{"rel":"transactions","href":"accounts/a1/transactions"}]`:       standard,
		`{"account":{"href":"/v1/accounts/a1"}}`:                                 "",
		`{"account":"x","transactions":{"href":"/v1/accounts/b2/transactions"}}`: "/v1/accounts/b2/transactions",
		`{"transactions":{"href":"/v1/accounts/a1/transactions?currency=SEK"}}`:  "/v1/accounts/a1/transactions?currency=SEK",
		`{"transactions":{"href":"https://inner.example/a/transactions?x=1"}}`:   "/v1/accounts/a1/transactions?x=1",
	} {
		read, err := b.Read(answerTo("accounts", []byte(`{"accounts":[{"resourceId":"a1","currency":"SEK","_links":`+links+`}]}`)))
		var got []string
		for _, q := range read.Questions {
			got = append(got, q.Link)
		}
		if err != nil || strings.Join(got, " ") != want || read.Deviations.Incomplete() {
			t.Errorf("%s: got %q, %v, %v", links, got, read.Deviations, err)
		}
	}
}

// Whatever link a bank writes, the page is asked for below the base URL, and a page that
// was asked leads to itself no more.
func FuzzNextLink(f *testing.F) {
	for _, s := range []string{"?page=2", "/psd2/v1/x", "https://evil.example/v1/accounts/a1/transactions?x", "//evil", "..", "accounts/../../x?y", "a:b?c", "http://bank.example/psd2/?a"} {
		f.Add(s)
	}
	var sent *http.Request
	set, err := testKeys()
	if err != nil {
		f.Fatal(err)
	}
	deps := atNoon
	deps.Wrap = func(http.RoundTripper) http.RoundTripper {
		return roundTrip(func(r *http.Request) (*http.Response, error) {
			sent = r
			return httptest.NewRecorder().Result(), nil
		})
	}
	b, err := xs2a.New(demoConfig("https://bank.example/psd2"), xs2a.Deps{Deps: deps, Keys: &xs2a.Keys{QWAC: &set.QWAC, QSEAL: &set.QSEAL}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, href string) {
		quoted, _ := json.Marshal(href)
		body := []byte(`{"transactions":{"booked":[],"_links":{"next":{"href":` + string(quoted) + `}}}}`)
		read, err := b.Read(institution.Answer{Question: firstPage, Body: body})
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range read.Questions {
			sent = nil
			if _, err := b.Fetch(t.Context(), institution.Access{ConsentID: "c1"}, q); sent == nil {
				t.Fatalf("%q becomes %q: %v", href, q.Link, err)
			}
			if u := sent.URL; u.Scheme != "https" || u.Host != "bank.example" || u.User != nil || !strings.HasPrefix(u.Path+"/", "/psd2/") || strings.Contains(u.Path+"/", "/../") {
				t.Errorf("%q is sent to %s", href, sent.URL)
			}
			quoted, _ := json.Marshal("https://bank.example/psd2" + q.Link)
			again, err := b.Read(institution.Answer{Question: q, Body: []byte(`{"transactions":{"booked":[],"_links":{"next":` + string(quoted) + `}}}`)})
			if err != nil || len(again.Questions) != 0 {
				t.Errorf("%q: the page %q leads to %+v", href, q.Link, again.Questions)
			}
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
