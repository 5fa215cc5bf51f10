package testpg

import (
	"context"
	"os"
	"os/exec"
	"testing"

	"github.com/jackc/pgx/v5"
)

func connect(t *testing.T, database string) *pgx.Conn {
	t.Helper()
	ctx, cancel := withTimeout()
	defer cancel()
	conn, err := pgx.Connect(ctx, database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func do(t *testing.T, conn *pgx.Conn, statement string) {
	t.Helper()
	ctx, cancel := withTimeout()
	defer cancel()
	if _, err := conn.Exec(ctx, statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func scalar[T any](t *testing.T, conn *pgx.Conn, query string) T {
	t.Helper()
	ctx, cancel := withTimeout()
	defer cancel()
	var v T
	if err := conn.QueryRow(ctx, query).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

func TestURL_ReturnsSeparateEmptyDatabases(t *testing.T) {
	one, two := connect(t, URL(t)), connect(t, URL(t))
	do(t, one, "CREATE TABLE a (n int)")
	do(t, two, "CREATE TABLE a (n int)") // would fail in the same database
	const tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
	if n := scalar[int](t, connect(t, URL(t)), tables); n != 0 {
		t.Errorf("a fresh database has %d tables", n)
	}
}

func TestURL_DropsDatabaseAfterTest(t *testing.T) {
	outer := connect(t, URL(t))
	var name string
	t.Run("inner", func(t *testing.T) {
		ctx, cancel := withTimeout()
		defer cancel()
		conn, err := pgx.Connect(ctx, URL(t))
		if err != nil {
			t.Fatal(err)
		}
		// Left open on purpose: an open connection must not prevent the drop.
		name = scalar[string](t, conn, "SELECT current_database()")
	})
	if n := scalar[int](t, outer, "SELECT count(*) FROM pg_database WHERE datname = '"+name+"'"); n != 0 {
		t.Errorf("database %s exists after its test", name)
	}
}

// Without fsync a commit survives the end of every process, but not that of the machine.
func TestServer_IsDurable(t *testing.T) {
	for _, fsync := range []string{"on", "off"} {
		t.Setenv(EnvFsync, fsync)
		s := startServer(t)
		conn := connect(t, s.URL())
		for name, want := range map[string]string{"fsync": fsync, "synchronous_commit": "on", "full_page_writes": "on"} {
			if v := scalar[string](t, conn, "SHOW "+name); v != want {
				t.Errorf("%s is %s, want %s", name, v, want)
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// startServer starts a server for one test.
func startServer(t *testing.T) *Server {
	t.Helper()
	if testing.Short() {
		t.Skip("no PostgreSQL in short tests")
	}
	s, err := Start()
	if err != nil {
		if os.Getenv(EnvRequire) == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	return s
}

func TestKill_KeepsCommittedRow(t *testing.T) {
	s := startServer(t)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(s.dir); !os.IsNotExist(err) {
			t.Errorf("the server's directory still exists: %v", err)
		}
	})
	conn := connect(t, s.URL())
	do(t, conn, "CREATE TABLE a (n int)")
	do(t, conn, "INSERT INTO a VALUES (7)")
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := withTimeout()
	defer cancel()
	if late, err := pgx.Connect(ctx, s.URL()); err == nil {
		_ = late.Close(ctx)
		t.Error("a killed server accepts connections")
	}
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	if n := scalar[int](t, connect(t, s.URL()), "SELECT n FROM a"); n != 7 {
		t.Errorf("read %d after the crash", n)
	}
}

// TestServer_StopsWithItsProcess starts a server in a child process that kills itself,
// and waits until the server's directory is removed.
func TestServer_StopsWithItsProcess(t *testing.T) {
	if os.Getenv("TESTPG_CHILD") == "1" {
		s, err := Start()
		if err != nil {
			t.Fatal(err)
		}
		_, _ = os.Stdout.WriteString("dir=" + s.dir + "\n")
		p, _ := os.FindProcess(os.Getpid())
		_ = p.Kill()
		select {}
	}
	if err := startServer(t).Close(); err != nil { // skips the test if there is no server
		t.Fatal(err)
	}
	child := exec.Command(os.Args[0], "-test.run=^TestServer_StopsWithItsProcess$", "-test.v")
	child.Env = append(os.Environ(), "TESTPG_CHILD=1")
	out, err := child.Output()
	if err == nil {
		t.Fatalf("the child was not killed: %s", out)
	}
	awaitRemoval(t, printedDirectory(t, string(out)))
}
