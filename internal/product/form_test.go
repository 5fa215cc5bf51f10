package product

import (
	"errors"
	"strings"
	"testing"
)

func TestForm_HasATransformFromEachOlderForm(t *testing.T) {
	if len(transforms) != Form-1 {
		t.Errorf("%d transforms lead to form %d", len(transforms), Form)
	}
	if got, err := Canonical(Form, []byte(`[]`)); err != nil || string(got) != `[]` {
		t.Errorf("%s, %v", got, err)
	}
}

func TestTransform_ReadsOlderForms(t *testing.T) {
	adds := func(s string) func([]byte) ([]byte, error) {
		return func(b []byte) ([]byte, error) { return append(b, s...), nil }
	}
	steps := []func([]byte) ([]byte, error){adds("2"), adds("3")}
	for form, want := range map[int]string{1: "x23", 2: "x3", 3: "x"} {
		if got, err := transform(steps, form, []byte("x")); err != nil || string(got) != want {
			t.Errorf("form %d: %s, %v", form, got, err)
		}
	}
	broken := errors.New("broken")
	steps[1] = func([]byte) ([]byte, error) { return nil, broken }
	if _, err := transform(steps, 1, nil); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func TestCanonical_NamesAFormThatItDoesNotKnow(t *testing.T) {
	for _, form := range []int{-1, 0, Form + 1, 1 << 30} {
		if _, err := Canonical(form, []byte(`[]`)); !errors.Is(err, ErrUnknownForm) || !strings.Contains(err.Error(), "newest known is 1") {
			t.Errorf("form %d: %v", form, err)
		}
	}
}

func TestWithout_KeepsTheOtherProductsAsTheyAre(t *testing.T) {
	const pension, isk = `{"id":"1","type":"PUBLIC_PENSION","company":"c","companyDisplayName":"C"}`, `{"type":"ISK", "productName":"PUBLIC_PENSION","x":1.50}`
	for in, want := range map[string]string{
		`[` + pension + `]`:                         `[]`,
		`[` + isk + `,` + pension + `,` + isk + `]`: `[` + isk + `,` + isk + `]`,
		`[` + isk + `]`:                             `[` + isk + `]`,
		`[]`:                                        `[]`,
		`[ {"type":"ISK"} ]`:                        `[ {"type":"ISK"} ]`,
		`[{"type":7,"x":"PUBLIC_PENSION"},` + isk + `]`: `[{"type":7,"x":"PUBLIC_PENSION"},` + isk + `]`,
	} {
		if got, err := Without([]byte(in), PublicPensionType); err != nil || string(got) != want {
			t.Errorf("%s: %s, %v", in, got, err)
		}
	}
	if _, err := Without([]byte(`"PUBLIC_PENSION"`), PublicPensionType); !errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
}
