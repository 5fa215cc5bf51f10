package household_test

import (
	"errors"
	"testing"
	"time"

	"samla/internal/sandbox/household"
	"samla/internal/sandbox/persona"
)

var today = persona.DayOf(2026, time.November, 26)

func TestOf_RefusesWhatIsNotTwelveDigits(t *testing.T) {
	for _, number := range []string{"", "19900602239", "1990060223977", "19900602239a", "19900602-239", "１99006022397"} {
		if _, err := household.Of(number, today); !errors.Is(err, household.ErrPersonalNumber) {
			t.Errorf("%q: %v", number, err)
		}
	}
}

func TestOf_AcceptsAnyTwelveDigits(t *testing.T) {
	for _, number := range []string{"200001030000", "199006022390", "000000000000", "999999999999", "199013322390", "190002302390", "198102912399"} {
		if _, err := household.Of(number, today); err != nil {
			t.Errorf("%q: %v", number, err)
		}
	}
}
