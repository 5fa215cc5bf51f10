package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const testKey = "samla_9VHnZqXeb8YyLcIKbZ3XoEKitv8M5Rcn0eGPVfPGxDs"

// configured gives the test a directory of settings of its own.
func configured(t *testing.T) (file string) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", dir)
	t.Setenv("HOME", dir)
	file, err := profileFile()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// samla runs a command line.
func samla(t *testing.T, args ...string) (out, log string, err error) {
	t.Helper()
	var o, l bytes.Buffer
	err = run(t.Context(), args, &o, &l)
	return o.String(), l.String(), err
}

func written(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestProfile_IsPrivateAndNeverShowsAKey(t *testing.T) {
	file := configured(t)
	key := written(t, testKey+"\n")
	var shown strings.Builder
	do := func(args ...string) string {
		t.Helper()
		out, log, err := samla(t, args...)
		if err != nil {
			t.Fatal(err)
		}
		shown.WriteString(out + log)
		return out
	}
	do("profile", "add", "dev", "--server", "http://127.0.0.1:1", "--key-file", key, "--no-check")
	do("profile", "add", "live", "--server", "https://samla.example.com/", "--key-file", key, "--no-check")
	if out := do("profile", "list"); !strings.Contains(out, "*  dev      http://127.0.0.1:1\n") || !strings.Contains(out, "   live     https://samla.example.com\n") {
		t.Errorf("%s", out)
	}
	do("profile", "use", "live")
	do("profile", "remove", "dev")
	if out := do("profile", "list", "--json"); out != `[{"name":"live","server":"https://samla.example.com","current":true}]`+"\n" {
		t.Errorf("%s", out)
	}
	for path, want := range map[string]os.FileMode{file: 0o600, filepath.Dir(file): 0o700 | os.ModeDir} {
		if info, err := os.Stat(path); err != nil || info.Mode() != want {
			t.Errorf("%s: %v %v", path, info.Mode(), err)
		}
	}
	if strings.Contains(shown.String(), testKey) {
		t.Error("a key was shown")
	}
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := samla(t, "companies"); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a file that others can read was used: %v", err)
	}
}

// The key of a profile goes to its own server only, encrypted, and no redirect takes it on.
func TestProfile_SendsItsKeyNowhereElse(t *testing.T) {
	configured(t)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("a request came with the key %q", r.Header.Get("authorization-token"))
	}))
	defer elsewhere.Close()
	first := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer first.Close()
	key := written(t, testKey)
	if _, _, err := samla(t, "profile", "add", "dev", "--server", first.URL, "--key-file", key, "--no-check"); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"companies":                                  "HTTP 307",
		"companies --server " + elsewhere.URL:        "--server needs an API key",
		"profile add x --server http://192.0.2.1":    "without encryption",
		"profile add x --server ftp://192.0.2.1":     "is no address of a server",
		"profile add x --server https://u:p@host":    "is no address of a server",
		"companies --profile none":                   "there are dev",
		"profile add x/y --server https://a.example": "the name of a profile",
		"profile use none":                           "there are dev",
	} {
		if _, _, err := samla(t, strings.Fields(args)...); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), testKey) {
			t.Errorf("samla %s: %v", args, err)
		}
	}
	for _, text := range []string{"", "two words", "sn\u00f6", strings.Repeat("a", 600)} {
		if _, _, err := samla(t, "profile", "add", "x", "--server", first.URL, "--key-file", written(t, text), "--no-check"); err == nil || text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// A profile and another server are never mixed up: a command could change the wrong one.
func TestAPI_RefusesAProfileBesideAServer(t *testing.T) {
	configured(t)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("%s %s was asked", r.Method, r.URL) }))
	defer server.Close()
	if _, _, err := samla(t, "profile", "add", "live", "--server", "https://samla.example.com", "--key-file", written(t, testKey), "--no-check"); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SAMLA_SERVER", server.URL)
	t.Setenv("SAMLA_API_KEY", testKey)
	if _, _, err := samla(t, "users", "erase", "01a21bf1-fe94-72f0-83bf-1c634c1ce66c", "--yes", "--profile", "live"); err == nil || !strings.Contains(err.Error(), "unset SAMLA_SERVER") {
		t.Errorf("%v", err)
	}
}

func TestExplain_SaysWhoseTurnItIsAndWhatToDo(t *testing.T) {
	configured(t)
	answer := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(answer))
	}))
	t.Setenv("SAMLA_SERVER", server.URL)
	t.Setenv("SAMLA_API_KEY", testKey)
	for text, want := range map[string]string{
		`{"code": "INVALID_PARAMETER", "message": "A value is wrong.\u001b[2J", "attribution": "CLIENT", "remedy": "Correct it.", "requestId": "r1", "errors": [{"pointer": "/a", "message": "too long"}]}`: "A value is wrong.·[2J (INVALID_PARAMETER, HTTP 400)\n  /a: too long\n  whose turn: the request has to change\n  what to do: Correct it.\n  request: r1",
		`{"code": "BANK_ERROR", "message": "No.", "details": "why", "attribution": "BANK", "remedy": "Wait."}`:                                                                                              "No. (BANK_ERROR, HTTP 400)\n  why\n  whose turn: the institution\n  what to do: Wait.",
		`{"code": "USER_EXISTS", "message": "Taken.", "userUuid": "u1"}`:                                                                                                                                    "Taken. (USER_EXISTS, HTTP 400)\n  userUuid: u1",
		"<html>": "the server answered HTTP 400, and not as Samla does\n  what to do: check the address of the server; it is that of the API, without a path",
	} {
		answer = text
		if _, _, err := samla(t, "companies"); err == nil || err.Error() != want {
			t.Errorf("%v\nwant\n%s", err, want)
		}
	}
	server.Close()
	if _, _, err := samla(t, "companies"); err == nil || !strings.Contains(err.Error(), "no server answers at "+server.URL) || !strings.Contains(err.Error(), "what to do: start it") {
		t.Error(err)
	}
}

// Nothing is erased without a yes.
func TestConfirm_NeedsSomebodyToAskOrYes(t *testing.T) {
	configured(t)
	asked := false
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked = asked || r.Method == http.MethodDelete }))
	defer server.Close()
	t.Setenv("SAMLA_SERVER", server.URL)
	t.Setenv("SAMLA_API_KEY", testKey)
	const id = "01a21bf1-fe94-72f0-83bf-1c634c1ce66c"
	for _, args := range []string{"users erase " + id, "collections delete " + id, "accounts delete " + id} {
		if _, _, err := samla(t, strings.Fields(args)...); err == nil || !strings.Contains(err.Error(), "--yes") || asked {
			t.Errorf("samla %s: %v, asked %t", args, err, asked)
		}
	}
	if _, _, err := samla(t, "users", "erase", id, "--yes"); err != nil || !asked {
		t.Error(err, asked)
	}
}

// Nobody types at /dev/null, where services and scripts read from.
func TestIsTerminal_NullDeviceIsNone(t *testing.T) {
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if isTerminal(f) {
		t.Error("the null device is taken for a terminal")
	}
}
