package auditing_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"testing"

	"samla/internal/audit"
	"samla/internal/audit/chain"
	"samla/internal/auditing"
	"samla/internal/clock"
	"samla/internal/flowtest"
	"samla/internal/seal/keyset"
	"samla/internal/store/sqlstore"
	"samla/internal/uuid7"
	"samla/test/process"
)

// envChild names the database of a child process that records and chains until it is
// killed; envMaster is its master key.
const (
	envChild  = "SAMLA_TEST_CHAIN_UNTIL_KILLED"
	envMaster = "SAMLA_TEST_CHAIN_MASTER"
)

// open opens a service on a database, as a process does.
func open(dsn, master string) (*sqlstore.Store, *auditing.Service, error) {
	m, err := keyset.LoadMaster("", master)
	if err != nil {
		return nil, nil, err
	}
	db, err := sqlstore.Open(context.Background(), sqlstore.Config{DSN: dsn})
	if err != nil {
		return nil, nil, err
	}
	vault, err := keyset.New(m, db, clock.System())
	return db, auditing.New(auditing.Deps{Store: db, Vault: vault, Clock: clock.System(), Keep: keep, Log: slog.Default()}), err
}

// chainUntilKilled prints the user of each entry that is recorded.
func chainUntilKilled(dsn, master string) error {
	db, s, err := open(dsn, master)
	if err != nil {
		return err
	}
	failed := make(chan error)
	ids := uuid7.NewGenerator(clock.System(), nil)
	for w := range 4 {
		go func() {
			for {
				user := fmt.Sprintf("user-%d", w)
				if err := db.RecordAccess(context.Background(), audit.Access{ClientID: "c", UserID: user, Route: "x"}.Entry(ids, clock.System().Now())); err != nil {
					failed <- err
					return
				}
				fmt.Println(user)
			}
		}()
	}
	for {
		select {
		case err := <-failed:
			return err
		default:
			if _, err := s.Chain(context.Background()); err != nil {
				return err
			}
		}
	}
}

// A node is killed while it records and chains. Whatever was acknowledged is in the chain
// afterwards, once, and the chain goes on.
func TestChain_SurvivesKill(t *testing.T) {
	for engine, dsn := range map[string]func(*testing.T) string{"sqlite": func(t *testing.T) string { return t.TempDir() },
		"postgres": func(t *testing.T) string { return flowtest.Postgres(t) }} {
		t.Run(engine, func(t *testing.T) {
			database, master := dsn(t), masterText(t)
			acknowledged := map[string]int64{}
			for range 3 {
				killChild(t, database, master, acknowledged)
			}
			db, s, err := open(database, master)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if _, err := s.Chain(t.Context()); err != nil {
				t.Fatal(err)
			}
			verifyAll(t, s, acknowledged)
		})
	}
}

func killChild(t *testing.T, database, master string, acknowledged map[string]int64) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), envChild+"="+database, envMaster+"="+master)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	process.StartChild(t, cmd)
	n := 0
	for lines := bufio.NewScanner(out); lines.Scan(); n++ {
		if user := lines.Text(); len(user) == len("user-0") {
			acknowledged[user]++ // the last line may be half
		}
		if n == 400 {
			_ = cmd.Process.Kill()
		}
	}
	_ = cmd.Wait()
	if n < 400 {
		t.Fatalf("the child ended after %d entries", n)
	}
}

// verifyAll verifies the log, and that each user has the acknowledged entries at least.
func verifyAll(t *testing.T, s *auditing.Service, acknowledged map[string]int64) {
	t.Helper()
	public, err := s.PublicKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := s.Export(t.Context(), &file, auditing.Range{}); err != nil {
		t.Fatal(err)
	}
	if _, err := chain.Verify(&file, chain.Options{Public: public}); err != nil {
		t.Error(err)
	}
	for user, n := range acknowledged {
		file.Reset()
		if err := s.ExportUser(t.Context(), &file, user); err != nil {
			t.Fatal(err)
		}
		r, err := chain.Verify(&file, chain.Options{Public: public})
		if err != nil || r.Entries < n || r.Entries > n+3 { // one of each child may be stored and not acknowledged
			t.Errorf("%s: %d entries of %d, %v", user, r.Entries, n, err)
		}
	}
}

// masterText returns a master key as SAMLA_MASTER_KEY holds it.
func masterText(t *testing.T) string {
	t.Helper()
	var text bytes.Buffer
	if err := keyset.GenerateMaster(&text); err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(text.Bytes())
}
