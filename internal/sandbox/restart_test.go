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

// reopen starts a sandbox again, on w's directory and clock. After a kill the
// new one starts on a copy of what was in the files at that moment, while w,
// which must not come to close them first, goes on unheard.
func (w *world) reopen(dir string, kill bool) (*world, string) {
	w.Helper()
	if kill {
		left := filepath.Join(w.TempDir(), "left")
		if err := os.CopyFS(left, os.DirFS(dir)); err != nil {
			w.Fatal(err)
		}
		dir = left
	} else {
		w.stop()
	}
	n := open(w.TB, func(c *sandbox.Config) { c.Dir, c.Keys, c.Clock = dir, nil, w.clock })
	n.clock = w.clock
	return n, dir
}

// A person's signing goes on over restarts as if there had been none, wherever
// it was: not scanned, opened, or signed without the bank having noticed.
func TestSigningGoesOnOverRestarts(t *testing.T) {
	for _, kill := range []bool{false, true} {
		t.Run(fmt.Sprintf("kill=%v", kill), func(t *testing.T) {
			dir := t.TempDir()
			w := open(t, func(c *sandbox.Config) { c.Dir, c.Keys = dir, nil })
			poll := func(bank string, auth answer) answer {
				return w.tpp(bank).call("GET", auth.text("_links", "scaStatus", "href"), "").want(200)
			}
			scanned, scanning := w.tpp("se-demo-psd2").begin("PSU-ID", maja)
			_, picture := w.tpp("se-sandbox-static").begin("PSU-ID", ester)
			_, opened := w.tpp("se-sandbox-short").begin("PSU-ID", sten)
			w.phone(fmt.Sprintf(`{"action":"open","autoStartToken":%q}`, opened.text("challengeData", "data", 0))).want(200)
			signed, signing := w.tpp("se-demo-psd2").begin("PSU-ID", light)
			w.tpp("se-demo-psd2").approve(signing, light)
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
				t.Error("the picture is another after the restarts")
			}
			w.phone(fmt.Sprintf(`{"action":"approve","qrData":"bankid:///?autostarttoken=%s"}`, picture.text("challengeData", "data", 0))).want(200)
			if got := poll("se-sandbox-static", picture); got.text("scaStatus") != "finalised" {
				t.Errorf("the picture, signed: %s", got.body)
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
				t.Errorf("opened and left: %s", got.body)
			}
			journal, err := os.ReadFile(filepath.Join(dir, "se-demo-psd2.jsonl"))
			if err != nil {
				t.Fatal(err)
			}
			if lines := strings.Split(strings.TrimSpace(string(journal)), "\n"); strings.Contains(lines[len(lines)-1], "qrStartSecret") {
				t.Error("the bank keeps the secret of an order that has ended")
			}
		})
	}
}

// Without its orders, as when their file is lost, nobody has cancelled.
func TestLostOrderIsNotCancelled(t *testing.T) {
	dir := t.TempDir()
	w := open(t, func(c *sandbox.Config) { c.Dir, c.Keys = dir, nil })
	consent, auth := w.tpp("se-demo-psd2").begin()
	w.stop()
	if err := os.Remove(filepath.Join(dir, "bankid.jsonl")); err != nil {
		t.Fatal(err)
	}
	w, _ = w.reopen(dir, false)
	w.tpp("se-demo-psd2").ended(consent, auth, "expiredTransaction")
}

// A bank that was killed between BankID's answer and its own line gives the TPP
// that repeats its request the same order.
func TestOrderOfABankKilledBeforeItsLine(t *testing.T) {
	dir := t.TempDir()
	w := open(t, func(c *sandbox.Config) { c.Dir, c.Keys = dir, nil })
	consent, auth := w.tpp("se-demo-psd2").begin()
	w.stop()
	path := filepath.Join(dir, "se-demo-psd2.jsonl")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	cut := strings.Index(string(whole), `{"authorisation"`)
	if err := os.WriteFile(path, whole[:cut+40], 0o600); err != nil {
		t.Fatal(err)
	}
	w, _ = w.reopen(dir, false)
	again := w.tpp("se-demo-psd2").call("POST", "consents/"+consent.text("consentId")+"/authorisations", `{}`,
		"X-Request-ID", auth.header.Get("X-Request-ID")).want(201)
	if again.text("challengeData", "data", 0) != auth.text("challengeData", "data", 0) || again.text("scaStatus") != "scaMethodSelected" {
		t.Errorf("%s", again.body)
	}
}

// Started again on the same directory the bank knows its consents, their counted
// reads, its keys and its address.
func TestRestart(t *testing.T) {
	dir := t.TempDir()
	kept := func(c *sandbox.Config) { c.Dir, c.Keys = dir, nil }
	w := open(t, kept)
	p := w.tpp("se-demo-psd2")
	id := p.consent(allAccounts, maja)
	for range 3 {
		p.call("GET", "accounts", "", "Consent-ID", id, unattended, "").want(200)
	}
	ended := p.consent(allAccounts, light)
	p.call("DELETE", "consents/"+ended, "").want(204)
	open1, auth := p.begin("PSU-ID", ester)
	request := open1.header.Get("X-Request-ID")
	ca, url := string(w.CAPEM()), w.URL()
	w.stop()

	w = open(t, kept)
	if w.URL() != url {
		t.Errorf("the address was %s, it is %s", url, w.URL())
	}
	if string(w.CAPEM()) != ca || w.CAFile() == "" || w.TPPFiles().QSEALKey == "" {
		t.Error("another CA, or no files")
	}
	p = w.tpp("se-demo-psd2")
	status := func(id string) string { return p.call("GET", "consents/"+id+"/status", "").text("consentStatus") }
	if status(id) != "valid" || status(ended) != "terminatedByTpp" {
		t.Errorf("%s, %s", status(id), status(ended))
	}
	p.call("GET", "accounts", "", "Consent-ID", id, unattended, "").want(200)
	p.call("GET", "accounts", "", "Consent-ID", id, unattended, "").refused(429, "ACCESS_EXCEEDED")
	if again := p.call("POST", "consents", allAccounts, "X-Request-ID", request).want(201); again.text("consentId") != open1.text("consentId") {
		t.Error("the repeated request made another consent")
	}
	p.approve(auth, ester)
	if status(open1.text("consentId")) != "valid" {
		t.Error("an authorisation under way does not go on")
	}
	newer := p.consent(allAccounts, maja)
	if status(id) != "terminatedByTpp" || status(newer) != "valid" {
		t.Error("the newer consent did not end the one from before the restart")
	}
	if s := w.Stats(); s.ConsentsCreated != 4 || s.DuplicateConsents != 0 {
		t.Errorf("%+v", s)
	}
}

// A bank that was killed between the line of the consent that became valid and
// that of its authorisation finds the two at one again.
func TestBankKilledBetweenItsLines(t *testing.T) {
	dir := t.TempDir()
	w := open(t, func(c *sandbox.Config) { c.Dir, c.Keys = dir, nil })
	p := w.tpp("se-demo-psd2")
	consent, auth := p.begin()
	p.approve(auth, maja)
	p.call("GET", auth.text("_links", "scaStatus", "href"), "").want(200)
	w.stop()
	path := filepath.Join(dir, "se-demo-psd2.jsonl")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if last := strings.LastIndex(string(whole), `{"authorisation"`); !strings.Contains(string(whole[:last]), `"valid"`) {
		t.Fatal("the consent's line is not before the authorisation's")
	}
	if err := os.WriteFile(path, whole[:len(whole)-1], 0o600); err != nil {
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

// The port is kept where any is asked for; one that is taken is passed over, and
// a file without a whole port is as good as none.
func TestPortStays(t *testing.T) {
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
	taker, err := net.Listen("tcp", first)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taker.Close() }()
	second := run("")
	if second == first {
		t.Error("a taken port was had")
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
			t.Errorf("%q led to %s", text, now)
		}
	}
	if err := taker.Close(); err != nil {
		t.Fatal(err)
	}
	if got := run(first); got != first {
		t.Errorf("asked for %s, got %s", first, got)
	}
	if kept, _ := os.ReadFile(path); strings.Contains(first, strings.TrimSpace(string(kept))) {
		t.Error("a port that was asked for replaced the one that is kept")
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}
