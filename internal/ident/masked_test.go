package ident_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"samla/internal/ident"
)

// However an identifier is wrapped, no way of printing shows it.
func TestMasked_HidesIdentifierFromPrinting(t *testing.T) {
	person, err := ident.ParsePersonalNumber12("194408139089")
	if err != nil {
		t.Fatal(err)
	}
	iban, err := ident.ParseIBAN("SE35 5000 0000 0549 1000 0003")
	if err != nil {
		t.Fatal(err)
	}
	type inner struct {
		person ident.PersonalNumber
		IBAN   ident.IBAN
		list   []any
	}
	values := []any{person, &person, iban, &iban, inner{person, iban, []any{person, iban}},
		&inner{person: person, IBAN: iban}, map[ident.PersonalNumber]ident.IBAN{person: iban}, []ident.IBAN{iban}}
	var out bytes.Buffer
	// Without the time, whose digits could match by chance.
	timeless := &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}
	logs := []*slog.Logger{slog.New(slog.NewJSONHandler(&out, timeless)), slog.New(slog.NewTextHandler(&out, timeless))}
	for _, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%10.3s", "%t"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		for _, log := range logs {
			log.Info("value", "v", v)
		}
		if raw, err := json.Marshal(v); err == nil {
			out.Write(raw)
		}
	}
	out.WriteString(person.String() + person.GoString() + iban.String())
	for _, secret := range []string{"194408139089", "4408139089", "9089", "SE355", "54910000003",
		fmt.Sprintf("%x", "194408139089"), fmt.Sprintf("%X", "SE3550000000054910000003")} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("%s was printed", secret)
		}
	}
	if !strings.Contains(out.String(), "[redacted]") {
		t.Error("nothing was printed")
	}
}

func TestMasked_ZeroValueIsEmpty(t *testing.T) {
	if (ident.PersonalNumber{}).Digits() != "" || (ident.IBAN{}).Compact() != "" || (ident.IBAN{}).Country() != "" {
		t.Error("a zero value is not empty")
	}
	if (ident.PersonalNumber{}).IsCoordination() || !(ident.PersonalNumber{}).IsZero() {
		t.Error("a zero value is a coordination number, or IsZero is false")
	}
}
