package intercept_test

import (
	"context"
	"fmt"
	"testing"

	"samla/internal/clock"
	"samla/internal/company"
	"samla/internal/institution"
	"samla/internal/institution/intercept"
)

// Six collections of one customer whose data the bank cannot serve: each asks
// three times for one account, which ends the collection, so that the reads of
// the seven other accounts are cancelled.
func TestHealth_OneBrokenCustomerLeavesQuietBankAvailable(t *testing.T) {
	var h company.Health
	clk := clock.NewManual(morning)
	failing := intercept.Wrap(all(stub{err: &institution.Error{Kind: institution.Unreachable, HTTPStatus: 500}}),
		intercept.Observe(clk, intercept.Health(&h)))
	hanging := intercept.Wrap(all(stub{err: &institution.Error{Kind: institution.Unreachable, Cause: context.Canceled}}),
		intercept.Observe(clk, intercept.Health(&h)))
	for range 6 {
		ctx, cancel := context.WithCancel(institution.WithSubject(t.Context(), "user-1"))
		for range 3 {
			_, _ = failing.Collector.Fetch(ctx, institution.Access{}, institution.Question{})
		}
		cancel()
		for range 7 {
			_, _ = hanging.Collector.Fetch(ctx, institution.Access{}, institution.Question{})
		}
	}
	if got := h.Availability("se-a", clk.Now()); got != company.Available {
		t.Errorf("after six collections of one customer: %s", got)
	}
	for i := range 10 { // customers who close the app
		ctx, cancel := context.WithCancel(institution.WithSubject(t.Context(), fmt.Sprint("user-", i)))
		cancel()
		_, _ = hanging.Collector.Fetch(ctx, institution.Access{}, institution.Question{})
	}
	if got := h.Availability("se-a", clk.Now()); got != company.Available {
		t.Errorf("after ten cancelled calls: %s", got)
	}
	for i := range 5 {
		ctx := institution.WithSubject(t.Context(), fmt.Sprint("user-", i))
		_, _ = failing.Collector.Fetch(ctx, institution.Access{}, institution.Question{})
	}
	if got := h.Availability("se-a", clk.Now()); got != company.Unavailable {
		t.Errorf("after it failed five customers: %s", got)
	}
}
