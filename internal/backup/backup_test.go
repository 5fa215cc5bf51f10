package backup_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
	"time"

	"samla/internal/backup"
	"samla/internal/clock"
	"samla/internal/flowtest"
	"samla/internal/outbox"
	"samla/internal/seal"
	"samla/internal/seal/keyset"
	"samla/internal/store"
	"samla/internal/store/sqlstore"
	"samla/internal/user"
)

var start = time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)

var engines = map[string]func(testing.TB) string{
	"sqlite": func(t testing.TB) string { return t.TempDir() }, "postgres": flowtest.Postgres,
}

func ring(t testing.TB, clk clock.Clock) *keyset.Ring {
	t.Helper()
	m, err := keyset.NewMaster()
	if err != nil {
		t.Fatal(err)
	}
	r, err := keyset.OpenRing(keyset.RingConfig{Dir: filepath.Join(t.TempDir(), "keys"), Master: m, Clock: clk})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func open(t testing.TB, dsn string) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), sqlstore.Config{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// fill adds two rows in one transaction: a backup has both or none.
func fill(ctx context.Context, s store.Store, n int) error {
	return s.Write(ctx, func(tx store.Tx) error {
		id := fmt.Sprintf("user-%05d", n)
		if err := tx.AddUser(ctx, user.User{ID: id, ClientID: "c", ExternalID: "kund-å-" + id, CreatedAt: start, UpdatedAt: start}); err != nil {
			return err
		}
		return tx.AddOutboxMessage(ctx, outbox.Message{ID: id, Kind: outbox.EraseUser, CreatedAt: start, Sealed: []byte{0, 1, 255, byte(n)}})
	})
}

// dump is a snapshot in memory.
type dump struct {
	tables []store.SnapshotTable
	rows   map[string][]string
}

func (d *dump) Table(t store.SnapshotTable) error {
	d.tables = append(d.tables, t)
	return nil
}

func (d *dump) Row(values []any) error {
	name := d.tables[len(d.tables)-1].Name
	d.rows[name] = append(d.rows[name], fmt.Sprintf("%#v", values))
	return nil
}

func dumpOf(t testing.TB, s store.Snapshots) *dump {
	t.Helper()
	d := &dump{rows: map[string][]string{}}
	if err := s.Snapshot(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	delete(d.rows, "installation") // a restore marks it
	return d
}

// A backup that is made while others write is one state, and a database that is loaded
// from it is the same, also on the other engine.
func TestWrite_IsOneStateUnderLoad(t *testing.T) {
	for from, database := range engines {
		for to, other := range engines {
			t.Run(from+" to "+to, func(t *testing.T) {
				s, r := open(t, database(t)), ring(t, clock.NewManual(start))
				for n := range 300 {
					if err := fill(t.Context(), s, n); err != nil {
						t.Fatal(err)
					}
				}
				stop := make(chan struct{})
				var load sync.WaitGroup
				for w := range 4 {
					load.Go(func() {
						for n := 1_000_000 * (w + 1); ; n++ { // none reaches the first of the next
							select {
							case <-stop:
								return
							default:
							}
							if err := fill(context.Background(), s, n); err != nil {
								t.Error(err)
								return
							}
						}
					})
				}
				path := filepath.Join(t.TempDir(), "backup")
				m, err := backup.Write(t.Context(), path, "b1", start, s, r)
				close(stop)
				load.Wait()
				if err != nil {
					t.Fatal(err)
				}
				if m.Rows["users"] < 300 || m.Rows["users"] != m.Rows["duties"] {
					t.Errorf("not one state: %v", m.Rows)
				}
				got, err := backup.Verify(path, r)
				if err != nil || !reflect.DeepEqual(got, m) || got.ID != "b1" || !got.At.Equal(start) || got.SHA256 == "" {
					t.Errorf("%+v, not %+v, %v", got, m, err)
				}
				if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 || info.Size() != m.Bytes {
					t.Errorf("%v, %v", info, err)
				}
				dsn := other(t)
				loadFrom(t, dsn, path, r)
				restored := open(t, dsn)
				d := dumpOf(t, restored)
				if n := len(d.rows["users"]); int64(n) != m.Rows["users"] {
					t.Errorf("%d users of %d", n, m.Rows["users"])
				}
				i, err := restored.Installation(t.Context())
				if err != nil || i.Restoring != "b1" || !i.BackupAt.Equal(start) || i.BegunAt.IsZero() {
					t.Errorf("%+v, %v", i, err)
				}
				// What was loaded is what a second backup of it contains.
				if again := filepath.Join(t.TempDir(), "again"); from == to {
					if _, err := backup.Write(t.Context(), again, "b2", start, restored, r); err != nil {
						t.Fatal(err)
					}
					third := other(t)
					loadFrom(t, third, again, r)
					if second := dumpOf(t, open(t, third)); !reflect.DeepEqual(second.rows, d.rows) {
						t.Error("a backup of what was restored differs")
					}
				}
				if err := fill(t.Context(), restored, 99999); err != nil {
					t.Errorf("the restored database: %v", err)
				}
				f, err := backup.Open(path, r)
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				if err := sqlstore.Load(t.Context(), sqlstore.Config{DSN: dsn}, sqlstore.LoadConfig{Schema: f.Schema, Backup: "b1"}, f.Reader()); !errors.Is(err, sqlstore.ErrNotEmpty) {
					t.Errorf("a database with content was filled: %v", err)
				}
			})
		}
	}
}

func loadFrom(t *testing.T, dsn, path string, r *keyset.Ring) {
	t.Helper()
	f, err := backup.Open(path, r)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := sqlstore.Load(t.Context(), sqlstore.Config{DSN: dsn}, sqlstore.LoadConfig{Schema: f.Schema, Backup: f.ID, At: f.At.UnixMicro()}, f.Reader()); err != nil {
		t.Fatal(err)
	}
}

// Nothing of a backup is readable in the file, and nothing opens after the epoch key is
// destroyed, or with another directory.
func TestOpen_NeedsTheEpochKey(t *testing.T) {
	clk := clock.NewManual(start)
	s, r := open(t, t.TempDir()), ring(t, clk)
	if err := fill(t.Context(), s, 1); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "backup")
	m, err := backup.Write(t.Context(), path, "b1", start, s, r)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil || bytes.Contains(b, []byte("kund-")) || bytes.Contains(b, []byte("user-")) {
		t.Error("the file has texts of the database")
	}
	if _, err := backup.Open(path, ring(t, clk)); !errors.Is(err, seal.ErrDecryption) {
		t.Errorf("another key directory: %v", err)
	}
	if err := r.Destroy(m.Epoch); err != nil {
		t.Fatal(err)
	}
	if _, err := backup.Verify(path, r); !errors.Is(err, seal.ErrEpochDestroyed) {
		t.Errorf("after the key is destroyed: %v", err)
	}
	if _, err := backup.Write(t.Context(), path, "b2", start, s, r); err == nil {
		t.Error("a backup was overwritten")
	}
}

// Every cut and every changed byte is found before anything is loaded.
func TestVerify_FindsDamage(t *testing.T) {
	s, r := open(t, t.TempDir()), ring(t, clock.NewManual(start))
	path := filepath.Join(t.TempDir(), "backup")
	if _, err := backup.Write(t.Context(), path, "b1", start, s, r); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	bad := func(name string, b []byte) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "bad")
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := backup.Verify(file, r); err == nil || errors.Is(err, io.EOF) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for n := 0; n < len(whole); n += 1 + len(whole)/97 {
		bad(fmt.Sprintf("cut to %d bytes", n), whole[:n])
		changed := bytes.Clone(whole)
		changed[n] ^= 4
		bad(fmt.Sprintf("byte %d changed", n), changed)
	}
	bad("longer", append(bytes.Clone(whole), 0))
	bad("empty", nil)
}

func TestWrite_LeavesNoFileAfterAnError(t *testing.T) {
	s, r := open(t, t.TempDir()), ring(t, clock.NewManual(start))
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := backup.Write(ctx, filepath.Join(dir, "backup"), "b1", start, s, r); err == nil {
		t.Error("no error")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("%v, %v", left, err)
	}
}
