package enablebanking

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Whatever happens, a login goes through its statuses in one direction only, a code and
// a session are given once, and nothing follows a final status.
func TestLogin_GoesOneWay(t *testing.T) {
	next := map[Status][]Status{
		Pending: {Returned, Cancelled, Invalid}, Returned: {Authorized, Invalid}, Authorized: {Closed, Revoked, Expired},
	}
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, 11, 18, 8, 0, 0, 0, time.UTC)
		l := login{ID: "a", Created: now, Status: Pending, Access: access{ValidUntil: now.Add(rapid.SampledFrom([]time.Duration{time.Minute, time.Hour, 30 * time.Hour}).Draw(t, "validity"))}}
		for range rapid.IntRange(1, 12).Draw(t, "events") {
			now = now.Add(time.Duration(rapid.IntRange(0, 1000).Draw(t, "minutes")) * time.Minute / 50)
			event := rapid.SampledFrom([]any{
				approved{"code", "p", []string{"1"}}, cancelled{}, broken{}, exchanged{"s", map[string]string{"1": "u"}}, closed{}, revoked{}, elapsed{}, nil,
			}).Draw(t, "event")
			was := l
			got, err := l.apply(event, now)
			if err != nil && got.Status != was.Status {
				t.Fatalf("%T is an error and changes %s to %s", event, was.Status, got.Status)
			}
			l = got
			if l.Status == was.Status {
				continue
			}
			allowed := false
			for _, s := range next[was.Status] {
				allowed = allowed || s == l.Status
			}
			if !allowed {
				t.Fatalf("%T: %s to %s", event, was.Status, l.Status)
			}
			if was.Code != "" && l.Code != was.Code || was.Session != "" && l.Session != was.Session {
				t.Fatalf("%T: another code or session", event)
			}
			if l.Status.Final() != !l.Ended.IsZero() {
				t.Fatalf("%s has the end %v", l.Status, l.Ended)
			}
		}
	})
}
