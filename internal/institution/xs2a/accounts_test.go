package xs2a_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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

func TestReadAccounts(t *testing.T) {
	s := newScripted(t, nil, says(200, accountList))
	answer, err := s.Fetch(t.Context(), institution.Access{ConsentID: "c1"}, s.Plan()[0])
	if err != nil {
		t.Fatal(err)
	}
	r := s.last(t)
	if r.path != "/psd2/v1/accounts" || r.query != "withBalance=true" || r.header.Get("Consent-ID") != "c1" {
		t.Errorf("asked %+v", r)
	}
	for _, name := range []string{"PSU-IP-Address", "PSU-User-Agent", "PSU-Accept-Language", "PSU-ID"} {
		if r.header.Get(name) != "" {
			t.Errorf("%s is sent though nobody is there", name)
		}
	}
	if string(answer.Body) != accountList || !answer.FetchedAt.Equal(noon) {
		t.Error("the answer is not as it came")
	}
	got, err := s.ReadAccounts(answer)
	if err != nil {
		t.Fatal(err)
	}
	want := []institution.Account{{
		ResourceID: "3dc3", IBAN: "SE4550000000058398257466", Currency: "SEK", Name: "Lönekonto", DisplayName: "Mitt",
		Product: "Privatkonto", Type: "CACC", OwnerName: "Tolvan Tolvansson", BIC: "ESSESESS",
		Balances: []institution.Balance{
			{Kind: institution.InterimAvailable, Amount: money.Must("1234.50", "SEK"), LimitIncluded: true, At: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)},
			{Kind: "stardust", Amount: money.Must("-7", "SEK"), At: time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)},
		},
		TransactionsLink: "/v1/accounts/3dc3/transactions",
	}, {
		ResourceID: "4711", Currency: "XXX", Closed: true, OwnerName: "A, B",
		BalancesLink: "/v1/accounts/4711/balances", TransactionsLink: "/v1/accounts/4711/transactions",
	}}
	if diff := cmp.Diff(want, got, sameMoney); diff != "" {
		t.Error(diff)
	}
}

func TestPersonWhoIsThereIsTold(t *testing.T) {
	s := newScripted(t, nil, says(200, accountList))
	if _, err := s.Fetch(t.Context(), institution.Access{ConsentID: "c1", PSU: person}, s.Plan()[0]); err != nil {
		t.Fatal(err)
	}
	h := s.last(t).header
	if h.Get("PSU-IP-Address") != person.IPAddress || h.Get("PSU-User-Agent") != person.UserAgent || h.Get("PSU-ID") != "" {
		t.Errorf("headers %v", h)
	}
}
