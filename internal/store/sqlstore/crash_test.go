package sqlstore_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"samla/internal/store"
	"samla/internal/store/sqlstore"
	"samla/internal/testpg"
	"samla/internal/user"
	"samla/test/process"
)

// envDatabase names the database of a child process that writes until it is killed.
const envDatabase = "SAMLA_TEST_WRITE_UNTIL_KILLED"

const childClient = "018f0000-0000-7000-8000-000000000001"

func TestMain(m *testing.M) {
	if dsn := os.Getenv(envDatabase); dsn != "" {
		fmt.Fprintln(os.Stderr, writeUntilKilled(dsn))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// writeUntilKilled writes users and prints the id of each one that is stored.
func writeUntilKilled(dsn string) error {
	ctx := context.Background()
	s, err := sqlstore.Open(ctx, sqlstore.Config{DSN: dsn, Exclusive: true})
	if err != nil {
		return err
	}
	failed := make(chan error)
	for range 16 {
		go func() {
			for {
				id := newID()
				if err := s.Write(ctx, func(tx store.Tx) error {
					return tx.AddUser(ctx, user.User{ID: id, ClientID: childClient, ExternalID: id, CreatedAt: began})
				}); err != nil {
					failed <- err
					return
				}
				fmt.Println(id)
			}
		}()
	}
	return <-failed
}

// crash runs a child that writes, calls kill when it has written 300 users, and
// returns the ids of the users that were acknowledged.
func crash(t *testing.T, dsn string, kill func(*os.Process)) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), envDatabase+"="+dsn)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	process.StartChild(t, cmd)
	var ids []string
	var killed sync.Once
	for lines := bufio.NewReader(out); ; {
		line, err := lines.ReadString('\n')
		if err != nil { // what follows the last newline was not printed in full
			if !errors.Is(err, io.EOF) {
				t.Error(err)
			}
			break
		}
		ids = append(ids, line[:len(line)-1])
		if len(ids) == 300 {
			killed.Do(func() { kill(cmd.Process) })
		}
	}
	_ = cmd.Wait() // it was killed
	if len(ids) < 300 {
		t.Fatalf("the child ended by itself after %d writes", len(ids))
	}
	return ids
}

func survived(t *testing.T, dsn string, ids []string) {
	t.Helper()
	s, err := sqlstore.Open(context.Background(), sqlstore.Config{DSN: dsn, Exclusive: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, id := range ids {
		if _, err := s.User(context.Background(), childClient, id); err != nil {
			t.Fatalf("one of %d acknowledged writes: %v", len(ids), err)
		}
	}
}

func TestSQLite_KilledServerLosesNothing(t *testing.T) {
	dir := t.TempDir()
	for range 3 {
		survived(t, dir, crash(t, dir, func(p *os.Process) {
			if err := p.Kill(); err != nil {
				t.Error(err)
			}
		}))
	}
}

func TestPostgres_CrashLosesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("PostgreSQL is left out of short tests")
	}
	server, err := testpg.Start()
	if errors.Is(err, testpg.ErrNoBinaries) && os.Getenv(testpg.EnvRequire) != "1" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	}()
	ids := crash(t, server.URL(), func(*os.Process) {
		if err := server.Kill(); err != nil {
			t.Error(err)
		}
	})
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	survived(t, server.URL(), ids)
}
