package intercept_test

import (
	"context"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/fault"
	"samla/internal/institution"
	"samla/internal/institution/intercept"
)

var morning = time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)

type recorder struct{ outcomes []intercept.Outcome }

func (r *recorder) Observe(o intercept.Outcome) { r.outcomes = append(r.outcomes, o) }

func TestObserve_ReportsKindAndDuration(t *testing.T) {
	gaveUp := &institution.Error{Kind: institution.Unreachable, Cause: context.Canceled}
	for name, c := range map[string]struct {
		err    error
		cancel bool // the caller cancels during the call
		want   intercept.Outcome
	}{
		"success":                 {want: intercept.Outcome{}},
		"success, then cancelled": {cancel: true, want: intercept.Outcome{}},
		"fault of the bank":       {err: &institution.Error{Kind: institution.MalformedResponse, HTTPStatus: 200}, want: intercept.Outcome{Kind: institution.MalformedResponse, Attribution: fault.ByBank}},
		"fault of the person":     {err: &institution.Error{Kind: institution.PersonRefused}, want: intercept.Outcome{Kind: institution.PersonRefused, Attribution: fault.ByUser}},
		"no answer in time":       {err: &institution.Error{Kind: institution.Unreachable, Cause: context.DeadlineExceeded}, want: intercept.Outcome{Kind: institution.Unreachable, Attribution: fault.ByBank}},
		"cancelled":               {err: gaveUp, cancel: true, want: intercept.Outcome{Cancelled: true}},
		"cancelled inside":        {err: gaveUp, want: intercept.Outcome{Cancelled: true}},
		"answered, then cancelled": {err: &institution.Error{Kind: institution.Unreachable, HTTPStatus: 503}, cancel: true,
			want: intercept.Outcome{Kind: institution.Unreachable, Attribution: fault.ByBank}},
	} {
		clk, r := clock.NewManual(morning), &recorder{}
		ctx, cancel := context.WithCancel(institution.WithSubject(t.Context(), "user-1"))
		i := intercept.Wrap(all(stub{err: c.err, inside: func(context.Context) {
			clk.Advance(2 * time.Second)
			if c.cancel {
				cancel()
			}
		}}), intercept.Observe(clk, r))
		_ = i.Revoker.Revoke(ctx, institution.Access{})
		cancel()
		c.want.Call = intercept.Call{Company: "se-a", Verb: institution.VerbRevoke, Subject: "user-1"}
		c.want.At, c.want.Duration = morning.Add(2*time.Second), 2*time.Second
		if len(r.outcomes) != 1 || r.outcomes[0] != c.want {
			t.Errorf("%s: got %+v", name, r.outcomes)
		}
	}
}

func TestLimit_BoundsCallsInFlight(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	limit := intercept.Limit(2)
	i := intercept.Wrap(all(stub{inside: func(context.Context) {
		entered <- struct{}{}
		<-leave
	}}), limit)
	done := make(chan error)
	for range 2 {
		go func() { done <- i.Revoker.Revoke(context.Background(), institution.Access{}) }()
		<-entered
	}
	// Both slots are taken: a call that cannot wait does not reach the bank.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := i.Revoker.Revoke(ctx, institution.Access{}); institution.KindOf(err) != institution.Unreachable {
		t.Errorf("got %v", err)
	}
	go func() { done <- i.Revoker.Revoke(context.Background(), institution.Access{}) }()
	select {
	case <-entered:
		t.Error("a third call is in flight")
	default:
	}
	leave <- struct{}{}
	<-entered // the third takes the slot that is free
	leave <- struct{}{}
	leave <- struct{}{}
	for range 3 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
