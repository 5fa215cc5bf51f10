package qr_test

import (
	"strings"
	"testing"

	"samla/internal/qr"
	"samla/test/qrscan"
)

const animated = "bankid.67df3917-fa0d-44e5-b327-edcc928297f8.0.dc69358e712458a66a7525beef148ae8526b1c71610eff2c16cdffb4cdac9bf8"

func TestPNG_IsReadByAnotherDecoder(t *testing.T) {
	for _, text := range []string{animated, "bankid:///?autostarttoken=7c40b5c9-fa74-49cf-b98c-bfe651f9a7c6", "x"} {
		encoded, err := qr.PNG(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := qrscan.DecodePhoto(t, encoded); got != text {
			t.Errorf("decoded %q; want %q", got, text)
		}
	}
}

func TestPNG_FailsOnTooLongText(t *testing.T) {
	if _, err := qr.PNG(strings.Repeat("x", 5000)); err == nil {
		t.Error("no error")
	}
}

func TestText_HasOneLineForTwoRows(t *testing.T) {
	drawn, err := qr.Text("x")
	if err != nil || strings.Count(drawn, "\n") != 13 { // 21 rows and a border of 2 on each side, two rows a line
		t.Errorf("%d lines, %v", strings.Count(drawn, "\n"), err)
	}
}

func BenchmarkPNG(b *testing.B) {
	for b.Loop() {
		if _, err := qr.PNG(animated); err != nil {
			b.Fatal(err)
		}
	}
}
