package flow_test

import (
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"samla/internal/consent"
	"samla/internal/flow"
)

// Whatever was asked for and granted, a renewal is of the same institution, and neither
// wider nor longer; and what can be renewed is renewed with all that was agreed.
func TestRenewalOf_IsNeverWiderOrLonger(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scope := func(name string) consent.Scope {
			return consent.Scope{AccountIDs: rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b"}), 0, 2).Draw(t, name), Balances: rapid.Bool().Draw(t, name+" balances"),
				Transactions: rapid.Bool().Draw(t, name+" transactions")}
		}
		created := morning.Add(time.Duration(rapid.IntRange(0, 86399).Draw(t, "second")) * time.Second)
		c := consent.Consent{ID: "c", Company: "se-a", Requested: scope("requested"), CreatedAt: created,
			ExpiresAt: created.Add(time.Duration(rapid.IntRange(0, 181*24*60).Draw(t, "minutes")) * time.Minute)}
		if rapid.Bool().Draw(t, "authorized") {
			granted := scope("granted")
			c.Granted = &granted
		}
		got, ok := flow.RenewalOf(c)
		if !ok {
			if c.Granted != nil && c.ExpiresAt.Sub(created) >= 24*time.Hour {
				t.Fatalf("%+v cannot be renewed", c)
			}
			return
		}
		if c.Granted == nil || got.Renews != "c" || !got.ConsentOnly || !reflect.DeepEqual(got.Companies, []string{"se-a"}) || got.Offers("se-a", false) {
			t.Fatalf("%+v", got)
		}
		if asked := c.Requested; got.Balances != (asked.Balances && c.Granted.Balances) || got.Transactions != (asked.Transactions && c.Granted.Transactions) {
			t.Fatalf("%+v of %+v", got, c)
		}
		if again := flow.RenewalScope(c); !reflect.DeepEqual(again.AccountIDs, c.Requested.AccountIDs) || again.Balances != got.Balances || again.Transactions != got.Transactions {
			t.Fatalf("%+v of %+v", again, c)
		}
		// The last day of one that is given again at the same moment is the same.
		if end := created.AddDate(0, 0, got.ValidDays); got.ValidDays < 1 || end.Format(time.DateOnly) != c.ExpiresAt.Format(time.DateOnly) {
			t.Fatalf("%d days, until %s, of %+v", got.ValidDays, end, c)
		}
	})
}
