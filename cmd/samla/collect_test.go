package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"samla/internal/apiclient"
	"samla/internal/clock"
)

// screen returns what a terminal shows after this output: the cursor only moves up to the
// beginning of a line and clears what is below.
func screen(output string) string {
	lines := []string{""}
	up := regexp.MustCompile("\x1b\\[(\\d+)A\x1b\\[J")
	for output != "" {
		at := up.FindStringSubmatchIndex(output)
		text := output
		if at != nil {
			text = output[:at[0]]
		}
		for i, part := range strings.Split(text, "\n") {
			if i > 0 {
				lines = append(lines, "")
			}
			lines[len(lines)-1] += part
		}
		if at == nil {
			break
		}
		n, _ := strconv.Atoi(output[at[2]:at[3]])
		lines = append(lines[:len(lines)-1-n], "")
		output = output[at[1]:]
	}
	return strings.Join(lines, "\n")
}

// shows is the status of a consent that waits for a signature.
func shows(t *testing.T, code, token, page, text string) (s apiclient.ConsentStatus) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"status": "AWAITING_AUTHORIZATION", "authInstructions": map[string]any{
		"qrData": code, "autoStartToken": token, "redirectUrl": page, "userMessage": map[string]string{"text": text}}})
	if err == nil {
		err = json.Unmarshal(body, &s)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// instant is a clock whose timers have run out.
type instant struct{ clock.Clock }

func (instant) NewTimer(time.Duration) clock.Timer { return over{} }

type over struct{}

func (over) C() <-chan time.Time {
	c := make(chan time.Time, 1)
	c <- time.Time{}
	return c
}
func (over) Stop() bool { return false }

func TestSigning_NeverLeavesAnOldCode(t *testing.T) {
	var out bytes.Buffer
	g := signing{terminal: &terminal{out: &out, moves: true}, bank: "Bank"}
	show := func(s apiclient.ConsentStatus) string {
		t.Helper()
		if err := g.show(s); err != nil {
			t.Fatal(err)
		}
		return screen(out.String())
	}
	codes := func(text string) int { return strings.Count(text, "█▀▀▀▀▀█") }
	show(apiclient.ConsentStatus{Status: "INITIATED"})
	first := show(shows(t, "bankid.1.0.aa", "token-1", "", ""))
	second := show(shows(t, "bankid.1.1.bb", "token-1", "", "Start\x1b[2J your app."))
	if codes(first) != 3 || codes(second) != 3 || first == second {
		t.Errorf("%d and %d corners of codes, or the code stays", codes(first), codes(second))
	}
	if !strings.Contains(second, "Start·[2J your app.") || strings.Count(second, "autostarttoken=token-1") != 1 {
		t.Errorf("%s", second)
	}
	renewed := show(shows(t, "bankid.2.0.cc", "token-2", "", "")) // another order
	if codes(renewed) != 3 || strings.Count(renewed, "autostarttoken=") != 2 {
		t.Errorf("%s", renewed)
	}
	if last := show(shows(t, "", "token-2", "", "Enter your code.")); codes(last) != 0 || !strings.HasSuffix(last, "Enter your code.\n") {
		t.Errorf("a code stays after the app was opened:\n%s", last)
	}
	if page := show(shows(t, "", "", "https://samla.example/go/x", "")); strings.Count(page, "https://samla.example/go/x") != 1 {
		t.Errorf("%s", page)
	}
}

// What is no terminal shows no code that is too old as soon as it is read.
func TestSigning_DrawsNoCodeWhereItCannotChange(t *testing.T) {
	var out bytes.Buffer
	g := signing{terminal: &terminal{out: &out}, bank: "Bank"}
	for _, code := range []string{"bankid.1.0.aa", "bankid.1.1.bb", "bankid.1.2.cc"} {
		if err := g.show(shows(t, code, "token-1", "", "")); err != nil {
			t.Fatal(err)
		}
	}
	want := "BankID on this device: https://app.bankid.com/?autostarttoken=token-1&redirect=null\nThe code changes each second and needs a terminal to be seen.\n"
	if out.String() != want {
		t.Errorf("%s", out.String())
	}
}

// A server that does not answer for a while costs no collection, and no code stays meanwhile.
func TestPatiently_AsksAgainAndTakesCodesAway(t *testing.T) {
	var out bytes.Buffer
	w := &demo{terminal: terminal{out: &out, moves: true}, clock: instant{clock.System()}, every: time.Second}
	w.draw("code\ncode\n")
	faults := []error{&url.Error{Op: "Get", Err: errors.New("refused")}, &apiclient.Problem{Status: http.StatusServiceUnavailable}, &apiclient.Problem{Status: http.StatusTooManyRequests}}
	got, err := patiently(t.Context(), w, func(context.Context) (string, error) {
		if len(faults) == 0 {
			return "here", nil
		}
		err := faults[0]
		faults = faults[1:]
		return "", err
	})
	if err != nil || got != "here" || strings.Contains(screen(out.String()), "code") || strings.Count(out.String(), "asked again") != 1 {
		t.Errorf("%q %v %q", got, err, screen(out.String()))
	}
	_, err = patiently(t.Context(), w, func(context.Context) (string, error) { return "", &apiclient.Problem{Status: http.StatusNotFound} })
	if err == nil {
		t.Error("a refusal was asked again")
	}
}

// waiting is a clock that moves on as long as a timer is set for, and notes that.
type waiting struct {
	*clock.Manual
	waits *[]time.Duration
}

func (w waiting) NewTimer(d time.Duration) clock.Timer {
	*w.waits = append(*w.waits, d)
	w.Advance(d)
	return over{}
}

// A server that says when to ask again is asked then, within limits.
func TestPatiently_WaitsAsLongAsTheServerSays(t *testing.T) {
	for name, test := range map[string]struct {
		after []time.Duration // of the refusals
		want  []time.Duration
		fails bool
	}{
		"as it says":                   {after: []time.Duration{7 * time.Second, 0}, want: []time.Duration{7 * time.Second, time.Second}},
		"not more often than usually":  {after: []time.Duration{time.Millisecond}, want: []time.Duration{time.Second}},
		"a wait that is too long":      {after: []time.Duration{time.Hour}, fails: true},
		"a minute again and again":     {after: []time.Duration{time.Minute, time.Minute, time.Minute, time.Minute, time.Minute}, want: []time.Duration{time.Minute, time.Minute, time.Minute, time.Minute}, fails: true},
		"it says nothing for a minute": {after: []time.Duration{50 * time.Second, 11 * time.Second, 0}, want: []time.Duration{50 * time.Second, 11 * time.Second}, fails: true},
	} {
		var out bytes.Buffer
		var waits []time.Duration
		w := &demo{terminal: terminal{out: &out}, clock: waiting{clock.NewManual(time.Unix(0, 0)), &waits}, every: time.Second}
		_, err := patiently(t.Context(), w, func(context.Context) (string, error) {
			if len(test.after) == 0 {
				return "here", nil
			}
			p := &apiclient.Problem{Status: http.StatusTooManyRequests, RetryAfter: test.after[0]}
			test.after = test.after[1:]
			return "", p
		})
		if (err != nil) != test.fails || !slices.Equal(waits, test.want) {
			t.Errorf("%s: %v, %v", name, waits, err)
		}
		if len(test.want) > 0 && test.want[0] > time.Second && out.String() != "The server is busy; it is asked again in "+test.want[0].String()+".\n" {
			t.Errorf("%s: %q", name, out.String())
		}
	}
}

// A person who stops before anything was asked of the institution leaves no user behind.
func TestCollect_StoppedEarlyCreatesNobody(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			t.Errorf("%s %s", r.Method, r.URL.Path)
		}
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"status":404,"code":"USER_NOT_FOUND"}`))
	}))
	defer server.Close()
	client := &apiclient.Client{Base: server.URL, APIKey: "samla_x", HTTP: server.Client()}
	w := &collecting{cmd: &collectCmd{User: "terminal", IP: "192.0.2.1"}, demo: &demo{client: client, clock: clock.System()},
		ask: func(context.Context, *choice) error { return context.Canceled }}
	var err error
	if w.user, err = w.find(t.Context()); err != nil || w.user != "" {
		t.Fatalf("found %q: %v", w.user, err)
	}
	for name, collect := range map[string]func(context.Context, choice) (string, error){"by consent": w.byConsent, "by login": w.byLogin} {
		if _, err := collect(t.Context(), choice{company: apiclient.Company{ID: "se-demo"}}); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
