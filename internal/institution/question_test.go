package institution_test

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"

	"samla/internal/consent"
	"samla/internal/institution"
)

// A stored question must be equal to the one that is asked after a crash.
func TestQuestion_SurvivesJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String()
		q := institution.Question{Kind: text.Draw(t, "kind"), Account: text.Draw(t, "account"), Needs: institution.Needs(text.Draw(t, "needs")),
			Essential: rapid.Bool().Draw(t, "essential"), From: text.Draw(t, "from"), Link: text.Draw(t, "link"), Detail: text.Draw(t, "detail")}
		stored, err := json.Marshal(q)
		var got institution.Question
		if err == nil {
			err = json.Unmarshal(stored, &got)
		}
		if err != nil || got != q {
			t.Fatalf("%+v became %+v, %v", q, got, err)
		}
	})
}

func TestQuestion_CoveredBy(t *testing.T) {
	for needs, want := range map[institution.Needs][3]bool{ // nothing, balances, transactions
		"":                            {true, true, true},
		institution.NeedsBalances:     {false, true, false},
		institution.NeedsTransactions: {false, false, true},
		"payments":                    {false, false, false},
	} {
		for i, scope := range []consent.Scope{{}, {Balances: true}, {Transactions: true}} {
			if got := (institution.Question{Needs: needs}).CoveredBy(scope); got != want[i] {
				t.Errorf("%q under %+v: %t", needs, scope, got)
			}
		}
	}
}
