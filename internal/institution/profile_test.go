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
