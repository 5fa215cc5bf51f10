package auditing_test

import (
	"bytes"
	"crypto/ed25519"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	"go.uber.org/goleak"
	_ "modernc.org/sqlite"

	"samla/internal/audit"
	"samla/internal/audit/chain"
	"samla/internal/auditing"
	"samla/internal/flowtest"
)

func TestMain(m *testing.M) {
	if dsn := os.Getenv(envChild); dsn != "" {
		fmt.Fprintln(os.Stderr, chainUntilKilled(dsn, os.Getenv(envMaster)))
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

const keep = 24 * time.Hour

// env is a store with a service.
type env struct {
	*flowtest.Env
	*auditing.Service
	database string
	log      *bytes.Buffer
}

func onBoth(t *testing.T, test func(*testing.T, env)) {
	t.Run("sqlite", func(t *testing.T) { test(t, newEnv(t, t.TempDir())) })
	t.Run("postgres", func(t *testing.T) { test(t, newEnv(t, flowtest.Postgres(t))) })
}

func newEnv(t *testing.T, database string) env {
	t.Helper()
	return node(flowtest.New(t, database), database)
}

func node(b *flowtest.Env, database string) env {
	log := &bytes.Buffer{}
	s := auditing.New(auditing.Deps{Store: b.Store, Vault: b.Vault, Clock: b.Clock, Keep: keep, Log: slog.New(slog.NewTextHandler(log, nil))})
	return env{b, s, database, log}
}

// sql runs statements as somebody who can write to the database.
func (e env) sql(text string) {
	e.Helper()
	driver, dsn := "pgx", e.database
	if !strings.HasPrefix(dsn, "postgres") {
		driver, dsn = "sqlite", filepath.Join(dsn, "samla.db")+"?_pragma=busy_timeout(10000)"
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		e.Fatal(err)
	}
	defer db.Close()
	for one := range strings.SplitSeq(text, ";") {
		if _, err := db.ExecContext(e.Context(), one); err != nil {
			e.Fatalf("%s: %v", one, err)
		}
	}
}

// record stores n entries of a user, a second after each other.
func (e env) record(userID string, n int) {
	e.Helper()
	for range n {
		e.Clock.Advance(time.Second)
		a := audit.Access{ClientID: "client", UserID: userID, ConsentID: "consent", CollectionID: "collection", Route: "getCollectionData", Basis: audit.ByConsent}
		if err := e.Store.RecordAccess(e.Context(), a.Entry(e.IDs, e.Clock.Now())); err != nil {
			e.Fatal(err)
		}
	}
}

func (e env) chain() int {
	e.Helper()
	n, err := e.Chain(e.Context())
	if err != nil {
		e.Fatal(err)
	}
	return n
}

func (e env) public() ed25519.PublicKey {
	e.Helper()
	public, err := e.PublicKey(e.Context())
	if err != nil {
		e.Fatal(err)
	}
	return public
}

// export exports the log and verifies it.
func (e env) export(kept ...chain.Signed) (chain.Report, error) {
	e.Helper()
	var file bytes.Buffer
	if err := e.Export(e.Context(), &file, auditing.Range{}); err != nil {
		e.Fatal(err)
	}
	return chain.Verify(&file, chain.Options{Public: e.public(), Kept: kept})
}

// exportUser exports a user's entries and verifies them.
func (e env) exportUser(id string) (chain.Report, error) {
	e.Helper()
	var file bytes.Buffer
	if err := e.ExportUser(e.Context(), &file, id); err != nil {
		return chain.Report{}, err
	}
	return chain.Verify(&file, chain.Options{Public: e.public()})
}

func want(t *testing.T, what string, err error, entry int64, f chain.Fault) {
	t.Helper()
	var found *chain.Finding
	if !errors.As(err, &found) || found.Entry != entry || found.Fault != f {
		t.Errorf("%s: got %v, want entry %d: %s", what, err, entry, f)
	}
}

func users(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("00000000-0000-7000-8000-%012d", i)
	}
	return ids
}
