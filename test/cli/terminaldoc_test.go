package cli

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"samla/internal/apiclient"
	"samla/internal/clock"
)

// samlaCommands returns the commands of Markdown files that run samla as a client, with the
// comments at their ends.
func samlaCommands(t *testing.T, file, section string) (found []curlCommand) {
	t.Helper()
	text, err := os.ReadFile("../../" + file)
	if err != nil {
		t.Fatal(err)
	}
	_, markdown, is := strings.Cut(string(text), section)
	if !is {
		t.Fatalf("%s has no %q", file, section)
	}
	if section != "" {
		markdown, _, _ = strings.Cut(markdown, "\n### ")
	}
	shell := false
	for line := range strings.Lines(markdown) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "```") {
			shell = line == "```sh"
			continue
		}
		if !shell {
			continue
		}
		c := curlCommand{text: commentRE.ReplaceAllString(line, "")}
		if comment := commentRE.FindStringSubmatch(line); comment != nil {
			c.comment = comment[1]
		}
		found = append(found, c)
	}
	return found
}

// TestTerminal_DocumentedCommandsWork runs the commands of docs/terminal.md and of README.md
// in a shell, as a reader does, beside a person who signs.
func TestTerminal_DocumentedCommandsWork(t *testing.T) {
	t.Parallel()
	commands := append(samlaCommands(t, "docs/terminal.md", ""), samlaCommands(t, "README.md", "### From the terminal")...)
	if len(commands) < 18 {
		t.Fatalf("%d commands", len(commands))
	}
	dir := t.TempDir()
	data := filepath.Join(dir, "dev-data")
	p, a := startDev(t, "--data", data)
	defer stop(t, p)
	if err := os.Symlink(program, filepath.Join(dir, "samla")); err != nil {
		t.Fatal(err)
	}
	env := append(os.Environ(), "XDG_CONFIG_HOME="+filepath.Join(dir, "config"), "PATH="+dir+":"+os.Getenv("PATH"), "SAMLA_PERSON="+person)
	for _, c := range commands {
		text := strings.ReplaceAll(c.text, "http://127.0.0.1:8080", a.API)
		if strings.Contains(text, "collect --company se-demo-psd2") {
			user := text[strings.Index(text, "--user ")+len("--user "):]
			go signs(t, a, strings.Fields(user)[0])
		}
		cmd := exec.CommandContext(timeoutContext(t), "sh", "-c", text)
		cmd.Env, cmd.Dir = env, dir
		var log strings.Builder
		cmd.Stderr = &log
		out, err := cmd.Output()
		if err != nil || len(out)+log.Len() == 0 {
			t.Fatalf("%s\n%v\n%s%s", text, err, out, log.String())
		}
		if is := isRE.FindStringSubmatch(c.comment); is != nil {
			var all []map[string]any
			if err := json.Unmarshal(out, &all); err != nil || len(all) == 0 {
				t.Fatalf("%s\n%v: %s", text, err, out)
			}
			value, _ := all[0][is[1]].(string)
			env = append(env, is[2]+"="+value)
		}
	}
	for _, pattern := range []string{"books/*.ofx", "books/*.camt053.xml", "books/*-products.csv", "books/*.beancount", "ledger/*.beancount"} {
		if files, err := filepath.Glob(filepath.Join(dir, pattern)); err != nil || len(files) == 0 {
			t.Errorf("no file %s was written: %v", pattern, err)
		}
	}
}

// signs approves the next consent of a user on the phone, by its QR code.
func signs(t *testing.T, a devAddresses, externalID string) {
	api := &apiclient.Client{Base: a.API, APIKey: a.APIKey, HTTP: &http.Client{Timeout: timeout}}
	phone := newPhone(t, a.Sandbox, a.SandboxCA)
	for ctx := timeoutContext(t); ctx.Err() == nil; _ = clock.Sleep(ctx, clock.System(), pollInterval) {
		user, err := api.FindUser(ctx, externalID)
		if err != nil {
			continue // it is not there yet
		}
		consents, err := api.Consents(ctx, user.ID)
		if err != nil {
			continue
		}
		token, err := api.CreateSession(ctx, user.ID)
		if err != nil {
			continue
		}
		for _, c := range consents {
			s, err := api.PollConsent(ctx, token, c.ID)
			if err == nil && s.Status == "AWAITING_AUTHORIZATION" && s.AuthInstructions.QRData != "" && phone.Act(ctx, "approve", "", s.AuthInstructions.QRData, "") == nil {
				return
			}
		}
	}
}
