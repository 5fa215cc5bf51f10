package session_test

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"samla/internal/session"
)

var begin = time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC)

func made() session.Visit {
	return session.Visit{ID: "v", ClientID: "c", UserID: "u", Link: session.HashOfSecret("link"), CreatedAt: begin, OpenBy: begin.Add(session.VisitLinkLife)}
}

func TestVisit_LinkOpensOnce(t *testing.T) {
	if _, err := made().Opened("k", begin.Add(session.VisitLinkLife)); !errors.Is(err, session.ErrLinkExpired) {
		t.Errorf("opened late: %v", err)
	}
	v, err := made().Opened("k", begin.Add(session.VisitLinkLife-1))
	if err != nil || v.Key != "k" {
		t.Fatalf("%+v, %v", v, err)
	}
	if again, err := v.Opened("other", begin.Add(time.Minute)); !errors.Is(err, session.ErrLinkUsed) || again.Key != "k" {
		t.Errorf("opened twice: %+v, %v", again, err)
	}
}

func TestVisit_EndsWhenIdle(t *testing.T) {
	v, _ := made().Opened("k", begin)
	for _, test := range []struct {
		at   time.Duration
		live bool
	}{{0, true}, {session.VisitIdle - 1, true}, {session.VisitIdle, false}} {
		if got := v.Live(begin.Add(test.at)); got != test.live {
			t.Errorf("after %s: live %t", test.at, got)
		}
	}
	if made().Live(begin) {
		t.Error("a link that nobody has opened is a session")
	}
	if _, stored := v.Seen(begin.Add(29 * time.Second)); stored {
		t.Error("each look is stored")
	}
	now := begin
	for range 100 { // never idle
		now = now.Add(session.VisitIdle - time.Minute)
		v, _ = v.Seen(now)
		if want := now.Sub(begin) < session.VisitLife; v.Live(now) != want {
			t.Fatalf("after %s: live %t", now.Sub(begin), v.Live(now))
		}
	}
}

func TestVisit_MakesOneArchiveAtATime(t *testing.T) {
	v, _ := made().Opened("k", begin)
	v, first := v.Asked(begin)
	if _, second := v.Asked(begin.Add(time.Hour)); !first || second {
		t.Fatal("two archives at once")
	}
	v = v.Made(true, begin.Add(time.Minute))
	end := begin.Add(time.Minute + session.ArchiveLife)
	if !v.Fetchable(end.Add(-1)) || v.Fetchable(end) {
		t.Error("the archive is not there for 15 minutes")
	}
	if _, again := v.Asked(end.Add(-1)); again {
		t.Error("another archive beside one that can be fetched")
	}
	if _, again := v.Asked(end); !again {
		t.Error("no archive after the first one")
	}
	if failed := v.Made(false, begin); failed.Fetchable(begin) {
		t.Error("an archive that could not be made can be fetched")
	}
}

// Whatever happens in whatever order: who has signed out, or never signed in, is not live,
// and the secret of the browser never changes once it is set.
func TestVisit_Property(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v, now, key, ended := made(), begin, "", false
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 1200).Draw(t, "seconds")) * time.Second)
			switch rapid.IntRange(0, 4).Draw(t, "act") {
			case 0:
				next, err := v.Opened(rapid.StringMatching(`[a-z]{1,3}`).Draw(t, "key"), now)
				if err == nil && key != "" {
					t.Fatal("opened twice")
				}
				if v = next; err == nil {
					key = v.Key
				}
			case 1:
				v, _ = v.Seen(now)
			case 2:
				v, ended = v.Ended(now), true
			case 3:
				v, _ = v.Asked(now)
			case 4:
				v = v.Made(rapid.Bool().Draw(t, "made"), now)
			}
			if v.Key != key || v.Live(now) && (ended || key == "") {
				t.Fatalf("%+v", v)
			}
		}
	})
}
