package xs2a_test

import (
	"fmt"
	"testing"
	"time"

	"samla/internal/fact"
)

func TestRead_KnowsTheWordsForKindsOfBalances(t *testing.T) {
	s := newReader(t)
	for kind, words := range map[fact.BalanceKind][]string{
		fact.InterimBooked:    {"interimBooked", "INTERIM_BOOKED", "ITBD", "itbd", "Interim Booked", "booked", "CURRENT"},
		fact.ClosingBooked:    {"closingBooked", "closing_booked", "CLBD", "ClosingBooked"},
		fact.OpeningBooked:    {"openingBooked", "OPBD"},
		fact.PreviouslyBooked: {"PRCD", "previouslyClosedBooked"},
		fact.Expected:         {"expected", "XPCD", "Expected"},
		fact.InterimAvailable: {"interimAvailable", "ITAV", "interim-available", "available", "AVAILABLE_AMOUNT", "Disponibelt belopp"},
		fact.Authorised:       {"authorised", "authorized", "AUTHORISED"},
		fact.ForwardAvailable: {"forwardAvailable", "FWAV"},
		fact.ClosingAvailable: {"CLAV", "closingAvailable"},
		fact.OpeningAvailable: {"OPAV"},
		fact.NonInvoiced:      {"nonInvoiced", "NON_INVOICED"},
		"information":         {"information"}, // another word stays as it is
	} {
		for _, word := range words {
			got, err := s.Read(answerTo("balances", fmt.Appendf(nil, `{"balances":[{"balanceType":%q,"balanceAmount":{"currency":"SEK","amount":"1"}}]}`, word)))
			if err != nil || len(got.Facts.Balances) != 1 || got.Facts.Balances[0].Kind != kind {
				t.Errorf("%s: %+v, %v; want %s", word, got.Facts.Balances, err, kind)
			}
		}
	}
}

func TestRead_KindOfABalanceCanBeAnObject(t *testing.T) {
	s := newReader(t)
	got, err := s.Read(answerTo("balances", []byte(`{"balances":[{"balanceType":{"codeOrProprietary":{"code":"CLBD"}},"balanceAmount":{"currency":"SEK","amount":"1"}}]}`)))
	if err != nil || len(got.Facts.Balances) != 1 || got.Facts.Balances[0].Kind != fact.ClosingBooked {
		t.Errorf("%+v, %v", got.Facts.Balances, err)
	}
}

func TestRead_BalanceOfADayToComeIsAhead(t *testing.T) {
	s := newReader(t)
	answer := answerTo("balances", []byte(`{"balances":[{"balanceType":"interimBooked","balanceAmount":{"currency":"SEK","amount":"1"},"referenceDate":"2026-04-01"},
		{"balanceType":"interimBooked","balanceAmount":{"currency":"SEK","amount":"1"},"referenceDate":"2026-04-02"}]}`))
	answer.FetchedAt = time.Date(2026, 3, 31, 22, 30, 0, 0, time.UTC) // April in Sweden
	got, err := s.Read(answer)
	if err != nil || len(got.Facts.Balances) != 2 || got.Facts.Balances[0].Ahead || !got.Facts.Balances[1].Ahead {
		t.Errorf("%+v, %v", got.Facts.Balances, err)
	}
}

func TestRead_DecodesAmountsOfBalances(t *testing.T) {
	s := newReader(t)
	for body, want := range map[string]string{
		`"balanceAmount":{"currency":"SEK","amount":"-5.50"}`:                                            "-5.50 SEK",
		`"balanceAmount":{"currency":"SEK","content":5.5}`:                                               "5.5 SEK", // before version 1.3
		`"amount":{"currency":"SEK","content":"5.50"}`:                                                   "5.50 SEK",
		`"balanceAmount":{"amount":"5.50"}`:                                                              "5.50",
		`"balanceAmount":{"currency":"SEK","amount":"5.50"},"creditDebitIndicator":"DBIT"`:               "-5.50 SEK signed",
		`"balanceAmount":{"currency":"SEK","amount":"5.50","creditDebitIndicator":"CRDT"}`:               "5.50 SEK signed",
		`"balanceAmount":{"currency":"SEK","amount":"5.50"},"creditLimitIncluded":true`:                  "5.50 SEK included",
		`"balanceAmount":{"currency":"SEK","amount":"5.50"},"creditLimitIncluded":"false"`:               "5.50 SEK excluded",
		`"balanceAmount":{"currency":"SEK","amount":"5.50"},"lastChangeDateTime":"2026-03-30T23:30:00Z"`: "5.50 SEK of 2026-03-31",
		`"balanceAmount":{"currency":"SEK","amount":"5.50"},"referenceDate":"2026-03-29T22:00:00.000Z"`:  "5.50 SEK of 2026-03-30",
		`"balanceAmount":{"currency":"SEK","amount":"5.50"},"referenceDate":"0001-01-01"`:                "5.50 SEK",
	} {
		got, err := s.Read(answerTo("balances", []byte(`{"balances":[{"balanceType":"closingBooked",`+body+`}]}`)))
		if err != nil || len(got.Facts.Balances) != 1 {
			t.Errorf("%s: %+v, %v", body, got.Facts.Balances, err)
			continue
		}
		b := got.Facts.Balances[0]
		said := b.Amount.String()
		if b.Signed {
			said += " signed"
		}
		said += map[fact.LimitPart]string{fact.LimitIncluded: " included", fact.LimitExcluded: " excluded"}[b.Limit]
		if !b.Day.IsZero() {
			said += " of " + b.Day.Format("2006-01-02")
		}
		if said != want {
			t.Errorf("%s: %s, want %s", body, said, want)
		}
	}
}

func TestRead_CardsBalancesSayHowDebtsAreCounted(t *testing.T) {
	s := newReader(t)
	for said, want := range map[string]bool{`"debitAccounting":true`: true, `"debitAccounting":"true"`: true, `"debitAccounting":false`: false,
		`"cardAccount":{"maskedPan":"****0007","debitAccounting":true}`: true} {
		got, err := s.Read(answerTo("balances", []byte(`{`+said+`,"balances":[{"balanceType":"expected","balanceAmount":{"currency":"SEK","amount":"1"}}]}`)))
		if err != nil || got.Facts.Balances[0].DebitPositive != want {
			t.Errorf("%s: %+v, %v", said, got.Facts.Balances, err)
		}
	}
}
