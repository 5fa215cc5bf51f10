package collect

import (
	"context"
	"errors"
	"testing"
	"time"

	"samla/internal/institution"
)

// What a question that was cut off has failed with decides whether it is asked again.
func TestTried_CutSaysWhetherToAskAgain(t *testing.T) {
	late := &institution.Error{Kind: institution.Unreachable, Reason: institution.NoAnswerInTime}
	sent := &institution.Error{Kind: institution.Unreachable}
	unsent := &institution.Error{Kind: institution.Busy, Reason: institution.Overloaded, NotSent: true}
	overdue, cancel := context.WithTimeoutCause(t.Context(), -time.Second, errOverdue)
	defer cancel()
	ended, end := context.WithCancel(t.Context())
	end()
	for _, test := range []struct {
		ctx   context.Context
		tries []error
		want  error
	}{
		{overdue, nil, errOverdue},
		{overdue, []error{late, sent}, errOverdue},
		{ended, nil, errNotCounted},
		{ended, []error{unsent, unsent}, errNotCounted},
		{ended, []error{unsent, sent}, errCancelled},
		{ended, []error{late, sent}, late},
		{ended, []error{errors.New("ours")}, errCancelled},
	} {
		var before tried
		for _, err := range test.tries {
			before.add(err)
		}
		if got := before.cut(test.ctx); got != test.want {
			t.Errorf("after %v: %v, want %v", test.tries, got, test.want)
		}
	}
}
