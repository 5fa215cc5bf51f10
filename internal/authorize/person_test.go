package authorize_test

import (
	"context"
	"errors"
	"testing"

	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/psu"
)

// Who has signed in an app is known where the institution had the number; a grant does not
// fail because of the mark.
func TestGrant_KnowsWhoHasSigned(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*institution.Profile)
		number string
		err    error
		want   string
	}{
		"the number opens":        {func(*institution.Profile) {}, string(maja), nil, "mark of " + string(maja)},
		"it opens without":        {func(p *institution.Profile) { p.OpensWithoutNumber = true }, string(maja), nil, ""},
		"the signing needs it":    {func(p *institution.Profile) { p.OpensWithoutNumber, p.NeedsPSUID = true, true }, string(maja), nil, "mark of " + string(maja)},
		"no number was given":     {func(*institution.Profile) {}, "", nil, ""},
		"the mark cannot be made": {func(*institution.Profile) {}, string(maja), errors.New("no key"), ""},
	} {
		b := newEnv(t)
		b.profile(test.change)
		b.Mark = func(_ context.Context, number string) (string, error) {
			if test.err != nil {
				return "", test.err
			}
			return "mark of " + number, nil
		}
		r := b.request()
		r.PSU.PersonalNumber = psu.Number(test.number)
		c, err := b.Create(t.Context(), r, nil)
		if err != nil {
			t.Fatal(err)
		}
		c = b.run(c.ID)
		if c.Status != consent.Authorized || c.Person != test.want {
			t.Errorf("%s: %s of %q", name, c.Status, c.Person)
		}
	}
}
