package accounts_test

import (
	"testing"

	"samla/internal/accounts"
	"samla/internal/feeds"
	"samla/internal/money"
	"samla/internal/product"
	"samla/internal/store"
)

// A pending transaction is gone when a list with pending ones does not have it, and stays
// when pending ones were not asked for.
func TestTransactions_PendingOnesStayWhenNotAskedFor(t *testing.T) {
	onBoth(t, func(t *testing.T, b *env) {
		feed := accounts.Transactions(feeds.New(feeds.Deps{Store: b.Store, Vault: b.Vault, Clock: b.Clock, IDs: b.IDs}))
		amount := money.Must("-12.50", "SEK")
		pending := product.Psd2Transaction{TransactionID: "1", Amount: amount, Direction: product.DirectionOf(amount), Status: product.Pending,
			BookingDate: product.DateOf(b.Clock.Now())}
		for _, step := range []struct {
			rows       []product.Psd2Transaction
			bookedOnly bool
			want       accounts.FeedNews
		}{
			{[]product.Psd2Transaction{pending}, false, accounts.FeedNews{Added: 1}},
			{[]product.Psd2Transaction{}, true, accounts.FeedNews{}},
			{[]product.Psd2Transaction{}, false, accounts.FeedNews{Removed: 1}},
		} {
			plan, err := feed.Plan(t.Context(), accounts.FeedChange{ClientID: b.Env.User.ClientID, UserID: b.Env.User.ID, Readings: []accounts.FeedReading{{
				AccountID: "a", LinkID: "l", At: b.Clock.Now(), Product: &product.Psd2Account{Transactions: step.rows}, Transactions: true, BookedOnly: step.bookedOnly}}})
			if err != nil {
				t.Fatal(err)
			}
			if plan.Write != nil {
				b.Write(func(tx store.Tx) error { return plan.Write(t.Context(), tx) })
			}
			got := plan.News["a"]
			if got.Generation = 0; got != step.want {
				t.Errorf("booked only %t: %+v, want %+v", step.bookedOnly, got, step.want)
			}
		}
	})
}
