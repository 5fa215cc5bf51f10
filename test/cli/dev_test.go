package cli

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"samla/internal/apiclient"
	"samla/test/process"
)

// devAddresses is the first line of samla dev --json.
type devAddresses struct{ API, APIKey, Sandbox, SandboxCA string }

func startDev(t *testing.T, args ...string) (*process.Process, devAddresses) {
	t.Helper()
	p := process.Start(t, program, append([]string{"dev", "--listen", "127.0.0.1:0", "--json"}, args...)...)
	var a devAddresses
	firstLine(t, p, &a)
	if !regexp.MustCompile(`^http://127\.0\.0\.1:[1-9]\d*$`).MatchString(a.API) ||
		!regexp.MustCompile(`^https://127\.0\.0\.1:[1-9]\d*$`).MatchString(a.Sandbox) || a.APIKey == "" || a.SandboxCA == "" {
		t.Fatalf("printed %+v", a)
	}
	return p, a
}

func TestDev_KeepsDataOverRestart(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, store []string) {
		const key = "a-key-of-my-own-0123456789"
		flags := append([]string{"--data", tempPath(t, "data"), "--api-key", key}, store...)
		p, a := startDev(t, flags...)
		if a.APIKey != key {
			t.Errorf("the API key is %q", a.APIKey)
		}
		v := newUser(t, a.API, a.APIKey, newPhone(t, a.Sandbox, a.SandboxCA), "customer-1")
		consentID, s := v.requestConsent(t)
		v.approve(t, s)
		v.awaitConsent(t, consentID, "AUTHORIZED")
		collectionID, data := v.collect(t, consentID)
		stop(t, p)
		if n := strings.Count(p.Out.String(), "\n"); n != 1 {
			t.Errorf("printed %d lines", n)
		}

		p, a = startDev(t, flags...)
		v.Base = a.API
		if again, err := v.PollConsent(t.Context(), v.token, consentID); err != nil || again.Status != "AUTHORIZED" {
			t.Errorf("the consent is %s: %v", again.Status, err)
		}
		if again, err := v.Data(t.Context(), v.token, collectionID); err != nil || !bytes.Equal(again, data) {
			t.Errorf("the data has %d bytes of %d: %v", len(again), len(data), err)
		}
		if _, err := v.CreateSession(t.Context(), v.id); err != nil {
			t.Errorf("the user: %v", err)
		}
		v.collect(t, consentID) // the bank knows the consent too
		stop(t, p)
	})
}

func TestDev_KeepsGeneratedKey(t *testing.T) {
	t.Parallel()
	dir := tempPath(t, "data")
	p, first := startDev(t, "--data", dir)
	stop(t, p)
	p, second := startDev(t, "--data", dir)
	defer stop(t, p)
	if second.APIKey != first.APIKey {
		t.Error("the API key changed")
	}
	client := apiclient.Client{Base: second.API, APIKey: first.APIKey, HTTP: http.DefaultClient}
	if _, err := client.CreateUser(t.Context(), "customer-1"); err != nil {
		t.Error(err)
	}
}

// TestDev_PrintsWorkingCommands runs the printed commands in a shell.
func TestDev_PrintsWorkingCommands(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("no curl on this machine")
	}
	const key = `it's"my"$KEY`
	p := process.Start(t, program, "dev", "--listen", "127.0.0.1:0", "--api-key", key)
	if _, err := p.Out.Await(timeoutContext(t), regexp.MustCompile(`approve it on the phone`)); err != nil {
		t.Fatalf("%v\n%s", err, p.Log.Tail())
	}
	text := p.Out.String()
	for _, label := range []string{"API ", "API key ", "Sandbox "} {
		if !regexp.MustCompile(`(?m)^` + label + `\s*\S`).MatchString(text) {
			t.Errorf("no line with the %s", label)
		}
	}
	docs := regexp.MustCompile(`(?m)^Docs +(http://\S+/docs)$`).FindStringSubmatch(text)
	if docs == nil {
		t.Fatalf("no line with the documentation:\n%s", text)
	}
	if answer, err := http.Get(docs[1]); err != nil || answer.StatusCode != http.StatusOK {
		t.Errorf("the documentation answers %v, %v", answer, err)
	}
	lines := slices.DeleteFunc(strings.Split(text, "\n"), func(s string) bool { return !strings.HasPrefix(s, "curl ") })
	if len(lines) != 4 {
		t.Fatalf("%d commands:\n%s", len(lines), text)
	}
	var companies []struct{ Company string }
	var user struct{ UserUUID string }
	var byConsent, byLogin struct{ ID, Status string }
	for i, into := range []any{&companies, &user, &byConsent, &byLogin} {
		out, err := exec.CommandContext(timeoutContext(t), "sh", "-c", lines[i]).Output()
		if err == nil {
			err = json.Unmarshal(out, into)
		}
		if err != nil {
			t.Errorf("%s\n%v: %s", lines[i], err, out)
		}
	}
	if len(companies) == 0 || user.UserUUID == "" || byConsent.ID == "" || byConsent.Status != "RUNNING" || byLogin.ID == "" || byLogin.Status != "RUNNING" {
		t.Errorf("responses %v %v %v %v", companies, user, byConsent, byLogin)
	}
	if !strings.Contains(lines[2], `-H 'authorization-token: it'`) {
		t.Errorf("the header is not one quoted text: %s", lines[2])
	}
	// The flow of README.md follows while the collection waits for its person.
	api, err := p.Address(timeoutContext(t))
	if err != nil {
		t.Fatal(err)
	}
	newUser(t, api, key, nil, "customer-2").requestConsent(t)
	stop(t, p)
}
