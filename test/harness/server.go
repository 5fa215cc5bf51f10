package harness

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/institution"
	"samla/internal/institution/families"
	"samla/internal/sandbox/pki"
	"samla/internal/seal/keyset"
	"samla/internal/server"
)

// waiting returns how many persons a server admits. By a fast clock, what a node measures of
// itself is the speed of this machine divided by that of the clock: a busy one would answer
// 503 to tests that have nothing to do with it. So the server counts persons instead.
func waiting(most int, clk clock.Clock) int {
	if _, fast := clk.(*clock.Fast); fast && most == 0 {
		return 100_000
	}
	return most
}

// StartServer starts a server with the institutions of the Env, which has no sandbox. It
// is stopped at the end of the test, which must take less than a minute. What is checked
// after that is registered as a cleanup before.
func (w *Env) StartServer(t *testing.T, c server.Config, clk clock.Clock) {
	t.Helper()
	master, err := keyset.NewMaster()
	if err != nil {
		t.Fatal(err)
	}
	c.Listen = "127.0.0.1:0"
	c.MaxWaiting = waiting(c.MaxWaiting, clk)
	if c.KeyDir == "" {
		c.KeyDir = filepath.Join(t.TempDir(), "keys")
	}
	w.Server, err = server.New(t.Context(), c, server.Parts{Clock: clk, Log: w.Log.Logger(), Master: master, Institutions: w.Institutions})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := w.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
}

// OpenBanks opens the banks of a file with these entries, which it writes.
func (w *Env) OpenBanks(path string, clk clock.Clock, entries ...map[string]any) (institution.Set, error) {
	text, err := json.Marshal(map[string]any{"banks": entries})
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return nil, err
	}
	file, err := families.All().Load(path)
	if err != nil {
		return nil, err
	}
	return file.Open(institution.Deps{Clock: clk, Log: w.Log.Logger()})
}

// Certificates returns the member certificates of an entry of a banks file that stands
// beside the files of a pki.Set.
func Certificates() map[string]string {
	return map[string]string{"qwacCert": pki.QWACFile, "qwacKey": pki.QWACKeyFile,
		"qsealCert": pki.QSEALFile, "qsealKey": pki.QSEALKeyFile, "caFile": pki.CAFile}
}
