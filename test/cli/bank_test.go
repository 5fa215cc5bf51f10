package cli

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"samla/test/process"
)

// The requests are shown in the order of the flow, and nothing is sent: the sandbox is
// stopped.
func TestBankCheck_ShowsWhatEachBankIsAsked(t *testing.T) {
	t.Parallel()
	w := newEnv(t)
	stop(t, w.sandbox)
	out, log, status := process.Run(t, program, "bank", "check", w.banks)
	if status != 0 {
		t.Fatalf("exit status %d:\n%s", status, log)
	}
	for company, list := range map[string]string{"se-demo-psd2": "/v1/accounts?withBalance=true\n", "se-sandbox-static": "/v1/accounts\n"} {
		_, of, found := strings.Cut(out, "\n"+company+" ")
		if strings.HasPrefix(out, company+" ") {
			of, found = out, true
		}
		if !found {
			t.Fatalf("%s is not shown:\n%s", company, out)
		}
		at := 0
		for _, want := range []string{"POST https://", "/v1/consents\n", `"allPsd2"`, "/v1/consents/{consentId}/authorisations\n", "/authorisations/{authorisationId}\n",
			list, "/v1/accounts/{resourceId}/transactions?bookingStatus=", "&dateFrom={date}\n", "/v1/card-accounts/{resourceId}/transactions?bookingStatus=", "DELETE https://"} {
			i := strings.Index(of[at:], want)
			if i < 0 {
				t.Fatalf("%s: %q is not shown in its place:\n%s", company, want, of)
			}
			at += i
		}
	}
}

// An institution that persons log in to is shown from the login to the end of the session.
func TestBankCheck_ShowsLogin(t *testing.T) {
	t.Parallel()
	w := newEnv(t)
	out, log, status := process.Run(t, program, "bank", "check", w.banks, "--headers")
	if status != 0 {
		t.Fatalf("exit status %d:\n%s", status, log)
	}
	at := strings.Index(out, "se-demo (")
	for _, want := range []string{"SWEDISH_MOBILE_BANKID_OTHER_DEVICE_MOCK", "POST https://", "/v1/sessions\n", `"personalNumber":"{personal number}","locale"`,
		"/v1/sessions/{session}/turn\n", "/v1/sessions/{session}/answers\n", "/v1/sessions/{session}/pages\n", "DELETE https://", "/v1/sessions/{session}\n"} {
		i := strings.Index(out[max(at, 0):], want)
		if at < 0 || i < 0 {
			t.Fatalf("%q is not shown in its place:\n%s", want, out)
		}
		at += i
	}
	if _, of, _ := strings.Cut(out, "se-sandbox-insurer ("); !strings.Contains(of, `"email":"{e-mail address}"`) {
		t.Errorf("no e-mail address:\n%s", out)
	}
	if secret, err := os.ReadFile(filepath.Join(filepath.Dir(w.banks), "source-secret")); err != nil || strings.Contains(out, strings.TrimSpace(string(secret))) {
		t.Errorf("%v: a secret is shown:\n%s", err, out)
	}
}

func TestBankCheck_ShowsNoSecret(t *testing.T) {
	t.Parallel()
	w := newEnv(t)
	text, err := os.ReadFile(w.banks)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(filepath.Dir(w.banks), "with-key.json")
	keyed := strings.Replace(string(text), `"baseURL"`, `"headers": {"X-Portal-Key": "f00dfeed"}, "personHeaders": {"X-Person": "f00dfeed{personalNumber}"}, "baseURL"`, 1)
	if err := os.WriteFile(file, []byte(keyed), 0o600); err != nil {
		t.Fatal(err)
	}
	out, log, status := process.Run(t, program, "bank", "check", file, "--headers")
	if status != 0 || !strings.Contains(out, "X-Portal-Key: {configured}\n") || !strings.Contains(out, "X-Person: {configured} with {personal number}\n") {
		t.Errorf("exit status %d:\n%s%s", status, log, out)
	}
	if strings.Contains(out, "f00dfeed") || strings.Contains(out, "191212121212") {
		t.Errorf("a secret is shown:\n%s", out)
	}
}

// A flow whose login ends with a code is shown with the exchanges of codes, and without a
// value that changes or is secret.
func TestBankCheck_ShowsExchangesOfCodes(t *testing.T) {
	t.Parallel()
	w := newEnv(t)
	out, log, status := process.Run(t, program, "bank", "check", w.banks, "--headers", "--company", "se-demo-nordea")
	if status != 0 {
		t.Fatalf("exit status %d:\n%s", status, log)
	}
	at := 0
	for _, want := range []string{"POST https://", "/personal/v5/decoupled/authentications\n", "X-Ibm-Client-Secret: {configured}\n", "X-Nordea-Originating-Date: {date}\n", `"psu_id":"{personal number}"`,
		"/personal/v5/decoupled/authentications/{session_id}\n", "/personal/v5/decoupled/authorizations\n", `"account_list":["ALL"]`, "/personal/v5/decoupled/token\n",
		"code={code}&grant_type=authorization_code", "/personal/v4/assets\n", "/personal/v5/accounts\n", "/personal/v5/accounts/{account_id}/transactions?from_date={date}&language=sv\n",
		"refresh_token={refresh-token}", "/personal/v5/authorize/token/revoke\n"} {
		i := strings.Index(out[at:], want)
		if i < 0 {
			t.Fatalf("%q is not shown in its place:\n%s", want, out)
		}
		at += i
	}
}

func TestBankCheck_ShowsTraceparentWhereItIsSent(t *testing.T) {
	t.Parallel()
	w := newEnv(t)
	text, err := os.ReadFile(w.banks)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(filepath.Dir(w.banks), "with-trace.json")
	of := regexp.MustCompile(`"company": *"(se-demo-psd2|se-demo-nordea)",`) // of two families
	if err := os.WriteFile(file, of.ReplaceAll(text, []byte(`$0 "traceparent": true,`)), 0o600); err != nil {
		t.Fatal(err)
	}
	for company, wanted := range map[string]bool{"se-demo-psd2": true, "se-demo-nordea": true, "se-demo": false} {
		out, log, status := process.Run(t, program, "bank", "check", file, "--headers", "--company", company)
		if status != 0 || strings.Contains(out, "Traceparent: {trace}\n") != wanted || strings.Contains(out, "Traceparent") != wanted {
			t.Errorf("%s: exit status %d:\n%s%s", company, status, log, out)
		}
	}
}

func TestBankCheck_AcceptsBanksWithoutCards(t *testing.T) {
	t.Parallel()
	w := newEnv(t)
	text, err := os.ReadFile(w.banks)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(filepath.Dir(w.banks), "without-cards.json")
	if err := os.WriteFile(file, []byte(strings.Replace(string(text), `"profile": {`, `"profile": {"cards": "",`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	out, log, status := process.Run(t, program, "bank", "check", file, "--company", "se-demo-psd2")
	if status != 0 || !strings.Contains(out, "/transactions") || strings.Contains(out, "card") || !strings.Contains(out, "DELETE") {
		t.Errorf("exit status %d:\n%s%s", status, log, out)
	}
}

// An operator reads which file of a certificate is meant, and what is wrong with it, in
// words that name no package of the program.
func TestBankCheck_NamesFaultsOfCertificates(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "banks.json")
	entry := `{"banks": [{"company": "se-x", "displayName": "X", "loginMethods": ["SWEDISH_BANKID"], "baseURL": "https://bank.example", "certificates": {
		"qwacCert": "none.pem", "qwacKey": "none.pem", "qsealCert": "text.pem", "qsealKey": "text.pem", "caFile": "text.pem"}}]}`
	if err := errors.Join(os.WriteFile(file, []byte(entry), 0o600), os.WriteFile(filepath.Join(dir, "text.pem"), []byte("no PEM"), 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"banks.json: /banks/0/certificates/qwacCert (se-x): cannot be used: the certificate's file: no such file or directory\n",
		"banks.json: /banks/0/certificates/qsealCert (se-x): cannot be used: failed to find any PEM data in certificate input\n",
		"banks.json: /banks/0/certificates/caFile (se-x): cannot be used: no certificate in PEM form\n",
	} {
		wantFailure(t, want, "bank", "check", file)
	}
}

func TestBankCheck_ReportsFaults(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "banks.json")
	if err := os.WriteFile(file, []byte(`{"banks": [{"company": "se-x", "loginMethods": ["X"], "profile": {"qr": "moving"}, "color": 1}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	wantFailure(t, "/banks/0/color", "bank", "check", file)
}

// An entry of an institution that persons log in to says how they do, and nothing about
// consents.
func TestBankCheck_DescribesLogins(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "institutions.json")
	entry := `{"banks": [{"company": "se-x", "displayName": "X", "family": "source", "loginMethods": ["EMAIL", "SWEDISH_SECURITY_TOKEN"], "baseURL": "https://source.example/x",
		"secretFile": "x.secret", "parameters": ["personalNumber"], "deviceHosts": ["device.example"]}]}`
	const secret = "f00dfeedf00dfeedf00dfeedf00dfeed"
	if err := errors.Join(os.WriteFile(file, []byte(entry), 0o600), os.WriteFile(filepath.Join(dir, "x.secret"), []byte(secret), 0o600)); err != nil {
		t.Fatal(err)
	}
	out, log, status := process.Run(t, program, "bank", "check", file, "--headers")
	if status != 0 {
		t.Fatalf("exit status %d:\n%s", status, log)
	}
	for _, want := range []string{"se-x (X, family source)\n", "  persons log in with EMAIL, SWEDISH_SECURITY_TOKEN\n", "  a login needs personalNumber\n",
		"  asked every 1s while the person logs in, for at most 5m0s\n", "  devices of persons may call device.example\n",
		"POST https://source.example/x/v1/sessions\n", "/turn\n", "/pages\n", "DELETE https://source.example/x/v1/sessions/"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not printed:\n%s%s", want, out, log)
		}
	}
	if strings.Contains(out+log, secret) || strings.Contains(out, "consents of at most") {
		t.Errorf("a secret or consents are shown:\n%s%s", out, log)
	}
}

// What the bank has to sign cannot be answered without it: the rest is shown.
func TestBankCheck_ShowsWhatBanksOfOBIEAreAsked(t *testing.T) {
	t.Parallel()
	w := newEnv(t)
	for _, company := range []string{"se-demo-obie", "se-demo-obie4"} {
		out, log, status := process.Run(t, program, "bank", "check", w.banks, "--company", company)
		if status != 0 || log != "" {
			t.Fatalf("exit status %d\n%s%s", status, out, log)
		}
		for _, want := range []string{"/.well-known/openid-configuration\n", "/account-access-consents\n", "request={signed}&", "/accounts/{AccountId}/transactions?", "/account-access-consents/{ConsentId}\n"} {
			if !strings.Contains(out, want) {
				t.Errorf("%s: %q is not shown:\n%s", company, want, out)
			}
		}
	}
}
