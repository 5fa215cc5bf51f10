package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"samla/internal/profile"
	"samla/internal/sandbox/pki"
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
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := add("se-nordea"); err != nil || !strings.Contains(out, "already, which stays as it is") || !strings.Contains(out, "/clientId ") {
		t.Errorf("again: %v\n%s", err, out)
	}
	if after, err := os.ReadFile(file); err != nil || !bytes.Equal(after, before) {
		t.Errorf("again, the file has changed (%v):\n%s", err, after)
	}
	if _, err := add("de-n26"); err != nil {
		t.Errorf("another one: %v", err)
	}
	// The check shows all that is still needed, also what the first fault hides.
	if err := os.WriteFile(filepath.Join(filepath.Dir(file), "nordea.secret"), []byte("s3cret"), 0o600); err != nil {
		t.Fatal(err)
	}
	var needs bytes.Buffer
	err = run(t.Context(), []string{"bank", "check", "--file", file}, &needs, new(bytes.Buffer))
	if err == nil || !strings.Contains(err.Error(), "/banks/0/clientId (se-nordea): is not filled in") {
		t.Errorf("the check: %v", err)
	}
	for want, there := range map[string]bool{"se-nordea still needs:": true, "/clientId ": true, "/keyFile ": true, "/certificates ": true, "/secretFile ": false} {
		if strings.Contains(needs.String(), want) != there {
			t.Errorf("%s is in it: %t\n%s", want, !there, needs.String())
		}
	}
	// What a bank needs does not keep anybody from the gateway.
	err = run(t.Context(), []string{"gateway", "enablebanking", "list", file}, new(bytes.Buffer), new(bytes.Buffer))
	if err == nil || !strings.Contains(err.Error(), "has no entry of the family enablebanking") {
		t.Errorf("the list of the gateway: %v", err)
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

// What a bank will be asked is shown for each way to sign, in its order, with the page that
// the person is sent to.
func TestBankCheck_ShowsTheWayToSign(t *testing.T) {
	dir := t.TempDir()
	if _, err := pki.Open(dir, time.Now, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "client.secret"), []byte("s3cret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		entry string
		steps []string
	}{
		"redirect": {`"profile":{"sca":"redirect"}`, []string{"persons sign on a page", "open a consent", "GET https://bank.invalid/page?state={state}", "ask for its status", "read the consent", "revoke"}},
		"oauth": {`"profile":{"sca":"oauth"}`, []string{"persons sign on a page", "/v1/consents", "https://mybank.example/metadata", "browser, to sign", "scope=AIS:{consentId}",
			"complete it", "https://mybank.example/token", "read the consent", "grant_type=refresh_token", "revoke"}},
		"login, and a list": {`"oauth":{"metadata":"https://mybank.example/login/.well-known/openid-configuration","issuer":"https://mybank.example/login","clientAuth":"post","secretFile":"client.secret"},"profile":{"sca":"redirect-after-login","listFirst":true}`,
			[]string{"persons log in on a page", "browser, to log in", "complete it", "https://mybank.example/login/token", "client_secret={configured}", `"availableAccounts"`, "/v1/accounts", `"accounts":[`, "browser, to sign", "revoke"}},
		"a token of ours": {`"oauth":{"tokenEndpoint":"https://mybank.example/token","clientToken":true}`, []string{"https://mybank.example/token", "grant_type=client_credentials", "/v1/consents", "revoke"}},
	} {
		file := filepath.Join(dir, "banks.json")
		text := `{"banks":[{"company":"se-mybank","displayName":"My Bank","loginMethods":["SWEDISH_MOBILE_BANKID_SAME_DEVICE"],"baseURL":"https://mybank.example/xs2a","signature":{"none":true},
			"certificates":{"qwacCert":"` + pki.QWACFile + `","qwacKey":"` + pki.QWACKeyFile + `"},` + c.entry + `}]}`
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := run(t.Context(), []string{"bank", "check", file}, &out, new(bytes.Buffer)); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out.String())
			continue
		}
		rest := out.String()
		if strings.Contains(rest, "s3cret") {
			t.Errorf("%s: the client secret is shown", name)
		}
		for _, step := range c.steps {
			_, after, found := strings.Cut(rest, step)
			if !found {
				t.Errorf("%s: no %q, or not in this order, in\n%s", name, step, out.String())
				break
			}
			rest = after
		}
	}
}
