package nordea_test

import (
	"net/http"
	"strings"
	"testing"

	"samla/internal/consent"
	"samla/internal/deviation"
	"samla/internal/institution"
	"samla/internal/institution/nordea"
)

// What goes to an app or into an image for one has the form of BankID's.
func TestStartAuthorization_ShowsOnlyWhatBankIDTakes(t *testing.T) {
	none := func(c *nordea.Config) { c.Profile.QR = institution.QRNone }
	for name, c := range map[string]struct {
		change         func(*nordea.Config)
		start, code    string // of the answer
		shown, scanned string
	}{
		"both":            {nil, autoStart, qrData, autoStart, qrData},
		"no uuid":         {nil, "x&redirect=https://other.example", qrData, "", qrData},
		"another uuid":    {nil, "urn:uuid:" + autoStart, qrData, "", qrData},
		"36 characters":   {nil, strings.Repeat("z", 36), qrData, "", qrData},
		"no code":         {nil, autoStart, "https://other.example/", autoStart, ""},
		"a long code":     {nil, autoStart, "bankid." + strings.Repeat("a", 494), autoStart, ""},
		"by the profile":  {none, autoStart, qrData, autoStart, ""},
		"the longest one": {nil, autoStart, "bankid." + strings.Repeat("a", 493), autoStart, "bankid." + strings.Repeat("a", 493)},
	} {
		s := newScripted(t, c.change, responds(200, `{"session_id":"`+session+`","status":"assignment_pending","auto_start_token":"`+c.start+`","qr_data":"`+c.code+`"}`))
		a, err := s.StartAuthorization(t.Context(), institution.AuthorizeRequest{ConsentID: s.open(t, full), PSU: person})
		if err != nil || a.Instructions.AutoStartToken != c.shown || a.Instructions.QRData != c.scanned {
			t.Errorf("%s: %+v, %v", name, a.Instructions, err)
		}
	}
}

// The page does not offer cards to a person who has picked the accounts before.
func TestStartAuthorization_AsksForNoCardsBesidePickedAccounts(t *testing.T) {
	s := newScripted(t, byRedirect, leads(302, "https://bank.example/"))
	for _, c := range []struct {
		accounts []string
		cards    bool
	}{{nil, true}, {[]string{"SE3550000000054910000003"}, false}} {
		id := s.open(t, consent.Scope{Balances: true, Transactions: true, AccountIDs: c.accounts})
		if _, err := s.StartAuthorization(t.Context(), institution.AuthorizeRequest{ConsentID: id, PSU: person, Way: way}); err != nil {
			t.Fatal(err)
		}
		body := s.last(t).body
		if strings.Contains(body, "CARDS_") != c.cards || strings.Contains(body, `"skip_account_selection":true`) == c.cards {
			t.Errorf("sent %s", body)
		}
	}
}

// A collection is worth something without the later pages of a list.
func TestRead_NeedsTheFirstPageOnly(t *testing.T) {
	b := newReader(t)
	q := first(b)
	more := read(t, b, q, `{"group_header":{"message_pagination":{"continuation_key":"ck-1"}},"response":{"accounts":[]}}`).Questions
	if !q.Essential || len(more) != 1 || more[0].Essential || !more[0].Onward || more[0].Kind != q.Kind {
		t.Errorf("%+v leads to %+v", q, more)
	}
}

func TestRead_FollowsNoKeyThatFitsIntoNoAddress(t *testing.T) {
	b := newReader(t)
	for length, follows := range map[int]bool{4096: true, 4097: false} {
		body := `{"group_header":{"message_pagination":{"continuation_key":"` + strings.Repeat("k", length) + `"}},"response":{"transactions":[]}}`
		r := read(t, b, transactions("account/1"), body)
		if (len(r.Questions) == 1) != follows || (r.Deviations[deviation.UnusableLink] == 0) != follows {
			t.Errorf("%d: %d questions, %v", length, len(r.Questions), r.Deviations)
		}
	}
}

func TestFetch_BoundsAnswers(t *testing.T) {
	s := newScripted(t, nil, responds(200, `{"response":{"accounts":[`+strings.Repeat("0,", 200_001)+`0]}}`))
	_, err := s.Fetch(t.Context(), s.access(t), first(s.Bank))
	if kindOf(t, err) != institution.MalformedResponse || institution.ReasonOf(err) != institution.AnswerTooLarge {
		t.Errorf("too many elements: %v", err)
	}
	long := func(w http.ResponseWriter, r *http.Request) {
		responds(200, `{"status":"assignment_pending","more":"`+strings.Repeat("x", 1<<20)+`"}`)(w, r)
	}
	s = newScripted(t, nil, long)
	_, err = s.AuthorizationStatus(t.Context(), institution.Access{ConsentID: s.open(t, full)}, session, "", true)
	if kindOf(t, err) != institution.MalformedResponse || institution.ReasonOf(err) != institution.AnswerTooLarge {
		t.Errorf("a long status: %v", err)
	}
}
