package webhooks_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/events"
	"samla/internal/seal/keyset"
	"samla/internal/store/sqlstore"
	"samla/internal/uuid7"
	"samla/internal/webhook"
	"samla/internal/webhook/post"
	"samla/internal/webhooks"
	"samla/test/process"
)

const childEnv = "SAMLA_WEBHOOKS_CHILD"

// childConfig is what the process to kill gets.
type childConfig struct{ DSN, MasterFile string }

// TestMain delivers instead of testing if it is the process to kill.
func TestMain(m *testing.M) {
	if text := os.Getenv(childEnv); text != "" {
		deliverUntilKilled(text)
	}
	os.Exit(m.Run())
}

func deliverUntilKilled(text string) {
	var c childConfig
	fail := func(err error) {
		if err != nil {
			slog.Error(err.Error())
			os.Exit(1)
		}
	}
	fail(json.Unmarshal([]byte(text), &c))
	clk, ctx := clock.System(), context.Background()
	s, err := sqlstore.Open(ctx, sqlstore.Config{DSN: c.DSN})
	fail(err)
	fail(s.Reclaim(ctx, clk.Now(), 20*time.Second))
	master, err := keyset.LoadMaster(c.MasterFile, "")
	fail(err)
	vault, err := keyset.New(master, s, clk)
	fail(err)
	d := webhooks.NewDispatcher(webhooks.DispatcherDeps{Store: s, Vault: vault, Clock: clk, IDs: uuid7.NewGenerator(clk, rand.Reader), Log: slog.Default(),
		Client: post.New(post.Config{Targets: webhook.LoopbackTargets})})
	d.Start(ctx)
	events.NewSequencer(events.Deps{Store: s, Clock: clk, Log: slog.Default(), FanOut: d.FanOut, Sequenced: d.Sequenced}).Run(ctx)
}

// Whenever the process that delivers is killed, no event is lost: each comes at least once.
func TestDispatcher_KilledProcessLosesNoEvent(t *testing.T) {
	dir := t.TempDir()
	dsn, masterFile := filepath.Join(dir, "store"), filepath.Join(dir, "master.json")
	f, err := os.OpenFile(masterFile, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if err := keyset.GenerateMaster(f); err != nil {
		t.Fatal(err)
	}
	f.Close()
	b := newEnv(t, dsn)
	master, err := keyset.LoadMaster(masterFile, "")
	if err != nil {
		t.Fatal(err)
	}
	if b.Vault, err = keyset.New(master, b.Store, b.fast); err != nil {
		t.Fatal(err)
	}
	b.service = b.newService(nil)
	r := newReceiver(t, nil)
	e := b.endpoint(r.URL)
	config, _ := json.Marshal(childConfig{dsn, masterFile})
	var ids []string
	for round := range 6 {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), childEnv+"="+string(config))
		child.Stderr = os.Stderr
		process.StartChild(t, child)
		seen := len(r.hooks())
		for i := range 40 {
			ids = append(ids, b.add(b.User.ClientID, string(rune('a'+i%5))).ID)
		}
		want := seen + 1 + 7*round // another moment in each round
		b.eventually("requests before the kill", func() bool { return len(r.hooks()) >= want })
		_ = child.Process.Kill()
		_ = child.Wait()
	}
	b.start(nil, post.Config{})
	for _, id := range ids {
		b.eventually("delivered", b.progress(e.ID, id, webhook.Delivered))
		if r.count(id) == 0 {
			t.Errorf("%s was not received", id)
		}
	}
	t.Logf("%d events, %d requests, 6 kills", len(ids), len(r.hooks()))
}
