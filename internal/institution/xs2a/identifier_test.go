package xs2a_test

import (
	"fmt"
	"testing"

	"samla/internal/fact"
)

func TestRead_PutsNumbersWhereTheyBelong(t *testing.T) {
	s := newReader(t)
	const iban = "SE4550000000058398257466"
	for entry, want := range map[string]fact.Account{
		`"iban":"se45 5000 0000 0583 9825 7466"`:                  {IBAN: iban},
		`"bban":"SE4550000000058398257466"`:                       {IBAN: iban},
		`"iban":"SE4650000000058398257466"`:                       {IBAN: "SE4650000000058398257466"}, // a wrong check digit
		`"iban":"5839-8257466"`:                                   {BBAN: "5839-8257466"},
		`"bban":"58398257466"`:                                    {BBAN: "58398257466"},
		`"iban":"XXXX-XXXXXX-12345"`:                              {MaskedPAN: "XXXX-XXXXXX-12345"},
		`"iban":"541200******0007"`:                               {MaskedPAN: "541200******0007"},
		`"iban":"SE45************7466"`:                           {MaskedPAN: "SE45************7466"},
		`"bban":"**** **** **** 0007"`:                            {MaskedPAN: "************0007"},
		`"maskedPan":"5412 00** **** 0007"`:                       {MaskedPAN: "541200******0007"},
		`"maskedPAN":"541200******0007"`:                          {MaskedPAN: "541200******0007"},
		`"maskedPan":"5412001234560007"`:                          {MaskedPAN: "541200******0007"}, // a whole number is hidden
		`"pan":"5412 0012 3456 0007"`:                             {MaskedPAN: "541200******0007"},
		`"maskedPan":"541200******0007","pan":"5412001234560007"`: {MaskedPAN: "541200******0007"},
		`"msisdn":"+46 70 174 06 05"`:                             {MSISDN: "+46701740605"},
		`"other":{"identification":"w-1"}`:                        {Other: "w-1"},
		`"iban":"NOTPROVIDED","bban":"58398257466"`:               {BBAN: "58398257466"},
		`"iban":"","bban":null,"maskedPan":"-","msisdn":"+461"`:   {MSISDN: "+461"},
	} {
		got, err := s.Read(answerTo("accounts", fmt.Appendf(nil, `{"accounts":[{%s,"currency":"SEK"}]}`, entry)))
		if err != nil || len(got.Facts.Accounts) != 1 {
			t.Errorf("%s: %+v, %v", entry, got.Facts.Accounts, err)
			continue
		}
		a := got.Facts.Accounts[0]
		if a.IBAN != want.IBAN || a.BBAN != want.BBAN || a.MaskedPAN != want.MaskedPAN || a.MSISDN != want.MSISDN || a.Other != want.Other || a.Key == "account/" {
			t.Errorf("%s: %+v", entry, a)
		}
	}
}

func TestRead_KnowsTheWordsForClosedAccounts(t *testing.T) {
	s := newReader(t)
	for want, words := range map[fact.AccountStatus][]string{
		fact.StatusClosed: {"deleted", "DELETED", "closed", "Closed", "ACCOUNT_CLOSED", "account closed", "terminated", "avslutat"},
		fact.StatusOpen:   {"enabled", "ENABLED", "blocked", "BLOCKED", "READY", "active"},
		fact.StatusUnsaid: {"", "dormant", "?"},
	} {
		for _, word := range words {
			got, err := s.Read(answerTo("accounts", fmt.Appendf(nil, `{"accounts":[{"resourceId":"1","status":%q}]}`, word)))
			if err != nil || got.Facts.Accounts[0].Status != want {
				t.Errorf("%q: %+v, %v", word, got.Facts.Accounts, err)
			}
		}
	}
}
