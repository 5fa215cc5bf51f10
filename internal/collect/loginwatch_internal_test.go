package collect

import (
	"testing"
	"time"

	"samla/internal/dialogue"
)

func TestPaceOf_AsksNoOftenerThanTheEntryAllows(t *testing.T) {
	for _, tc := range []struct{ turn, entry, want time.Duration }{
		{0, 0, time.Second},
		{300 * time.Millisecond, 0, 300 * time.Millisecond},
		{300 * time.Millisecond, 2 * time.Second, 2 * time.Second},
		{5 * time.Second, 2 * time.Second, 5 * time.Second},
	} {
		if got := paceOf(dialogue.Turn{PollAfter: tc.turn}, tc.entry); got.After != tc.want || got.Within != 2*tc.want {
			t.Errorf("%+v: %+v", tc, got)
		}
	}
}
