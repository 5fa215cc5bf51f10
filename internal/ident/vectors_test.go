package ident_test

import (
	"encoding/json"
	"errors"
	"os"
	"testing"

	"samla/internal/ident"
)

// vectors is the part of docs/reference/vectors.json about identifiers:
// Skatteverket's test numbers, and published IBANs and account numbers
// (docs/reference/banks.md 14).
type vectors struct {
	Personal struct {
		Valid        []string `json:"valid"`
		Coordination []string `json:"validCoordinationTestNumber"`
		Invalid      []struct{ Value, Why string }
	} `json:"swedishPersonalNumbers"`
	IBAN struct {
		Valid   []string
		Invalid []struct{ Value string } `json:"publishedButInvalid"`
	} `json:"swedishIban"`
	Accounts struct {
		Valid, Invalid []string
	} `json:"swedishAccountNumbers"`
}

func load(t testing.TB) vectors {
	t.Helper()
	raw, err := os.ReadFile("../../docs/reference/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Personal.Valid) == 0 || len(v.Personal.Coordination) == 0 || len(v.Personal.Invalid) == 0 ||
		len(v.IBAN.Valid) == 0 || len(v.IBAN.Invalid) == 0 || len(v.Accounts.Valid) == 0 || len(v.Accounts.Invalid) == 0 {
		t.Fatal("vectors are missing")
	}
	return v
}

func TestParsePersonalNumber12_ReadsPublishedNumbers(t *testing.T) {
	v := load(t)
	for _, s := range v.Personal.Valid {
		n, err := ident.ParsePersonalNumber12(s)
		if err != nil || n.Digits() != s || n.IsCoordination() {
			t.Errorf("%s: %v", s, err)
		}
	}
	for _, s := range v.Personal.Coordination {
		n, err := ident.ParsePersonalNumber12(s)
		if err != nil || !n.IsCoordination() {
			t.Errorf("%s: %v", s, err)
		}
	}
	for _, c := range v.Personal.Invalid {
		want := ident.ErrCheckDigit
		if c.Value == "201509160006" {
			want = ident.ErrSerial
		}
		if _, err := ident.ParsePersonalNumber12(c.Value); !errors.Is(err, want) {
			t.Errorf("%s (%s): got %v", c.Value, c.Why, err)
		}
	}
}

func TestParseIBAN_ReadsPublishedNumbers(t *testing.T) {
	v := load(t)
	for _, s := range v.IBAN.Valid {
		if i, err := ident.ParseIBAN(s); err != nil || i.Compact() != s || i.Country() != "SE" {
			t.Errorf("%s: %v", s, err)
		}
	}
	for _, c := range v.IBAN.Invalid {
		if _, err := ident.ParseIBAN(c.Value); !errors.Is(err, ident.ErrCheckDigit) {
			t.Errorf("%s: got %v", c.Value, err)
		}
	}
}
