package institution_test

import (
	"testing"

	"samla/internal/institution"
)

func TestProfile_LowersTheDailyLimitOnly(t *testing.T) {
	for given, want := range map[int]int{0: 4, 1: 1, 4: 4, 10: 4} {
		if got := (institution.Profile{DailyLimit: given}).WithDefaults().DailyLimit; got != want {
			t.Errorf("%d in the file: %d", given, got)
		}
	}
}

// Where there is no profile, as of an institution that a node does not have, nobody is known to
// have a number.
func TestProfile_ProvesNoNumberWithoutOne(t *testing.T) {
	if (institution.Profile{}).ProvesNumber() || !(institution.Profile{}).WithDefaults().ProvesNumber() {
		t.Error("the zero value proves a number, or the defaults do not")
	}
}
