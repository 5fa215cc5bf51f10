package sandbox_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"samla/internal/sandbox"
)

// reopen starts a new sandbox on w's directory and clock. With kill it does not stop
// w, which would close the files, but starts the new sandbox on a copy of them.
func (w *env) reopen(dir string, kill bool) (*env, string) {
	w.Helper()
	if kill {
		files := filepath.Join(w.TempDir(), "copy")
		if err := os.CopyFS(files, os.DirFS(dir)); err != nil {
			w.Fatal(err)
		}
		dir = files
	} else {
		w.stop()
	}
	n := start(w.TB, func(c *sandbox.Config) { c.Dir, c.Keys, c.Clock = dir, nil, w.clock })
	n.clock = w.clock
	return n, dir
}

// A signing continues after restarts in each of its states: not scanned, opened, or
// signed but not yet noticed by the bank.
func TestRestart_ContinuesSigning(t *testing.T) {
	for _, kill := range []bool{false, true} {
		t.Run(fmt.Sprintf("kill=%v", kill), func(t *testing.T) {
			dir := t.TempDir()
			w := start(t, func(c *sandbox.Config) { c.Dir, c.Keys = dir, nil })
			poll := func(bank string, auth response) response {
				return w.tpp(bank).call("GET", auth.text("_links", "scaStatus", "href"), "").want(200)
			}
			scanned, scanning := w.tpp("se-demo-psd2").begin("PSU-ID", maja)
			_, picture := w.tpp("se-sandbox-static").begin("PSU-ID", ester)
			_, opened := w.tpp("se-sandbox-short").begin("PSU-ID", sten)
			w.phone(fmt.Sprintf(`{"action":"open","autoStartToken":%q}`, opened.text("challengeData", "data", 0))).want(200)
			signed, signing := w.tpp("se-demo-psd2").begin("PSU-ID", tim)
			w.tpp("se-demo-psd2").approve(signing, tim)
			_, late := w.tpp("se-demo-psd2").begin("PSU-ID", tolvan)

			for range 2 {
				w.clock.Advance(10 * time.Second)
				w, dir = w.reopen(dir, kill)
			}
			p := w.tpp("se-demo-psd2")
			waiting := poll("se-demo-psd2", scanning)
			if waiting.text("scaStatus") != "scaMethodSelected" || !strings.Contains(waiting.text("challengeData", "data", 1), ".20.") {
				t.Errorf("after two restarts: %s", waiting.body)
			}
			w.phone(fmt.Sprintf(`{"action":"open","qrData":%q}`, waiting.text("challengeData", "data", 1))).want(200)
			if got := poll("se-demo-psd2", scanning); got.text("scaStatus") != "started" {
				t.Errorf("opened after the restarts: %s", got.body)
			}
			p.approve(waiting, maja)
			if got := poll("se-demo-psd2", scanning); got.text("scaStatus") != "finalised" {
				t.Errorf("signed after the restarts: %s", got.body)
			}
			p.call("GET", "accounts", "", "Consent-ID", scanned.text("consentId")).want(200)

			if got := poll("se-sandbox-static", picture); got.text("challengeData", "image") != picture.text("challengeData", "image") {
				t.Error("the image changed after the restarts")
			}
			w.phone(fmt.Sprintf(`{"action":"approve","qrData":"bankid:///?autostarttoken=%s"}`, picture.text("challengeData", "data", 0))).want(200)
			if got := poll("se-sandbox-static", picture); got.text("scaStatus") != "finalised" {
				t.Errorf("signed with the image: %s", got.body)
			}
			if got := poll("se-demo-psd2", signing); got.text("scaStatus") != "finalised" || got.text("psuName") == "" {
				t.Errorf("signed before the restarts: %s", got.body)
			}
			p.call("GET", "accounts", "", "Consent-ID", signed.text("consentId")).want(200)

			w.clock.Advance(10 * time.Second) // 30 s from the order's start
			if got := poll("se-demo-psd2", late); got.text("hintCode") != "startFailed" {
				t.Errorf("never opened: %s", got.body)
			}
			if got := poll("se-sandbox-short", opened); got.text("scaStatus") != "started" {
				t.Errorf("opened before the restarts: %s", got.body)
			}
			w.clock.Advance(150 * time.Second) // 3 min
			if got := poll("se-sandbox-short", opened); got.text("hintCode") != "expiredTransaction" {
				t.Errorf("opened but not signed: %s", got.body)
			}
			journal, err := os.ReadFile(filepath.Join(dir, "se-demo-psd2.jsonl"))
			if err != nil {
				t.Fatal(err)
			}
			if lines := strings.Split(strings.TrimSpace(string(journal)), "\n"); strings.Contains(lines[len(lines)-1], "qrStartSecret") {
				t.Error("the journal's last line has the secret of an order that has ended")
			}
		})
	}
}

// When BankID's file is lost, a pending authorisation fails as expired, not as
// cancelled by the person.
func TestRestart_LostOrderExpires(t *testing.T) {
	dir := t.TempDir()
	w := start(t, func(c *sandbox.Config) { c.Dir, c.Keys = dir, nil })
	consent, auth := w.tpp("se-demo-psd2").begin()
	w.stop()
	if err := os.Remove(filepath.Join(dir, "bankid.jsonl")); err != nil {
		t.Fatal(err)
	}
	w, _ = w.reopen(dir, false)
	w.tpp("se-demo-psd2").wantFailed(consent, auth, "expiredTransaction")
}

// The bank is killed after BankID's answer and before it writes its own journal line.
// When the TPP repeats its request, it gets the same order.
func TestRestart_RepeatedAuthorisationReturnsSameOrder(t *testing.T) {
	dir := t.TempDir()
	w := start(t, func(c *sandbox.Config) { c.Dir, c.Keys = dir, nil })
	consent, auth := w.tpp("se-demo-psd2").begin()
	w.stop()
	path := filepath.Join(dir, "se-demo-psd2.jsonl")
	lines, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	cut := strings.Index(string(lines), `{"authorisation"`)
	if err := os.WriteFile(path, lines[:cut+40], 0o600); err != nil {
		t.Fatal(err)
	}
	w, _ = w.reopen(dir, false)
	again := w.tpp("se-demo-psd2").call("POST", "consents/"+consent.text("consentId")+"/authorisations", `{}`,
		"X-Request-ID", auth.header.Get("X-Request-ID")).want(201)
	if again.text("challengeData", "data", 0) != auth.text("challengeData", "data", 0) || again.text("scaStatus") != "scaMethodSelected" {
		t.Errorf("%s", again.body)
	}
}

// A restart on the same directory keeps the consents, the counted reads, the
// certificates and the address.
func TestRestart_KeepsStateAndAddress(t *testing.T) {
	dir := t.TempDir()
	kept := func(c *sandbox.Config) { c.Dir, c.Keys = dir, nil }
	w := start(t, kept)
	p := w.tpp("se-demo-psd2")
	id := p.consent(allAccounts, maja)
	for range 3 {
		p.call("GET", "accounts", "", "Consent-ID", id, psuAddress, "").want(200)
	}
	ended := p.consent(allAccounts, tim)
	p.call("DELETE", "consents/"+ended, "").want(204)
	open1, auth := p.begin("PSU-ID", ester)
	request := open1.header.Get("X-Request-ID")
	ca, url := string(w.CAPEM()), w.URL()
	w.stop()

	w = start(t, kept)
	if w.URL() != url {
		t.Errorf("address %s, want %s", w.URL(), url)
	}
	if string(w.CAPEM()) != ca || w.CAFile() == "" || w.TPPFiles().QSEALKey == "" {
		t.Error("the CA changed, or file paths are empty")
	}
	p = w.tpp("se-demo-psd2")
	status := func(id string) string { return p.call("GET", "consents/"+id+"/status", "").text("consentStatus") }
	if status(id) != "valid" || status(ended) != "terminatedByTpp" {
		t.Errorf("%s, %s", status(id), status(ended))
	}
	p.call("GET", "accounts", "", "Consent-ID", id, psuAddress, "").want(200)
	p.call("GET", "accounts", "", "Consent-ID", id, psuAddress, "").wantError(429, "ACCESS_EXCEEDED")
	if again := p.call("POST", "consents", allAccounts, "X-Request-ID", request).want(201); again.text("consentId") != open1.text("consentId") {
		t.Error("the repeated request created another consent")
	}
	p.approve(auth, ester)
	if status(open1.text("consentId")) != "valid" {
		t.Error("the pending authorisation was not continued")
	}
	newer := p.consent(allAccounts, maja)
	if status(id) != "terminatedByTpp" || status(newer) != "valid" {
		t.Error("the newer consent did not end the one from before the restart")
	}
	if s := w.Stats(); s.ConsentsCreated != 4 || s.DuplicateConsents != 0 {
		t.Errorf("%+v", s)
	}
}

// The bank is killed after it has written the consent as valid and before it writes
// the authorisation as finalised. After the restart both are consistent.
func TestRestart_FinalisesAuthorisationOfValidConsent(t *testing.T) {
	dir := t.TempDir()
	w := start(t, func(c *sandbox.Config) { c.Dir, c.Keys = dir, nil })
	p := w.tpp("se-demo-psd2")
	consent, auth := p.begin()
	p.approve(auth, maja)
	p.call("GET", auth.text("_links", "scaStatus", "href"), "").want(200)
	w.stop()
	path := filepath.Join(dir, "se-demo-psd2.jsonl")
	lines, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if last := strings.LastIndex(string(lines), `{"authorisation"`); !strings.Contains(string(lines[:last]), `"valid"`) {
		t.Fatal("the consent's line is not before the authorisation's")
	}
	if err := os.WriteFile(path, lines[:len(lines)-1], 0o600); err != nil {
		t.Fatal(err)
	}
	w, _ = w.reopen(dir, false)
	p = w.tpp("se-demo-psd2")
	if got := p.call("GET", auth.text("_links", "scaStatus", "href"), "").want(200); got.text("scaStatus") != "finalised" {
		t.Errorf("%s", got.body)
	}
	if got := p.call("GET", "consents/"+consent.text("consentId")+"/status", "").text("consentStatus"); got != "valid" {
		t.Errorf("the consent is %s", got)
	}
}

// Port 0 means the port of the last start, unless that port is in use or its file is
// incomplete.
func TestStart_ReusesPort(t *testing.T) {
	keys, err := testKeys()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	run := func(listen string) string {
		t.Helper()
		s, err := sandbox.New(sandbox.Config{Keys: keys, Dir: dir, Listen: listen})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := s.Stop(ctx); err != nil {
			t.Error(err)
		}
		return strings.TrimPrefix(s.URL(), "https://")
	}
	first := run("")
	if again := run("127.0.0.1:0"); again != first {
		t.Errorf("%s, then %s", first, again)
	}
	other, err := net.Listen("tcp", first)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	second := run("")
	if second == first {
		t.Error("the sandbox listens on a port in use")
	}
	if again := run(""); again != second {
		t.Errorf("%s, then %s", second, again)
	}
	path := filepath.Join(dir, "port")
	for _, text := range []string{"", "1", "99999\n", "-1\n", "0\n", "port\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if now := run(""); !strings.HasPrefix(now, "127.0.0.1:") {
			t.Errorf("%q: address %s", text, now)
		}
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	if got := run(first); got != first {
		t.Errorf("address %s, want %s", got, first)
	}
	if kept, _ := os.ReadFile(path); strings.Contains(first, strings.TrimSpace(string(kept))) {
		t.Error("an explicit port replaced the stored one")
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}
