package collect_test

import (
	"encoding/json"
	"strings"
	"testing"

	"samla/internal/collection"
	"samla/internal/psu"
)

// The number that was given with the consent is in every product, also without the
// person, and is not handed to the connector with a read unless its profile wants it.
func TestCollection_NamesThePersonOfTheConsent(t *testing.T) {
	for _, number := range []string{"191212121212", ""} {
		b := newEnv(t)
		b.number = psu.Number(number)
		under := b.authorizedConsent()
		for _, ip := range []string{"192.0.2.7", ""} {
			c := b.handle(b.start(b.request(under, ip)).ID)
			b.wantEnded(c, collection.Completed)
			data, err := b.text(b.owner(), c.ID)
			var products []struct {
				PersonalInformation *struct{ PersonalNumber string }
			}
			if err != nil || json.Unmarshal(data, &products) != nil || len(products) != 3 {
				t.Fatalf("%d products, %v", len(products), err)
			}
			for _, p := range products {
				if got := p.PersonalInformation; (got != nil) != (number != "") || got != nil && got.PersonalNumber != number {
					t.Errorf("given %q: another person is named", number)
				}
			}
		}
		for _, a := range b.bank.with {
			if a.PSU.PersonalNumber != "" {
				t.Error("a read has the personal number")
			}
		}
		if number != "" && strings.Contains(b.logs.String(), number) {
			t.Error("the log has the personal number")
		}
	}
}
