package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"samla/internal/profile"
)

func TestBankList_ShowsTheBanksOfACountryAndTheGateways(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), []string{"bank", "list", "--country", "se"}, &out, new(bytes.Buffer)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"se-nordea", "se-swedbank", "eu-enable-banking", "unconfirmed"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %s in\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "dk-nordea") {
		t.Error("a bank of another country is shown")
	}
	if err := run(t.Context(), []string{"bank", "list", "--country", "xx"}, new(bytes.Buffer), new(bytes.Buffer)); err == nil {
		t.Error("a country without banks is accepted")
	}
}

func TestBankAdd_SaysWhyABankCannotBeAdded(t *testing.T) {
	file := filepath.Join(t.TempDir(), "banks.json")
	for company, want := range map[string]string{
		"se-nobody": "there is no profile", "se-avanza": "no family reaches it", "se-handelsbanken": "the gateway eu-enable-banking reaches it",
	} {
		err := run(t.Context(), []string{"bank", "add", company, "--file", file}, new(bytes.Buffer), new(bytes.Buffer))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", company, err)
		}
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("a file was written")
	}
}

func TestBankAdd_SaysWhatIsNeededAndWhatIsNotSure(t *testing.T) {
	file := filepath.Join(t.TempDir(), "banks.json")
	add := func(company string) (string, error) {
		var out bytes.Buffer
		err := run(t.Context(), []string{"bank", "add", company, "--file", file}, &out, new(bytes.Buffer))
		return out.String(), err
	}
	out, err := add("se-nordea")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"/clientId ", "QWAC with the role PSP_AI", "/callback/se-nordea", "open.nordea.com", "(third party)", "Not known: ", "samla bank check " + file} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if _, err := add("se-nordea"); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("again: %v", err)
	}
	if _, err := add("de-n26"); err != nil {
		t.Errorf("another one: %v", err)
	}
	err = run(t.Context(), []string{"bank", "check", file}, new(bytes.Buffer), new(bytes.Buffer))
	if err == nil || !strings.Contains(err.Error(), "/banks/0/clientId: is not filled in") {
		t.Errorf("the check: %v", err)
	}
}

func TestAddTo_KeepsTheModeAndWhatCannotBeRead(t *testing.T) {
	p := profile.Profile{Company: "se-x", Name: "X", Family: "xs2a", LoginMethods: []string{"A"}, Entry: []byte(`{}`)}
	file := filepath.Join(t.TempDir(), "banks.json")
	mode := func() os.FileMode {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		return info.Mode().Perm()
	}
	if err := addTo(file, p); err != nil || mode() != 0o600 {
		t.Fatalf("a new file: %v", err)
	}
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := addTo(file, p); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("again: %v", err)
	}
	if after, _ := os.ReadFile(file); !bytes.Equal(before, after) {
		t.Error("the file has changed")
	}
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	p.Company = "se-y"
	if err := addTo(file, p); err != nil || mode() != 0o640 {
		t.Errorf("another one: %v, mode %v", err, mode())
	}
	if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := addTo(file, p); err == nil {
		t.Error("a file that is no JSON was replaced")
	}
}
