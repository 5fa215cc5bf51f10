package operator_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"samla/internal/operator"
)

var start = time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)

func TestRole_CoversThoseBefore(t *testing.T) {
	for i, has := range operator.Roles {
		for j, needs := range operator.Roles {
			if has.Covers(needs) != (i >= j) {
				t.Errorf("%s covers %s: %v", has, needs, has.Covers(needs))
			}
		}
		if has.Covers("") || has.Covers("root") || operator.Role("root").Covers(has) || operator.Role("").Covers("") {
			t.Errorf("%s covers a role that there is not, or is covered by one", has)
		}
	}
}

func TestRole_MayDo(t *testing.T) {
	for role, may := range map[operator.Role][3]bool{
		operator.Viewer: {true, false, false}, operator.Acting: {true, true, false}, operator.Admin: {true, true, true}, "": {}, "root": {},
	} {
		for i, a := range []operator.Action{operator.See, operator.Act, operator.Administer} {
			if role.May(a) != may[i] {
				t.Errorf("%q may %s: %v", role, a, role.May(a))
			}
		}
		if role.May("dance") {
			t.Errorf("%q may do an action that there is not", role)
		}
	}
}

func TestName_HasOneForm(t *testing.T) {
	for name, ok := range map[string]bool{"maria.ek": true, "a": true, "a-b_c9": true, "": false, "Maria": false, "maria ": false, ".a": false, "a.": false, "å": false, "а": false} {
		if (operator.CheckName(name) == nil) != ok {
			t.Errorf("%q: %v", name, operator.CheckName(name))
		}
	}
	if _, err := operator.ParseRole("root"); err == nil {
		t.Error("root is a role")
	}
}

func TestAttempts_WaitLongerEachTime(t *testing.T) {
	var a operator.Attempts
	now := start
	for i := range operator.FreeAttempts {
		if open := a.Open(operator.FreeAttempts, now); !open.IsZero() {
			t.Fatalf("attempt %d waits until %s", i+1, open)
		}
		a = a.Begun(now)
	}
	for i, wait := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 16 * time.Minute, 32 * time.Minute, time.Hour, time.Hour} {
		if open := a.Open(operator.FreeAttempts, now); !open.Equal(now.Add(wait)) {
			t.Fatalf("after %d wrong ones: open at %s, not after %s", a.Wrong, open, wait)
		}
		if open := a.Open(operator.FreeAttempts, now.Add(wait)); !open.IsZero() {
			t.Fatalf("wait %d does not end after %s", i, wait)
		}
		now = now.Add(wait)
		a = a.Begun(now)
	}
	if open := a.Open(operator.FreeAttempts, now.Add(operator.Forgiven)); !open.IsZero() || a.Begun(now.Add(operator.Forgiven)).Wrong != 1 {
		t.Error("wrong attempts are not forgiven after a day")
	}
}

// Whatever the times of the attempts, an account takes no more of them in a day than the
// free ones and those after ever longer waits.
func TestAttempts_AreFewInADay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var a operator.Attempts
		examined := 0
		for now := start; now.Before(start.Add(operator.Forgiven)); now = now.Add(time.Duration(rapid.IntRange(1, 1800).Draw(t, "seconds")) * time.Second) {
			if a.Open(operator.FreeAttempts, now).IsZero() {
				a = a.Begun(now)
				examined++
			}
		}
		if most := operator.FreeAttempts + 7 + 24; examined > most {
			t.Fatalf("%d attempts in a day", examined)
		}
	})
}

func TestSession_Lives(t *testing.T) {
	s := operator.Session{Began: start, Seen: start}
	if !s.Live(start.Add(operator.IdleLife-1)) || s.Live(start.Add(operator.IdleLife)) {
		t.Error("a session that is not used does not end after 30 minutes")
	}
	now := start
	for ; now.Before(start.Add(operator.AbsoluteLife)); now = now.Add(10 * time.Minute) {
		if !s.Live(now) {
			t.Fatalf("ends after %s of use", now.Sub(start))
		}
		s, _ = s.Touched(now)
	}
	if s.Live(now) {
		t.Error("a session in use does not end after 12 hours")
	}
	s = operator.Session{Began: start, Seen: start, Ended: start}
	if s.Live(start) {
		t.Error("an ended session is live")
	}
	if _, worth := s.Touched(start.Add(59 * time.Second)); worth {
		t.Error("each use is written")
	}
	if after, worth := s.Touched(start.Add(time.Minute)); !worth || !after.Seen.Equal(start.Add(time.Minute)) {
		t.Error("no use is written")
	}
}
