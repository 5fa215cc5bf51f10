package xs2a_test

import (
	"strings"
	"testing"

	"samla/internal/institution"
)

// A page of very many small elements is refused before it is decoded; one of long texts
// with commas, or of many members, is not.
func TestFetch_RefusesAnswersOfTooManyElements(t *testing.T) {
	row := `{"transactionAmount":{"currency":"SEK","amount":"-1.00"},"bookingDate":"2026-11-01","remittanceInformationUnstructured":"[1,2,3,\",\\"}`
	for name, test := range map[string]struct {
		rows string
		want bool
	}{
		"empty objects": {"{}" + strings.Repeat(",{}", 300_000), false},
		"numbers":       {"1" + strings.Repeat(",1", 300_000), false},
		"lists":         {strings.Repeat("[", 100_000), false},
		"rows":          {row + strings.Repeat(","+row, 30_000), true},
	} {
		s := newScriptedBank(t, nil, responds(200, `{"transactions":{"booked":[`+test.rows+`]}}`))
		_, err := s.Fetch(t.Context(), institution.Access{ConsentID: "c1"}, institution.Question{Kind: "transactions", Account: "account/a1", From: since})
		if (err == nil) != test.want || err != nil && (institution.KindOf(err) != institution.MalformedResponse || institution.ReasonOf(err) != institution.AnswerTooLarge) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
