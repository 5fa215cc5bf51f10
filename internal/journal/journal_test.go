package journal_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/journal"
)

var start = time.Date(2026, 4, 1, 23, 0, 0, 0, time.UTC)

func open(t testing.TB, dir string, clk clock.Clock) *journal.Journal {
	t.Helper()
	j, err := journal.Open(dir, clk)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

func record(t testing.TB, j *journal.Journal, id string) {
	t.Helper()
	if err := j.Record(t.Context(), journal.Record{Kind: journal.UserErased, ID: id, Client: "c"}); err != nil {
		t.Fatal(err)
	}
}

func ids(t testing.TB, dir string, since time.Time) []string {
	t.Helper()
	all, err := journal.Read(dir, since)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, r := range all {
		ids = append(ids, r.ID)
	}
	return ids
}

func TestRead_MergesNodesInTheOrderOfTime(t *testing.T) {
	dir, clk := filepath.Join(t.TempDir(), "journal"), clock.NewManual(start)
	a, b := open(t, dir, clk), open(t, dir, clk)
	for i, j := range []*journal.Journal{a, b, a, b, b} { // over the end of a day
		record(t, j, fmt.Sprint(i))
		clk.Advance(20 * time.Minute)
	}
	if got := ids(t, dir, time.Time{}); !slices.Equal(got, []string{"0", "1", "2", "3", "4"}) {
		t.Errorf("%v", got)
	}
	if got := ids(t, dir, start.Add(40*time.Minute)); !slices.Equal(got, []string{"2", "3", "4"}) {
		t.Errorf("since: %v", got)
	}
	if err := a.Prune(start.Add(24 * time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got := ids(t, dir, time.Time{}); !slices.Equal(got, []string{"3", "4"}) {
		t.Errorf("pruned: %v", got)
	}
}

func TestRecord_KeepsEveryRecordOfConcurrentCallers(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "journal")
	j := open(t, dir, clock.System())
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			if err := j.Record(t.Context(), journal.Record{Kind: journal.ConsentEnded, ID: fmt.Sprint(i)}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	got := ids(t, dir, time.Time{})
	slices.Sort(got)
	if len(slices.Compact(got)) != 200 {
		t.Errorf("%d records", len(got))
	}
}

// A process that dies while it writes leaves a part of a line, which was never
// acknowledged. Everything else that does not parse is damage.
func TestRead_TellsATornLineFromDamage(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "journal")
	j := open(t, dir, clock.NewManual(start))
	record(t, j, "first")
	record(t, j, "second")
	files, _ := filepath.Glob(filepath.Join(dir, "*"))
	whole, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	for n := len(whole) - 1; n > len(whole)/2; n-- {
		if err := os.WriteFile(files[0], whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if got := ids(t, dir, time.Time{}); !slices.Equal(got, []string{"first"}) {
			t.Fatalf("cut after %d bytes: %v", n, got)
		}
	}
	for n := range len(whole) / 2 {
		changed := slices.Clone(whole)
		changed[n] ^= 1
		if err := os.WriteFile(files[0], changed, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := journal.Read(dir, time.Time{}); err == nil {
			t.Fatalf("byte %d was changed: %v", n, got)
		}
	}
}

func TestRecord_ReportsADirectoryThatIsGone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "journal")
	j := open(t, dir, clock.NewManual(start))
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if j.Record(t.Context(), journal.Record{Kind: journal.KeyRevoked, ID: "k"}) == nil {
		t.Error("a record was lost without an error")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("00000000 {}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "20260401-a.log"), b, 0o600); err != nil {
			t.Fatal(err)
		}
		_, _ = journal.Read(dir, time.Time{})
	})
}

func BenchmarkRecord(b *testing.B) {
	j := open(b, filepath.Join(b.TempDir(), "journal"), clock.System())
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := j.Record(b.Context(), journal.Record{Kind: journal.ConsentTold, ID: "019d480e-d05e-7d83-92aa-7ac7624ded55"}); err != nil {
				b.Error(err)
			}
		}
	})
}

// A replacement is applied if one record says that it came true.
func TestSettled_LeavesOutReplacementsThatNeverCameTrue(t *testing.T) {
	replaced := journal.Record{Kind: journal.ConsentReplaced, ID: "old", Detail: "new"}
	for name, test := range map[string]struct {
		others []journal.Record
		want   bool
	}{
		"nothing is known":                  {nil, false},
		"the renewal was authorized":        {[]journal.Record{{Kind: journal.ConsentRenewed, ID: "new"}}, true},
		"the renewal was revoked":           {[]journal.Record{{Kind: journal.ConsentEnded, ID: "new", Detail: "USER"}}, true},
		"the renewal was renewed":           {[]journal.Record{{Kind: journal.ConsentReplaced, ID: "new", Detail: "newer"}, {Kind: journal.ConsentRenewed, ID: "newer"}}, true},
		"the bank was told":                 {[]journal.Record{{Kind: journal.ConsentTold, ID: "old"}}, true},
		"another renewal was authorized":    {[]journal.Record{{Kind: journal.ConsentRenewed, ID: "other"}}, false},
		"another consent was told or ended": {[]journal.Record{{Kind: journal.ConsentTold, ID: "new"}, {Kind: journal.ConsentEnded, ID: "other"}}, false},
	} {
		all := append([]journal.Record{replaced}, test.others...)
		got := journal.Settled(all)
		if slices.Contains(got, replaced) != test.want || len(got) < len(test.others) || len(all) != 1+len(test.others) || all[0] != replaced {
			t.Errorf("%s: %v", name, got)
		}
	}
}
