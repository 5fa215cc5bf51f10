package cli

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestReadme_CommandsWork runs the curl commands of README.md against samla dev, as a
// reader does: with the values that a comment names, and again until a comment is true.
func TestReadme_CommandsWork(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("no curl on this machine")
	}
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	commands := curlCommands(string(text))
	if len(commands) < 17 {
		t.Fatalf("%d commands", len(commands))
	}
	p, a := startDev(t)
	r := &reader{T: t, values: map[string]string{"API": a.API, "KEY": a.APIKey, "SANDBOX": a.Sandbox, "CA": a.SandboxCA}}
	for _, c := range commands {
		r.follow(c)
	}
	if r.lists < 3 {
		t.Errorf("%d commands returned products", r.lists)
	}
	stop(t, p)
}

// curlCommand is a command with the comment at its end.
type curlCommand struct{ text, comment string }

var commentRE = regexp.MustCompile(`\s+# (.*)$`)

// curlCommands returns the commands of a Markdown text that begin with curl. A command goes
// on over lines inside of quotes.
func curlCommands(markdown string) []curlCommand {
	var found []curlCommand
	text := ""
	for line := range strings.Lines(markdown) {
		if text == "" && !strings.HasPrefix(line, "curl ") {
			continue
		}
		text += line
		bare := commentRE.ReplaceAllString(strings.TrimSpace(text), "")
		if strings.Count(bare, "'")%2 == 1 {
			continue
		}
		c := curlCommand{text: bare}
		if comment := commentRE.FindStringSubmatch(strings.TrimSpace(text)); comment != nil {
			c.comment = comment[1]
		}
		found, text = append(found, c), ""
	}
	return found
}

// reader follows the commands.
type reader struct {
	*testing.T
	values map[string]string // of variables
	qrData string            // the newest QR text
	lists  int               // answers that are lists of products
}

var (
	isRE    = regexp.MustCompile(`(\w+) is (?:now )?\$(\w+)`)
	untilRE = regexp.MustCompile(`until status is ([A-Z_]+)`)
)

// follow runs a command and does what its comment says.
func (r *reader) follow(c curlCommand) {
	r.Helper()
	text := strings.ReplaceAll(c.text, "bankid.…", r.qrData)
	until := untilRE.FindStringSubmatch(c.comment)
	showsCode := strings.Contains(c.comment, "authInstructions.qrData")
	for end := time.Now().Add(timeout); ; {
		answer := r.run(text)
		if showsCode {
			if r.qrData = answer.AuthInstructions.QRData; r.qrData != "" {
				return
			}
		} else if until == nil || answer.member("status") == until[1] {
			if is := isRE.FindStringSubmatch(c.comment); is != nil {
				if r.values[is[2]] = answer.member(is[1]); r.values[is[2]] == "" {
					r.Fatalf("%s\nhas no %s in its answer", c.text, is[1])
				}
			}
			return
		}
		if time.Now().After(end) {
			r.Fatalf("%s\nwaits for %q; the status is %s", c.text, c.comment, answer.member("status"))
		}
		time.Sleep(pollInterval)
	}
}

// answer is what a command printed.
type answer struct {
	members          map[string]any
	AuthInstructions struct{ QRData string }
}

func (a answer) member(name string) string {
	text, _ := a.members[name].(string)
	return text
}

// run runs a command in a shell. Its answer must be no problem document.
func (r *reader) run(text string) (a answer) {
	r.Helper()
	cmd := exec.CommandContext(timeoutContext(r.T), "sh", "-c", text)
	cmd.Env = os.Environ()
	for name, value := range r.values {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	out, err := cmd.Output()
	if err != nil {
		r.Fatalf("%s\n%v", text, err)
	}
	if strings.HasPrefix(string(out), "[{") {
		var all []map[string]any
		if err := json.Unmarshal(out, &all); err != nil {
			r.Fatal(err)
		}
		if _, is := all[0]["personalInformation"]; is {
			r.lists++
		}
		a.members = all[0] // a comment names members of the first
		return a
	}
	if len(out) == 0 {
		return a // 204
	}
	if err = json.Unmarshal(out, &a); err == nil {
		err = json.Unmarshal(out, &a.members)
	}
	if err != nil || a.member("requestId") != "" {
		r.Fatalf("%s\n%v: %s", text, err, out)
	}
	return a
}
