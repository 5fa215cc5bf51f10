package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"samla/test/process"
)

// householdPerson has products of each kind at se-demo.
const householdPerson = "199006022397"

// The demonstration of a login draws the QR code, of a text or a picture, once.
func TestDemoLogin_DrawsCode(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{}, {"--person", "200001060000"}} {
		out := runDemo(t, append([]string{"--company", "se-demo"}, args...)...)
		if n := strings.Count(out, "\x1b[30;107m"); n < 10 || n > 30 || !strings.Contains(out, "\nINVESTMENT ") {
			t.Errorf("%v: %d lines of a QR code\n%s", args, n, out)
		}
	}
}

// It prints a table for each kind of product, with sums, that fits into 100 columns, and no
// personal number.
func TestDemoLogin_PrintsHousehold(t *testing.T) {
	t.Parallel()
	out := runDemo(t, "--company", "se-demo", "--person", householdPerson)
	for _, want := range []string{`(?m)^GET  /collections/…/status        LOGIN$`, `(?m)^GET  /collections/…/status        COMPLETED$`,
		`(?m)^PENSION .* VALUE$`, `(?m)^INVESTMENT .* VALUE$`, `(?m)^SAVINGS .* VALUE$`, `(?m)^LOAN .* BALANCE$`,
		`(?m)^\d+ pensions?.* [\d ]+(\.\d+)? SEK$`, `(?m)^\d+ investments?.* SEK$`, `(?m)^\d+ accounts?.* SEK$`, `(?m)^\d+ loans?.* SEK$`, `(?m)^All of it, less the loans: -?[\d ]+(\.\d+)? SEK$`} {
		if !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("%s is not printed", want)
		}
	}
	if t.Failed() {
		t.Logf("%s", out)
	}
	for line := range strings.Lines(out) {
		if !strings.Contains(line, "http") && utf8.RuneCountInString(line) > 101 {
			t.Errorf("a long line: %s", line)
		}
	}
	if strings.Contains(out, householdPerson) {
		t.Error("the personal number is printed")
	}
}

func TestDemoLogin_PrintsJSONOfAPI(t *testing.T) {
	t.Parallel()
	var products []struct{ Type, Company string }
	out := runDemo(t, "--company", "se-demo", "--json")
	if err := json.Unmarshal([]byte(out), &products); err != nil || len(products) < 4 {
		t.Fatalf("%v: %.200q", err, out)
	}
	for _, p := range products {
		if p.Company != "se-demo" || p.Type == "" {
			t.Errorf("a product is %+v", p)
		}
	}
}

// Every kind of login works where nobody is asked: the sandbox's answers are given.
func TestDemoLogin_AnswersQuestionsOfEachCompany(t *testing.T) {
	t.Parallel()
	const code, choice, input = "supplement-info  TWO_FACTOR_CODE", "supplement-info  TWO_FACTOR_CHOICE", "supplement-info  COLLECTION_INPUT"
	for _, c := range []struct {
		args string
		want []string
	}{
		{"--company se-sandbox-insurer", []string{"WAITING_FOR_USER_ACTION", "inbox", "\nINVESTMENT "}},
		{"--company se-sandbox-broker --yes", []string{"BankID app", choice, code, "\nINVESTMENT "}},
		{"--company se-sandbox-lender", []string{"BankID app", "\nLOAN "}},
		{"--company se-sandbox-lender --login-method SWEDISH_MOBILE_BANKID_SAME_DEVICE", []string{"\nLOAN "}},
		{"--company se-sandbox-pension", []string{"CONTACT_FORM_PENDING", input, "\nPENSION "}},
		{"--company se-sandbox-public", []string{"COMPLETED", "is a product at version 2026-04-01"}},
		{"--company se-sandbox-savings", []string{"TWO_FACTOR_PENDING", code, "\nSAVINGS "}},
		{"--company se-demo --person 200004030000", []string{choice, code}},
		{"--company se-demo --person 200004100000", []string{"WAITING_FOR_USER_ACTION", "inbox"}},
		{"--company se-demo --person 199006022397 --login-method SWEDISH_MOBILE_BANKID_SAME_DEVICE_CLIENT_SIDE_AUTHENTICATION_MOCK", []string{"device", "supplement-info  RESPONSE_OBJECT"}},
		{"--company se-demo --person 200004120000 --login-method SWEDISH_MOBILE_BANKID_SAME_DEVICE_CLIENT_SIDE_AUTHENTICATION_MOCK", []string{"device", "supplement-info  RESPONSE_OBJECT"}},
		{"--company se-demo --person 199007011000", []string{input, "COMPLETED_EMPTY", "has nothing of this person"}},
		{"--company se-demo --person 200002050000", []string{"COMPLETED_PARTIAL", "could not be read", "\nPENSION "}},
	} {
		out := runDemo(t, strings.Fields(c.args)...)
		for _, want := range c.want {
			if !strings.Contains(out, want) {
				t.Errorf("%s: %q is not printed:\n%s", c.args, want, out)
			}
		}
	}
}

func TestDemoLogin_FailsWithTheStatus(t *testing.T) {
	t.Parallel()
	for person, want := range map[string]string{"200002010000": "FAILED", "200003020000": "ACCOUNT_TEMPORARILY_LOCKED"} {
		_, log, status := process.Run(t, program, "demo", "--company", "se-demo", "--person", person)
		if status != 1 || log != "samla: the collection ended as "+want+"\n" {
			t.Errorf("%s: exit status %d, %s", want, status, log)
		}
	}
}

// Nobody types anything into a pipe that stays open.
func TestDemoLogin_AsksNobodyInAPipe(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(timeoutContext(t), program, "demo", "--company", "se-demo", "--person", "200004130000")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if out, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(out), "]: ") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestDemoLogin_AsksOnATerminal answers the questions of a person who is asked for contact
// details, a method and a code.
func TestDemoLogin_AsksOnATerminal(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("script"); err != nil {
		t.Skip("script, which makes a terminal, is not on this machine")
	}
	command := program + " demo --company se-demo --person 200004130000"
	cmd := exec.CommandContext(timeoutContext(t), "script", "-qec", command, "/dev/null")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	screen, typist := io.Pipe()
	var seen bytes.Buffer
	cmd.Stdout = io.MultiWriter(&seen, typist)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		err := cmd.Wait()
		_ = typist.Close()
		ended <- err
	}()
	left := []struct{ prompt, line string }{
		{"Email [anna@example.com]: ", "bo@example.com"}, {"Mobile phone number [0701740605]: ", ""},
		{"Choose 1 Sms, 2 Appen [1]: ", "7"}, {"Choose 1 Sms, 2 Appen [1]: ", "1"},
		{"Code, or RESEND [123456]: ", "000000"}, {"Code, or RESEND [123456]: ", "resend"}, {"Code, or RESEND [123456]: ", "234561"},
	}
	text := ""
	for part := make([]byte, 4096); ; {
		n, err := screen.Read(part)
		text += string(part[:n])
		if len(left) > 0 && strings.Contains(text, left[0].prompt) {
			_, text, _ = strings.Cut(text, left[0].prompt)
			if _, err := fmt.Fprintln(in, left[0].line); err != nil {
				t.Fatal(err)
			}
			left = left[1:]
		}
		if err != nil {
			break
		}
	}
	if err := <-ended; err != nil || len(left) > 0 {
		t.Fatalf("%v; not asked: %v\n%s", err, left, seen.String())
	}
	if !strings.Contains(seen.String(), "COMPLETED") {
		t.Errorf("the demonstration ended without products:\n%s", seen.String())
	}
}
