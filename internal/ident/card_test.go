package ident_test

import (
	"testing"

	"samla/internal/ident"
)

func TestHideCardNumber_HidesWholeNumbersOnly(t *testing.T) {
	for number, want := range map[string]string{
		"5412345678901234": "541234******1234", "5412-3456-7890-1234": "541234******1234", "1234567890123": "123456***0123",
		"541234******1234": "541234******1234", "123456789012": "123456789012", "12345678901234567890": "12345678901234567890",
		"54123456789012A4": "54123456789012A4", "": "", "4711": "4711",
	} {
		if got := ident.HideCardNumber(number); got != want {
			t.Errorf("%s: %s, want %s", number, got, want)
		}
	}
}
