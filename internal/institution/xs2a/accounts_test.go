package xs2a_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"samla/internal/consent"
	"samla/internal/deviation"
	"samla/internal/fact"
	"samla/internal/institution"
	"samla/internal/money"
)

var sameMoney = cmp.Comparer(func(a, b money.Amount) bool { return a == b })

const accountList = `{"accounts":[
 {"resourceId":"3dc3","iban":"SE45 5000 0000 0583 9825 7466","currency":"sek","name":"Lönekonto","displayName":"Mitt","product":"Privatkonto",
  "cashAccountType":"CACC","ownerName":"Tolvan Tolvansson","bic":"ESSESESS","status":"enabled",
  "balances":[{"balanceType":"interimAvailable","balanceAmount":{"currency":"SEK","amount":"1234.50"},"creditLimitIncluded":"true","lastChangeDateTime":"2026-11-22T10:00:00+01:00"},
              {"balanceType":"stardust","balanceAmount":{"currency":"SEK","amount":-7},"referenceDate":"2026-11-21"},
              {"balanceType":"expected"}],
  "_links":{"transactions":{"href":"/v1/accounts/3dc3/transactions"}}},
 {"resourceId":4711,"currency":"XXX","status":"deleted","ownerNames":[{"name":"A"},{"name":"B","role":"owner"}]},
 "no account", null, {"currency":"SEK"}]}`

func TestRead_DecodesAccountList(t *testing.T) {
	s := newScriptedBank(t, nil, responds(200, accountList))
	answer, err := s.Fetch(t.Context(), institution.Access{ConsentID: "c1"}, first(s.Bank))
	if err != nil {
		t.Fatal(err)
	}
	r := s.last(t)
	if r.path != "/psd2/v1/accounts" || r.query != "withBalance=true" || r.header.Get("Consent-ID") != "c1" {
		t.Errorf("request %+v", r)
	}
	for _, name := range []string{"PSU-IP-Address", "PSU-User-Agent", "PSU-Accept-Language", "PSU-ID"} {
		if r.header.Get(name) != "" {
			t.Errorf("%s is sent, but no person is present", name)
		}
	}
	if string(answer.Body) != accountList || !answer.FetchedAt.Equal(noon) {
		t.Error("the answer is not as received")
	}
	got, err := s.Read(answer)
	if err != nil {
		t.Fatal(err)
	}
	want := institution.Reading{}
	want.Facts.Accounts = []fact.Account{{
		Key: "account/3dc3", ID: "3dc3", IBAN: "SE4550000000058398257466", Currency: "SEK", Name: "Lönekonto", DisplayName: "Mitt",
		Product: "Privatkonto", Type: "CACC", OwnerName: "Tolvan Tolvansson", BIC: "ESSESESS", Status: fact.StatusOpen,
	}, {
		Key: "account/4711", ID: "4711", Currency: "XXX", Status: fact.StatusClosed, OwnerName: "A, B",
	}}
	want.Facts.Balances = []fact.Balance{
		{Account: "account/3dc3", Kind: fact.InterimAvailable, Amount: money.Must("1234.50", "SEK"), Limit: fact.LimitIncluded,
			Day: day(2026, 11, 22), At: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)},
		{Account: "account/3dc3", Kind: "stardust", Amount: money.Must("-7", "SEK"), Day: day(2026, 11, 21)},
	}
	// The first account has balances already. The second has no links.
	want.Questions = []institution.Question{
		{Kind: "transactions", Account: "account/3dc3", Needs: institution.NeedsTransactions, From: since, Link: "/v1/accounts/3dc3/transactions"},
		{Kind: "balances", Account: "account/4711", Needs: institution.NeedsBalances, Link: "/v1/accounts/4711/balances"},
		{Kind: "transactions", Account: "account/4711", Needs: institution.NeedsTransactions, From: since, Link: "/v1/accounts/4711/transactions"},
	}
	want.Deviations = deviation.Counts{deviation.UnreadableAccount: 1, deviation.UnreadableBalance: 1} // what says nothing is not counted
	if diff := cmp.Diff(want, got, sameMoney); diff != "" {
		t.Error(diff)
	}
}

func TestRead_NullIsNoCards(t *testing.T) {
	s := newReader(t)
	if got, err := s.Read(answerTo("cards", []byte(`{"cardAccounts":null}`))); err != nil || len(got.Facts.Accounts)+len(got.Questions) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	for kind, body := range map[string]string{"cards": `{}`, "accounts": `{"accounts":null}`} {
		if _, err := s.Read(answerTo(kind, []byte(body))); institution.KindOf(err) != institution.MalformedResponse {
			t.Errorf("%s %s: %v", kind, body, err)
		}
	}
}

func TestRead_TypeOfAnAccountCanBeAnObject(t *testing.T) {
	s := newReader(t)
	got, err := s.Read(answerTo("accounts", []byte(`{"accounts":[{"resourceId":"1","cashAccountType":{"code":"SVGS"}},{"resourceId":"2","cashAccountType":{"code":"x","name":"Savings"}}]}`)))
	if err != nil || len(got.Facts.Accounts) != 2 || got.Facts.Accounts[0].Type != "SVGS" || got.Facts.Accounts[1].Type != "Savings" {
		t.Errorf("%+v, %v", got.Facts.Accounts, err)
	}
}

func TestFetch_SendsHeadersOfPresentPerson(t *testing.T) {
	s := newScriptedBank(t, nil, responds(200, accountList))
	if _, err := s.Fetch(t.Context(), institution.Access{ConsentID: "c1", PSU: person}, first(s.Bank)); err != nil {
		t.Fatal(err)
	}
	h := s.last(t).header
	if h.Get("PSU-IP-Address") != person.IPAddress || h.Get("PSU-User-Agent") != person.UserAgent || h.Get("PSU-ID") != "" {
		t.Errorf("headers %v", h)
	}
}

// A bank may give a card and an account one resourceId, and list cards among the
// accounts.
func TestRead_SeparatesCardsFromAccounts(t *testing.T) {
	s := newReader(t)
	body := []byte(`{"accounts":[{"resourceId":"1","currency":"SEK"}],"cardAccounts":[{"resourceId":"1","currency":"SEK"},{"maskedPan":"5254 **** 3241"}]}`)
	got, err := s.Read(institution.Answer{Question: institution.Question{Kind: "accounts"}, Body: body})
	if err != nil || len(got.Facts.Accounts) != 3 {
		t.Fatalf("%+v, %v", got, err)
	}
	for i, want := range []fact.Account{{Key: "account/1"}, {Key: "card/1", Card: true}, {Key: "card/5254****3241", Card: true}} {
		if a := got.Facts.Accounts[i]; a.Key != want.Key || a.Card != want.Card {
			t.Errorf("account %d is %s, card %t", i, a.Key, a.Card)
		}
	}
	if n := len(got.Questions); n != 6 || got.Questions[2].Link != "/v1/card-accounts/1/balances" {
		t.Errorf("%d questions: %+v", n, got.Questions)
	}
}

func TestStart_AsksForCoveredBalances(t *testing.T) {
	s := newScriptedBank(t, nil, responds(200, `{"accounts":[]}`))
	for _, scope := range []consent.Scope{{Balances: true}, {Transactions: true}} {
		if _, err := s.Fetch(t.Context(), institution.Access{ConsentID: "c1"}, s.Start(scope, since)[0]); err != nil {
			t.Fatal(err)
		}
		if asked := s.last(t).query == "withBalance=true"; asked != scope.Balances {
			t.Errorf("%+v: requested balances: %t", scope, asked)
		}
	}
}
