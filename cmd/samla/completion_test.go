package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestCompletion_OffersWhatFits(t *testing.T) {
	configured(t)
	for _, name := range []string{"dev", "live"} {
		if _, _, err := samla(t, "profile", "add", name, "--server", "https://samla.example.com", "--key-file", written(t, testKey), "--no-check"); err != nil {
			t.Fatal(err)
		}
	}
	for line, want := range map[string]string{
		"us":                              "users",
		"users ":                          "create show session erase",
		"users cr":                        "create",
		"help":                            "",
		"accounts export --f":             "--format",
		"accounts export --format ":       "csv ofx camt053 beancount",
		"accounts export --format=o":      "ofx",
		"accounts export --format = o":    "ofx", // as bash splits it
		"accounts export --format ofx,c":  "ofx,csv ofx,camt053",
		"companies --profile ":            "dev live",
		"profile use l":                   "live",
		"companies --profile dev --json ": "",
		"completion ":                     "bash zsh fish",
		"demo --y":                        "--yes",
	} {
		out, _, err := samla(t, append([]string{"completion", "words", "--"}, strings.Split(line, " ")...)...)
		if got := strings.Join(strings.Fields(out), " "); err != nil || got != want {
			t.Errorf("samla %s: %q, %v, want %q", line, got, err, want)
		}
	}
}

// Shells run the scripts, with a program that offers the words it is asked about.
func TestCompletion_ScriptsRunInShells(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "samla"), []byte("#!/bin/sh\nshift 2; [ \"$1\" = --described ] && shift\nshift\necho \"ex$(printf '[%s]' \"$@\")\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for shell, test := range map[string]string{
		"bash": `; COMP_WORDS=(samla accounts "a b" ex); COMP_CWORD=3; _samla; printf '%s\n' "${COMPREPLY[@]}"`,
		"zsh":  `; compadd() { shift; print -l "${(@P)1}" }; words=(samla accounts "a b" ex); CURRENT=4; _samla`,
		"fish": `; complete -C 'samla accounts "a b" ex'`,
	} {
		t.Run(shell, func(t *testing.T) {
			program, err := exec.LookPath(shell)
			if err != nil {
				t.Skip("no " + shell + " on this machine")
			}
			script, _, err := samla(t, "completion", shell)
			if err != nil {
				t.Fatal(err)
			}
			if shell == "zsh" {
				script = "compdef() { :; }\n" + script
			}
			c := exec.Command(program, "-c", strings.TrimRight(script, "\n")+"\n"+strings.TrimPrefix(test, "; "))
			c.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "HOME="+dir)
			out, err := c.CombinedOutput()
			if text := strings.ReplaceAll(string(out), `\`, ""); err != nil || !strings.Contains(text, "ex[accounts][a b][ex]") {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}
