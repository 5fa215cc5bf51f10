package source_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/sandbox/bankid"
	"samla/internal/sandbox/source"

	"github.com/google/uuid"
)

// Each kind of login goes on after the sandbox was killed, at every turn.
func TestRestart_ContinuesLogins(t *testing.T) {
	for _, p := range source.Persons() {
		if leftAlone(p) || p.Who == "200005010000" || p.Who == "200003130000" || len(p.Does) == 0 {
			continue
		}
		t.Run(strings.Join([]string{p.Company, p.LoginMethod, p.Who, strings.Join(p.Does, ",")}, "/"), func(t *testing.T) {
			l := start(t).begin(p.Company, p.LoginMethod, p.Who)
			does := p.Does
			for range 100 {
				before := l.turn
				l.open()
				if l.next().ID != before.ID {
					t.Fatalf("after a restart: %+v, want %+v", l.turn, before)
				}
				switch {
				case l.turn.Type == "IN" || l.turn.Type == "OUT":
					got, _ := l.walk(nil)
					if end := got[len(got)-1]; end != p.Statuses[len(p.Statuses)-1] {
						t.Errorf("ends with %s", end)
					}
					return
				case len(does) > 0 && l.turn.For != "SOURCE":
					action := does[0]
					does = does[1:]
					if l.do(action); action == "stop" {
						return
					}
					l.open()
					l.next()
				default:
					l.clock.Advance(time.Second)
					l.next()
				}
			}
			t.Fatal("the login does not end")
		})
	}
}

// What was answered before a restart is answered in the same way after it, and a session
// that has ended stays so.
func TestRestart_KeepsAnswersAndEnds(t *testing.T) {
	w := start(t)
	l := w.begin("se-sandbox-savings", "SWEDISH_SECURITY_TOKEN", anna)
	id := uuid.NewString()
	first := l.reply(`"code":"000000"`, "Request-Id", id).want(200)
	link := ""
	mail := w.begin("se-sandbox-insurer", "EMAIL", "anna@example.com")
	link = w.links()[0]
	gone := w.begin(demo, mock, anna)
	w.call("DELETE", strings.TrimSuffix(gone.path(""), "/"), "").want(204)
	w.open()
	if again := l.reply(`"code":"000000"`, "Request-Id", id).want(200); string(again.body) != string(first.body) {
		t.Errorf("%s, then %s", first.body, again.body)
	}
	if l.next(); *l.turn.AttemptsLeft != 2 {
		t.Errorf("%+v", l.turn)
	}
	w.call("POST", link, "").want(200)
	w.open()
	w.call("POST", link, "").want(409)
	if mail.next().Type != "IN" {
		t.Errorf("%+v", mail.turn)
	}
	w.call("GET", gone.path("turn"), "").wantError(404, "UNKNOWN_SESSION")
	w.clock.Advance(2 * time.Hour)
	w.open()
	w.open()
	if data, err := os.ReadFile(filepath.Join(w.dir, "sources")); err != nil || strings.Contains(string(data), gone.id) {
		t.Errorf("a session that ended two hours ago is still stored: %v", err)
	}
}

// A signature that was noticed stays noticed, also when BankID has forgotten its order.
func TestRestart_KeepsWhatBankIDSaid(t *testing.T) {
	w := start(t)
	l := w.begin("se-sandbox-lender", "SWEDISH_MOBILE_BANKID_OTHER_DEVICE", anna)
	l.do("sign")
	if l.next().Type != "IN" {
		t.Fatalf("%+v", l.turn)
	}
	w.clock.Advance(10 * time.Minute)
	w.open()
	if l.next().Type != "IN" || l.turn.PersonalNumber != anna {
		t.Errorf("%+v", l.turn)
	}
	if all, _, whole := l.read(); !whole || len(all.Products) == 0 {
		t.Error("nothing can be read")
	}
}

// A journal that cannot be written changes nothing.
func TestJournal_FailureChangesNothing(t *testing.T) {
	w := start(t)
	l := w.begin("se-sandbox-savings", "SWEDISH_SECURITY_TOKEN", anna)
	w.BreakJournal()
	before := l.turn
	l.reply(`"code":"000000"`).wantError(503, "UNAVAILABLE")
	w.call("POST", l.base+"sessions", loginBody(demo, mock, anna)).wantError(503, "UNAVAILABLE")
	w.call("DELETE", strings.TrimSuffix(l.path(""), "/"), "").wantError(503, "UNAVAILABLE")
	if l.next().ID != before.ID {
		t.Errorf("%+v, then %+v", before, l.turn)
	}
}

// For any file, OpenJournal either fails or results in a service that works.
func FuzzOpenJournal(f *testing.F) {
	f.Add([]byte(`{"session":{"id":"a","key":"b","requestId":"c","login":{"institution":"se-demo"},"state":{"step":1},"first":{}}}` + "\n"))
	f.Add([]byte(`{"session":{"id":"a","key":"b","login":{"institution":"se-demo"},"state":{"step":-1},"first":1}}` + "\n{}\n"))
	f.Add([]byte("null\n"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(dir, "sources")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		c := clock.NewManual(time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC))
		b := bankid.New(c, zeros{})
		s := source.New(c, zeros{}, b)
		if s.OpenJournal(path) != nil {
			return
		}
		s.Touch(c.Now())
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }
