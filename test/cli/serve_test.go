package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"samla/internal/apiclient"
	"samla/test/process"
)

// world is a sandbox of its own and what samla serve needs to work with it.
type world struct {
	dir, banks, master string
	phone              *apiclient.Phone
	sandbox            *process.Process
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{dir: t.TempDir()}
	w.sandbox = process.Start(t, program, "sandbox", "--listen", "127.0.0.1:0", "--data", filepath.Join(w.dir, "sandbox"), "--json")
	var a struct{ Sandbox, SandboxCA, Banks string }
	line(t, w.sandbox, &a)
	w.phone, w.banks, w.master = phoneAt(t, a.Sandbox, a.SandboxCA), a.Banks, filepath.Join(w.dir, "master.json")
	if _, log, status := process.Run(t, program, "master-key", w.master); status != 0 {
		t.Fatal(log)
	}
	return w
}

// store are the flags that name the world's store.
func (w *world) store(more []string) []string {
	return append([]string{"--master-key-file", w.master, "--data", filepath.Join(w.dir, "data")}, more...)
}

// key makes an API key.
func (w *world) key(t *testing.T, store []string, args ...string) string {
	t.Helper()
	out, log, status := process.Run(t, program, append(append([]string{"key", "create"}, args...), w.store(store)...)...)
	if status != 0 || strings.Count(out, "\n") != 1 {
		t.Fatalf("exit status %d, printed %q\n%s", status, out, log)
	}
	return strings.TrimSpace(out)
}

func (w *world) serve(t *testing.T, store []string) (p *process.Process, api string) {
	t.Helper()
	p = process.Start(t, program, append([]string{"serve", "--listen", "127.0.0.1:0", "--banks", w.banks}, w.store(store)...)...)
	api, err := p.Address(within(t))
	if err != nil {
		t.Fatalf("%v\n%s", err, p.Log.Tail())
	}
	return p, api
}

func TestServeGoesOnWithAConsent(t *testing.T) {
	t.Parallel()
	overStores(t, func(t *testing.T, store []string) {
		w := newWorld(t)
		key := w.key(t, store, "acme")
		p, api := w.serve(t, store)
		v := visitor(t, api, key, w.phone, "customer-1")
		id, s := v.ask(t)
		stop(t, p)
		if p.Out.String() != "" {
			t.Errorf("printed %q", p.Out.String())
		}
		v.approve(t, s) // while nobody watches
		p, v.Base = w.serve(t, store)
		v.await(t, id, "AUTHORIZED")
		if _, data := v.collect(t, id); len(data) < 1000 {
			t.Errorf("%d bytes of data", len(data))
		}
		stop(t, p)
	})
}

// TestStopsOnClients stops a server and a sandbox on clients that do not hear of
// it: one has sent half of a request, one holds a connection open.
func TestStopsOnClients(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := w.key(t, nil, "acme")
	p, api := w.serve(t, nil)
	v := visitor(t, api, key, w.phone, "customer-1")
	v.ask(t) // a consent is watched
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

// dialer opens connections, plain ones or with TLS.
type dialer interface {
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// send sends a text on a connection that stays open until the end of the test.
func (w *world) send(t *testing.T, d dialer, host, text string) {
	t.Helper()
	conn, err := d.DialContext(within(t), "tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := fmt.Fprint(conn, text); err != nil {
		t.Fatal(err)
	}
}

func TestServeRefusesToStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
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
	fails(t, "samla master-key", serve("--banks", w.banks)...)
	fails(t, "0600", serve("--banks", w.banks, "--master-key-file", open)...)
	fails(t, "--banks", serve("--master-key-file", w.master)...)
	fails(t, "no such file", serve("--master-key-file", w.master, "--banks", filepath.Join(w.dir, "none.json"))...)
	fails(t, "postgres://", serve("--master-key-file", w.master, "--banks", w.banks, "--database", "mysql://localhost")...)
	fails(t, "exist", "master-key", w.master)

	w.key(t, nil, "acme") // seals with the world's master key
	fails(t, "master key", serve("--banks", w.banks, "--master-key-file", other)...)

	p, api := w.serve(t, nil)
	fails(t, "another server", serve("--banks", w.banks, "--master-key-file", w.master)...)
	fails(t, "listen", "serve", "--listen", strings.TrimPrefix(api, "http://"), "--data", filepath.Join(w.dir, "elsewhere"),
		"--banks", w.banks, "--master-key-file", w.master)
	select {
	case <-p.Done():
		t.Error("the first server has ended too")
	default:
	}
	stop(t, p)
}

// problem is the HTTP status of an error of the API, 0 when there is none.
func problem(err error) int {
	var p *apiclient.Problem
	if errors.As(err, &p) {
		return p.Status
	}
	return 0
}

func (v *visit) status(ctx context.Context, key string) int {
	client := v.Client
	client.APIKey = key
	_, err := client.CreateSession(ctx, v.userID)
	return problem(err)
}
