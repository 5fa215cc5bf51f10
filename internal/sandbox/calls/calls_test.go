package calls_test

import (
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/sandbox/calls"
)

func TestLog_CountsByKindAndKeepsTheLast(t *testing.T) {
	l := calls.New(clock.NewManual(time.Unix(0, 0)))
	for range 2500 {
		l.Add("GET accounts", 200)
	}
	l.Add("token refresh_token", 400)
	if l.Count("GET accounts") != 2500 || l.Count("token refresh_token") != 1 || l.Count("nothing") != 0 {
		t.Errorf("%v", l.Counts())
	}
	last := l.Last()
	if n := len(last); n < 500 || n > 1000 || last[n-1].Kind != "token refresh_token" || last[n-1].Status != 400 {
		t.Errorf("%d calls, the last %+v", n, last[n-1])
	}
	last[0].Kind = "changed"
	if l.Last()[0].Kind == "changed" {
		t.Error("the log can be changed from outside")
	}
	var none *calls.Log
	none.Add("x", 200)
	if none.Count("x") != 0 || none.Last() != nil {
		t.Error("a nil log counts")
	}
}
