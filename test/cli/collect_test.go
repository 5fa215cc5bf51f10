package cli

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/png"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"samla/internal/clock"
	"samla/internal/visitor"
	"samla/test/qrscan"
)

// shown is a running command: what it has printed to a terminal, or to both streams.
type shown struct {
	*testing.T
	cmd    *exec.Cmd
	in     io.WriteCloser
	screen *io.PipeReader
	seen   bytes.Buffer
	rest   string // what was not looked at yet
	ended  chan error
}

// start starts a command, in a terminal or not.
func (v *terminal) start(inTerminal bool, args ...string) *shown {
	v.Helper()
	command := append([]string{program}, args...)
	if inTerminal {
		if _, err := exec.LookPath("script"); err != nil {
			v.Skip("script, which makes a terminal, is not on this machine")
		}
		command = []string{"script", "-qec", strings.Join(command, " "), "/dev/null"}
	}
	s := &shown{T: v.T, cmd: exec.CommandContext(timeoutContext(v.T), command[0], command[1:]...), ended: make(chan error, 1)}
	s.cmd.Env = v.env
	var err error
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		v.Fatal(err)
	}
	screen, typist := io.Pipe()
	s.screen, s.cmd.Stdout, s.cmd.Stderr = screen, typist, typist
	if err := s.cmd.Start(); err != nil {
		v.Fatal(err)
	}
	go func() {
		err := s.cmd.Wait()
		_ = typist.Close()
		s.ended <- err
	}()
	return s
}

// await reads until the pattern is printed, and returns what it found.
func (s *shown) await(pattern string) []string {
	s.Helper()
	re := regexp.MustCompile(pattern)
	for part := make([]byte, 4096); ; {
		if at := re.FindStringSubmatchIndex(s.rest); at != nil {
			found := re.FindStringSubmatch(s.rest)
			s.rest = s.rest[at[1]:]
			return found
		}
		n, err := s.screen.Read(part)
		s.seen.Write(part[:n])
		s.rest += string(part[:n])
		if err != nil && n == 0 {
			s.Fatalf("%q was not printed: %v\n%s", pattern, err, s.seen.String())
		}
	}
}

// wait reads to the end and returns the exit status.
func (s *shown) wait() int {
	s.Helper()
	rest, _ := io.ReadAll(s.screen)
	s.seen.Write(rest)
	s.rest += string(rest)
	<-s.ended
	return s.cmd.ProcessState.ExitCode()
}

// scanned decodes a QR code that was drawn with half blocks on a terminal.
func scanned(t *testing.T, drawing string) string {
	t.Helper()
	var rows [][]rune
	for _, line := range regexp.MustCompile("\x1b\\[30;107m(.*?)\x1b\\[0m").FindAllStringSubmatch(drawing, -1) {
		rows = append(rows, []rune(line[1]))
	}
	if len(rows) < 10 {
		t.Fatalf("%d rows", len(rows))
	}
	const module = 4
	picture := image.NewGray(image.Rect(0, 0, module*len(rows[0]), module*2*len(rows)))
	for y := range picture.Rect.Max.Y {
		for x := range picture.Rect.Max.X {
			upper := y/module%2 == 0
			r := rows[y/module/2][x/module]
			shade := color.Gray{Y: 255}
			if r == '█' || r == '▀' && upper || r == '▄' && !upper {
				shade.Y = 0
			}
			picture.SetGray(x, y, shade)
		}
	}
	var file bytes.Buffer
	if err := png.Encode(&file, picture); err != nil {
		t.Fatal(err)
	}
	return qrscan.Decode(t, base64.StdEncoding.EncodeToString(file.Bytes()))
}

// The person scans the code that is drawn on the terminal. The next collection needs no
// signature.
func TestCollect_CodeOnTheTerminalIsScanned(t *testing.T) {
	t.Parallel()
	p, a := startDev(t)
	defer stop(t, p)
	v := newTerminal(t, a)
	phone := newPhone(t, a.Sandbox, a.SandboxCA)
	dir := t.TempDir()
	s := v.start(true, "collect", "--company", demoCompany, "--out", dir, "--format", "beancount,json")
	s.await("Personal number, 12 digits")
	if _, err := io.WriteString(s.in, person+"\n"); err != nil {
		t.Fatal(err)
	}
	codes := map[string]bool{}
	for len(codes) < 3 { // a new one each second
		codes[scanned(t, s.await(`((?:\x1b\[30;107m[^\x1b]*\x1b\[0m\r?\n)+)[^\n\x1b]+\n`)[1])] = true
	}
	last := scanned(t, s.await(`((?:\x1b\[30;107m[^\x1b]*\x1b\[0m\r?\n)+)[^\n\x1b]+\n`)[1])
	if err := phone.Act(t.Context(), "approve", "", last, ""); err != nil {
		t.Fatal(err)
	}
	consent := s.await(`Signed. The consent (\S+) lasts until`)[1]
	if status := s.wait(); status != 0 || strings.Contains(s.seen.String(), person) {
		t.Fatalf("exit status %d, or the number is shown:\n%s", status, s.seen.String())
	}
	files, err := filepath.Glob(filepath.Join(dir, demoCompany+"-*"))
	if err != nil || len(files) != 2 {
		t.Errorf("%v, %v", files, err)
	}
	again := v.ok("collect", "--company", demoCompany)
	if !strings.Contains(again, "\nPSD2_CREDIT_CARD ") {
		t.Errorf("%s", again)
	}
	if list := v.ok("consents", "list", "--user", "terminal"); strings.Count(list, "AUTHORIZED") != 1 || !strings.Contains(list, consent) {
		t.Errorf("%s", list)
	}
}

// The bank is told when the person stops.
func TestCollect_StopCancelsAtTheBank(t *testing.T) {
	t.Parallel()
	p, a := startDev(t)
	defer stop(t, p)
	v := newTerminal(t, a)
	s := v.start(false, "collect", "--company", demoCompany, "--person", person)
	s.await("BankID on this device: ")
	if err := s.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if status := s.wait(); status != 1 || !strings.Contains(s.seen.String(), "stopped; the institution was told to cancel\n") {
		t.Errorf("exit status %d:\n%s", status, s.seen.String())
	}
	if list := v.ok("consents", "list", "--user", "terminal"); !strings.Contains(list, "REVOKED") {
		t.Errorf("%s", list)
	}
	login := v.start(false, "collect", "--company", "se-demo", "--person", "200004010000") // asks for a code
	login.await("logged in to")
	if status := login.wait(); status != 1 || !strings.Contains(login.seen.String(), "there is no terminal to answer it on") {
		t.Errorf("exit status %d:\n%s", status, login.seen.String())
	}
	if list := v.ok("collections", "list", "--user", "terminal"); !strings.Contains(list, "AUTHENTICATION_CANCELLED") {
		t.Errorf("a login that nobody answers goes on:\n%s", list)
	}
}

// A bank that signs on a page of its own: the address is printed, and the terminal goes on
// when the person comes back.
func TestCollect_PrintsAddressOfABanksPage(t *testing.T) {
	t.Parallel()
	p, a := startDev(t)
	defer stop(t, p)
	v := newTerminal(t, a)
	s := v.start(false, "collect", "--company", "se-demo-redirect", "--person", person, "--json")
	address := s.await(`(?m)^  (http\S+)$`)[1]
	browser := visitor.New(newPhone(t, a.Sandbox, a.SandboxCA).HTTP.Transport.(*http.Transport), clock.System(), a.Sandbox)
	back, err := browser.Visit(timeoutContext(t), address, visitor.Person{Number: person, Phone: visitor.Approve, SignsAs: person})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := browser.Arrive(timeoutContext(t), back); err != nil {
		t.Fatal(err)
	}
	if status := s.wait(); status != 0 || !strings.Contains(s.seen.String(), `"type":"PSD2_CHECKING_ACCOUNT"`) {
		t.Errorf("exit status %d:\n%.3000s", status, s.seen.String())
	}
}

// The person answers what an institution asks. Nothing is answered for the person.
func TestCollect_AsksOnATerminal(t *testing.T) {
	t.Parallel()
	p, a := startDev(t)
	defer stop(t, p)
	v := newTerminal(t, a)
	s := v.start(true, "collect", "--company", "se-demo", "--person", "200004130000")
	for _, of := range []struct{ prompt, line string }{
		{"Email: ", ""}, {"Email: ", "bo@example.com"}, {"Mobile phone number: ", "0701740605"},
		{"Choose 1 Sms, 2 Appen: ", "7"}, {"Choose 1 Sms, 2 Appen: ", "1"}, {"Code, or RESEND: ", "123456"},
	} {
		s.await(regexp.QuoteMeta(of.prompt))
		if _, err := io.WriteString(s.in, of.line+"\n"); err != nil {
			t.Fatal(err)
		}
	}
	if status := s.wait(); status != 0 || !strings.Contains(s.rest, "All of it, less the loans") && !strings.Contains(s.rest, "VALUE") {
		t.Errorf("exit status %d:\n%s", status, s.seen.String())
	}
}

func TestCollect_SaysWhatToDoForAWrongFlag(t *testing.T) {
	t.Parallel()
	p, a := startDev(t)
	defer stop(t, p)
	v := newTerminal(t, a)
	for flags, want := range map[string]string{
		"--company se-nordea":                                      "did you mean se-demo-nordea",
		"--company se-demo-psd2 --login-method CARDS":              "--login-method is one of SWEDISH_MOBILE_BANKID_OTHER_DEVICE, ",
		"--company se-demo-psd2 --person 198412099297":             "/personalNumber: ",
		"--company se-demo-psd2 --format xls":                      "must be one of",
		"--company se-demo-psd2 --person 198412099296 --ip nobody": "/psuIpAddress: ",
	} {
		out, log, status := v.run(append([]string{"collect"}, strings.Fields(flags)...)...)
		if status != 1 || out != "" || !strings.Contains(log, want) || strings.Contains(log, "198412099297") {
			t.Errorf("%s: exit status %d, printed %s%s", flags, status, out, log)
		}
	}
}
