// Package cases plays case files. Each file describes a bank whose answers are late,
// incomplete, wrong or unusual as those of real banks are, and what a client of the API
// must get when it uses that bank. A case is played over HTTP against a complete server,
// and over mutual TLS against a scripted bank of its own.
//
// The files of the project are in testdata; README.md there describes their format. To
// play one of them:
//
//	go test ./test/cases -run 'TestCases/rows-with-id-zero$'
//
// The environment variable SAMLA_CASES names another folder with case files to play
// instead:
//
//	SAMLA_CASES=$PWD/../shared/cases go test ./test/cases -run 'TestCases/rows-with-id-zero$'
//
// A file that holds is added by copying it to testdata; nothing else is needed. Dates in
// a file assume that today is 2026-04-01. The server's clock begins on that day; cases about
// dates are played on a day of winter too, with their dates moved to it.
package cases

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/devserver"
	"samla/internal/flowtest"
	"samla/internal/institution"
	"samla/internal/sandbox/pki"
	"samla/internal/server"
	"samla/test/harness"
)

// envCases names the folder of the case files to play instead of testdata.
const envCases = "SAMLA_CASES"

// The server's clock begins at one of these times.
var (
	startTime  = assumedToday.Add(8 * time.Hour)
	winterTime = time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)
)

var suite = &harness.Suite{Parallel: 64, Now: func() time.Time { return startTime }}

func TestMain(m *testing.M) { os.Exit(suite.Main(m)) }

// onPostgres are the cases that are played on PostgreSQL too: one for each kind of data
// that the store keeps for a case.
var onPostgres = map[string]bool{
	"own-letters-that-are-none":                             true, // PostgreSQL stores no character of code 0
	"fewer-reads-a-day-than-asked":                          true,
	"pass-02-equal-rows-stay-two":                           true,
	"pass-10-maintenance-page-in-place-of-the-account-list": true,
	"pass-14-status-revokedByPsu":                           true,
	"renewed-consent-changes-ids":                           true,
	"scope-not-repeated":                                    true,
}

func TestCases(t *testing.T) {
	t.Parallel()
	setting{startTime, t.TempDir(), func(caseFile) bool { return true }, false}.playAll(t)
}

// TestCasesInWinter: Sweden has another time in winter, and other days are 89 days ago.
func TestCasesInWinter(t *testing.T) {
	t.Parallel()
	about := regexp.MustCompile("dates|minimisation|window|validity")
	setting{winterTime, t.TempDir(), func(c caseFile) bool { return about.MatchString(c.Concerns) }, false}.playAll(t)
}

func TestCasesOnPostgreSQL(t *testing.T) {
	t.Parallel()
	setting{startTime, flowtest.Postgres(t), func(c caseFile) bool { return onPostgres[c.Name] }, false}.playAll(t)
}

// TestCasesAfterADay: the server checks consents every day, not only after a refused read.
func TestCasesAfterADay(t *testing.T) {
	t.Parallel()
	setting{startTime, t.TempDir(), func(c caseFile) bool { return slices.Contains(c.Input.Do, dailyLook) }, true}.playAll(t)
}

// setting is what a play of many cases has in common.
type setting struct {
	start    time.Time // when the clock begins
	database string
	selected func(caseFile) bool // the cases to play
	// jumps makes days pass by the clock. Cases are then played one after the other,
	// because they share it.
	jumps bool
}

// playAll plays the selected cases, all at one server.
func (s setting) playAll(t *testing.T) {
	t.Helper()
	dir := os.Getenv(envCases)
	if dir == "" {
		dir = "testdata"
	}
	s.playFolder(t, dir, nil)
}

// playFolder plays the selected cases of a folder. then, unless nil, is called for each that
// holds.
func (s setting) playFolder(t *testing.T, dir string, then func(*player)) {
	t.Helper()
	all, err := load(dir, s.start)
	if err != nil {
		t.Fatal(err)
	}
	all = slices.DeleteFunc(all, func(c caseFile) bool { return !s.selected(c) })
	if len(all) == 0 {
		t.Skip("none of these cases is in the folder")
	}
	e := newEnv(t, s.start)
	players := make([]*player, len(all))
	for i, c := range all {
		players[i] = e.player(t, c)
	}
	e.start(t, s.database, len(all) == 1)
	for _, p := range players {
		t.Run(p.Name, func(t *testing.T) {
			if !s.jumps {
				t.Parallel()
			}
			if p.unusable != nil {
				t.Fatal(p.unusable)
			}
			p.T, p.jumps = t, s.jumps
			p.user, _ = e.client.User(t)
			p.openSession()
			p.play()
			p.check()
			if then != nil {
				then(p)
			}
		})
	}
}

// env is a server with the banks of all cases.
type env struct {
	*harness.Env
	clock  *clock.Fast
	certs  *pki.Set
	dir    string
	client harness.Client // with an API key
}

func newEnv(t *testing.T, start time.Time) *env {
	t.Helper()
	e := &env{clock: clock.NewFast(start, 1), dir: t.TempDir()}
	e.Env = harness.NewEnv(t, &devserver.Environment{Institutions: institution.Set{}})
	e.Log.Secret("a personal number", personalNumber)
	var err error
	if e.certs, err = pki.Open(e.dir, e.clock.Now, nil); err != nil {
		t.Fatal(err)
	}
	return e
}

// player returns a player for a case, with a bank of its own that the server will have.
func (e *env) player(t *testing.T, c caseFile) *player {
	t.Helper()
	p := &player{caseFile: c, backend: &e.client, clock: e.clock, bank: startBank(t, e.clock, e.certs),
		company: "se-" + strings.ToLower(strings.ReplaceAll(c.Name, "_", "-"))}
	p.env = e
	entry := map[string]any{"company": p.company, "displayName": c.Name,
		"loginMethods": []string{"SWEDISH_MOBILE_BANKID_OTHER_DEVICE", "SWEDISH_MOBILE_BANKID_SAME_DEVICE"},
		"baseURL":      "https://" + p.bank.host + basePath,
		"certificates": harness.Certificates()}
	for name, value := range c.Input.Config {
		entry[name] = value
	}
	p.unusable = e.open(entry)
	return p
}

// open opens a bank by a banks file with its entry. The file of one case cannot spoil
// those of others.
func (e *env) open(entry map[string]any) error {
	set, err := e.OpenBanks(filepath.Join(e.dir, fmt.Sprintf("%s.json", entry["company"])), e.clock, entry)
	if err != nil {
		return err
	}
	for id, i := range set {
		e.Institutions[id] = i
	}
	return nil
}

// start starts the server. It is stopped at the end of the test. Its log is printed if
// the test fails and is about one case.
func (e *env) start(t *testing.T, database string, one bool) {
	t.Helper()
	t.Cleanup(func() {
		if one {
			e.Log.Check(t)
		} else {
			e.Log.CheckSecrets(t)
		}
	})
	e.StartServer(t, server.Config{Database: database}, e.clock)
	e.client = e.Tenant(t, "cases")
}
