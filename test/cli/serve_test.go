package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"samla/internal/apiclient"
	"samla/test/process"
)

// env is a running sandbox and the files that samla serve needs to use it.
type env struct {
	dir, banks, master string
	phone              *apiclient.Phone
	sandbox            *process.Process
}

func newEnv(t *testing.T) *env {
	t.Helper()
	w := &env{dir: t.TempDir()}
	w.sandbox = process.Start(t, program, "sandbox", "--listen", "127.0.0.1:0", "--data", filepath.Join(w.dir, "sandbox"), "--json")
	var a struct{ Sandbox, SandboxCA, Banks string }
	firstLine(t, w.sandbox, &a)
	w.phone, w.banks, w.master = newPhone(t, a.Sandbox, a.SandboxCA), a.Banks, filepath.Join(w.dir, "master.json")
	if _, log, status := process.Run(t, program, "master-key", w.master); status != 0 {
		t.Fatal(log)
	}
	return w
}

// storeFlags returns the flags for the env's store and master key.
func (w *env) storeFlags(more []string) []string {
	return append([]string{"--master-key-file", w.master, "--data", filepath.Join(w.dir, "data")}, more...)
}

// createKey creates an API key.
func (w *env) createKey(t *testing.T, store []string, args ...string) string {
	t.Helper()
	out, log, status := process.Run(t, program, append(append([]string{"key", "create"}, args...), w.storeFlags(store)...)...)
	if status != 0 || strings.Count(out, "\n") != 1 {
		t.Fatalf("exit status %d, printed %q\n%s", status, out, log)
	}
	return strings.TrimSpace(out)
}

func (w *env) serve(t *testing.T, store []string) (p *process.Process, api string) {
	t.Helper()
	p = process.Start(t, program, append([]string{"serve", "--listen", "127.0.0.1:0", "--banks", w.banks}, w.storeFlags(store)...)...)
	api, err := p.Address(timeoutContext(t))
	if err != nil {
		t.Fatalf("%v\n%s", err, p.Log.Tail())
	}
	return p, api
}

func TestServe_ContinuesConsentAfterRestart(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, store []string) {
		w := newEnv(t)
		key := w.createKey(t, store, "acme")
		p, api := w.serve(t, store)
		v := newUser(t, api, key, w.phone, "customer-1")
		id, s := v.requestConsent(t)
		stop(t, p)
		if p.Out.String() != "" {
			t.Errorf("printed %q", p.Out.String())
		}
		v.approve(t, s) // while no server is running
		p, v.Base = w.serve(t, store)
		v.awaitConsent(t, id, "AUTHORIZED")
		if _, data := v.collect(t, id); len(data) < 1000 {
			t.Errorf("%d bytes of data", len(data))
		}
		stop(t, p)
	})
}

// TestStop_DoesNotWaitForIdleClients stops a server and a sandbox that have open
// connections: one with half a request, one without a request.
func TestStop_DoesNotWaitForIdleClients(t *testing.T) {
	t.Parallel()
	w := newEnv(t)
	key := w.createKey(t, nil, "acme")
	p, api := w.serve(t, nil)
	v := newUser(t, api, key, w.phone, "customer-1")
	v.requestConsent(t) // the server polls the bank for this consent
	const half = "Host: samla\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
	plain, secure := &net.Dialer{}, &tls.Dialer{Config: w.phone.HTTP.Transport.(*http.Transport).TLSClientConfig}
	_, bank, _ := strings.Cut(w.phone.Sandbox, "://")
	_, host, _ := strings.Cut(api, "://")
	w.send(t, plain, host, "")
	w.send(t, plain, host, "POST /users HTTP/1.1\r\nauthorization-token: "+key+"\r\n"+half)
	w.send(t, secure, bank, "")
	w.send(t, secure, bank, "POST /sandbox/bankid HTTP/1.1\r\n"+half)
	stop(t, p)
	stop(t, w.sandbox)
}

// dialer opens connections, with or without TLS.
type dialer interface {
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// send sends a text on a new connection that stays open until the end of the test.
func (w *env) send(t *testing.T, d dialer, host, text string) {
	t.Helper()
	conn, err := d.DialContext(timeoutContext(t), "tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := fmt.Fprint(conn, text); err != nil {
		t.Fatal(err)
	}
}

func TestServe_FailsOnInvalidConfiguration(t *testing.T) {
	t.Parallel()
	w := newEnv(t)
	data := filepath.Join(w.dir, "data")
	serve := func(args ...string) []string {
		return append([]string{"serve", "--listen", "127.0.0.1:0", "--data", data}, args...)
	}
	other, open := filepath.Join(w.dir, "other.json"), filepath.Join(w.dir, "open.json")
	if _, log, status := process.Run(t, program, "master-key", other); status != 0 {
		t.Fatal(log)
	}
	readable, err := os.ReadFile(other)
	if err == nil {
		err = os.WriteFile(open, readable, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	wantFailure(t, "samla master-key", serve("--banks", w.banks)...)
	wantFailure(t, "0600", serve("--banks", w.banks, "--master-key-file", open)...)
	if _, log, _ := process.Run(t, program, serve("--banks", w.banks, "--master-key-file", open)...); strings.Contains(log, "create one") {
		t.Errorf("the remedy for the mode of a file is a new master key: %s", log)
	}
	wantFailure(t, "--banks", serve("--master-key-file", w.master)...)
	wantFailure(t, "no such file", serve("--master-key-file", w.master, "--banks", filepath.Join(w.dir, "none.json"))...)
	wantFailure(t, "postgres://", serve("--master-key-file", w.master, "--banks", w.banks, "--database", "mysql://localhost")...)
	wantFailure(t, "exist", "master-key", w.master)

	w.createKey(t, nil, "acme") // seals with the env's master key
	wantFailure(t, "another master key", serve("--banks", w.banks, "--master-key-file", other)...)
	wantFailure(t, "another master key", "key", "list", "--data", data, "--master-key-file", other)

	p, api := w.serve(t, nil)
	wantFailure(t, "another server", serve("--banks", w.banks, "--master-key-file", w.master)...)
	wantFailure(t, "listen", "serve", "--listen", strings.TrimPrefix(api, "http://"), "--data", filepath.Join(w.dir, "elsewhere"),
		"--banks", w.banks, "--master-key-file", w.master, "--key-dir", filepath.Join(w.dir, "otherkeys"))
	select {
	case <-p.Done():
		t.Error("the first server has ended too")
	default:
	}
	stop(t, p)
}

// A flag with a value that cannot be used is refused before the database is created or
// migrated.
func TestServe_ChecksFlagsBeforeItOpensTheDatabase(t *testing.T) {
	t.Parallel()
	w := newEnv(t)
	data := filepath.Join(w.dir, "untouched")
	for flag, want := range map[string]string{
		"--allow-origin=https://app.example.com/page": "allowed origin",
		"--session-life=1m":                           "session lifetime",
		"--session-life=-1h":                          "session lifetime",
		"--polling-lease=1s":                          "polling lease",
		"--polling-lease=-1s":                         "--polling-lease",
		"--keep-data=0s":                              "--keep-data",
		"--keep-evidence=-1h":                         "--keep-evidence",
		"--open-time=0s":                              "--open-time",
		"--read-time=-1s":                             "--read-time ",
		"--read-time-unattended=0s":                   "--read-time-unattended",
		"--read-memory=0":                             "--read-memory",
		"--workers=-1":                                "--workers",
		"--rate-limit=-1":                             "--rate-limit",
		"--user-rate-limit=-0.5":                      "--user-rate-limit",
		"--max-waiting=-1":                            "--max-waiting",
		"--issuer=":                                   "--issuer",
		"--listen=nowhere":                            "--listen",
		"--metrics=127.0.0.1:99999":                   "--metrics",
		"--trusted-proxy=proxy.example.com":           "trusted proxies",
	} {
		wantFailure(t, want, "serve", "--listen", "127.0.0.1:0", "--data", data, "--banks", w.banks, "--master-key-file", w.master, flag)
	}
	wantFailure(t, "allowed origin", "dev", "--listen", "127.0.0.1:0", "--data", data, "--allow-origin", "app.example.com")
	wantFailure(t, "--listen", "dev", "--listen", "nowhere", "--data", data)
	wantFailure(t, "postgres://", "dev", "--listen", "127.0.0.1:0", "--data", data, "--database", "mysql://localhost")
	if _, err := os.Stat(data); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the data directory exists: %v", err)
	}
}

// problemStatus returns the HTTP status of an error of the API, or 0 for any other error.
func problemStatus(err error) int {
	var p *apiclient.Problem
	if errors.As(err, &p) {
		return p.Status
	}
	return 0
}

func (v *user) status(ctx context.Context, key string) int {
	client := v.Client
	client.APIKey = key
	_, err := client.CreateSession(ctx, v.id)
	return problemStatus(err)
}
