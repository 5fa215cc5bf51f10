package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"samla/internal/apiclient"
	"samla/internal/webhook"
)

// devKeyFlags find the API key of a development server.
type devKeyFlags struct {
	Data   string `type:"path" help:"Data directory of samla dev, whose API key is used."`
	APIKey string `name:"api-key" help:"API key, instead of --data."`
}

func (f devKeyFlags) key() (string, error) {
	if f.APIKey != "" || f.Data == "" {
		if f.APIKey == "" {
			return "", errors.New("give --api-key, or --data with the directory of samla dev")
		}
		return f.APIKey, nil
	}
	text, err := os.ReadFile(filepath.Join(f.Data, "apikey"))
	if err != nil {
		return "", fmt.Errorf("%s is not a data directory of samla dev: %w", f.Data, err)
	}
	return strings.TrimSpace(string(text)), nil
}

type listenCmd struct {
	devKeyFlags
	API    string   `aliases:"server" default:"http://127.0.0.1:8080" help:"Address of the server. It must allow webhooks to this machine, as samla dev does."`
	Listen string   `default:"127.0.0.1:0" help:"Loopback address to receive on; port 0 means a free port."`
	Events []string `help:"Types of events to receive; none: those of collections and consents."`
}

// Validate reports an address that is not of this machine.
func (c *listenCmd) Validate() error {
	if err := checkAddress("--listen", c.Listen); err != nil {
		return err
	}
	if host, _, _ := net.SplitHostPort(c.Listen); host != "localhost" && !net.ParseIP(host).IsLoopback() {
		return errors.New("--listen must be an address of this machine, such as 127.0.0.1:0")
	}
	if i := slices.IndexFunc(c.Events, func(t string) bool { return !slices.Contains(webhook.SelectableEvents(), t) }); i >= 0 {
		return fmt.Errorf("--events: %s is not one of %s", c.Events[i], strings.Join(webhook.SelectableEvents(), ", "))
	}
	return nil
}

// Run registers this process as a webhook endpoint, prints what it receives, and removes
// the endpoint when it is asked to stop.
func (c *listenCmd) Run(a *app) (err error) {
	key, err := c.key()
	if err != nil {
		return err
	}
	var lc net.ListenConfig
	l, err := lc.Listen(a.ctx, "tcp", c.Listen)
	if err != nil {
		return err
	}
	r := &receiver{out: a.out, ready: make(chan struct{})}
	server := &http.Server{Handler: r, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(l) }()
	defer server.Close()
	api := &apiclient.Client{Base: strings.TrimSuffix(c.API, "/"), APIKey: key, HTTP: &http.Client{Timeout: 30 * time.Second}}
	e, err := api.CreateWebhookEndpoint(a.ctx, "http://"+l.Addr().String()+"/", c.Events)
	if err != nil {
		return fmt.Errorf("register at %s: %w", c.API, err)
	}
	defer a.stop(&err, func(ctx context.Context) error { return api.DeleteWebhookEndpoint(ctx, e.ID) })
	r.secret = webhook.Secret(e.Secret)
	close(r.ready)
	fmt.Fprintf(a.err, "listening as endpoint %s; stop with Ctrl-C\n", e.ID)
	<-a.ctx.Done()
	return nil
}

// receiver verifies and prints events.
type receiver struct {
	out    io.Writer
	secret webhook.Secret
	ready  chan struct{} // closed when secret is known

	mu sync.Mutex
}

// ServeHTTP prints one line of JSON: what the signatures are, and the event.
func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	<-r.ready
	body, err := io.ReadAll(http.MaxBytesReader(w, q.Body, 1<<20))
	if err != nil || !json.Valid(body) {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	line := struct {
		ReceivedAt time.Time       `json:"receivedAt"`
		Verified   bool            `json:"verified"`
		Problem    string          `json:"problem,omitempty"`
		Event      json.RawMessage `json:"event"`
	}{time.Now().UTC().Truncate(time.Millisecond), true, "", body}
	if err := webhook.Verify(q.Header, r.secret, time.Now(), body); err != nil {
		line.Verified, line.Problem = false, err.Error()
	}
	r.mu.Lock()
	err = json.NewEncoder(r.out).Encode(line)
	r.mu.Unlock()
	switch {
	case !line.Verified:
		w.WriteHeader(http.StatusUnauthorized)
	case err != nil:
		w.WriteHeader(http.StatusInternalServerError)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}
