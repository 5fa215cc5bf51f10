package auditing_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"samla/internal/audit/chain"
	"samla/internal/auditing"
)

// Somebody writes to the database. Each case begins with a log of 9 entries, of a, b and
// nobody in turns, signed after entries 3, 6 and 9 in three hours.
func TestExport_ShowsWhatWasDoneToTheDatabase(t *testing.T) {
	type test struct {
		what, sql string
		entry     int64
		fault     chain.Fault
	}
	tests := []test{
		{"dropped", `DELETE FROM audit_log WHERE seq = 4`, 4, chain.Dropped},
		{"beginning cut", `DELETE FROM audit_log WHERE seq <= 2`, 1, chain.Dropped},
		{"end cut", `DELETE FROM audit_log WHERE seq >= 8`, 8, chain.CutEnd},
		{"reordered", `UPDATE audit_log SET seq = 40 WHERE seq = 4; UPDATE audit_log SET seq = 4 WHERE seq = 5; UPDATE audit_log SET seq = 5 WHERE seq = 40`, 4, chain.Changed},
		{"users swapped", `UPDATE audit_log SET user_id = 'b' WHERE seq = 4`, 4, chain.Changed},
		{"duplicated", `UPDATE audit_log SET seq = 10 + seq WHERE seq > 4; UPDATE audit_log SET seq = seq - 9 WHERE seq > 10;
INSERT INTO audit_log SELECT 5, id, happened_at, client_id, user_id, consent_id, kind, detail, prev, user_seq, user_prev, hash FROM audit_log WHERE seq = 4`, 5, chain.Changed},
		{"key replaced", `UPDATE audit_keys SET public_key = '0'; UPDATE audit_heads SET signed = ` + otherHead(9) + ` WHERE entries = 9`, 0, chain.WrongKey},
	}
	for _, column := range []string{"id", "client_id", "user_id", "consent_id", "kind"} {
		tests = append(tests, test{column, fmt.Sprintf(`UPDATE audit_log SET %s = %[1]s || 'x' WHERE seq = 4`, column), 4, chain.Changed})
	}
	for _, column := range []string{"happened_at", "user_seq"} {
		tests = append(tests, test{column, fmt.Sprintf(`UPDATE audit_log SET %s = %[1]s + 1 WHERE seq = 4`, column), 4, chain.Changed})
	}
	for _, column := range []string{"detail", "prev", "user_prev", "hash"} {
		tests = append(tests, test{column, fmt.Sprintf(`UPDATE audit_log SET %s = (SELECT hash FROM audit_log WHERE seq = 2) WHERE seq = 4`, column), 4, chain.Changed})
	}
	onBoth(t, func(t *testing.T, e env) {
		e.three()
		undo := e.snapshot()
		for _, c := range tests {
			e.sql(c.sql)
			_, err := e.export()
			want(t, c.what, err, c.entry, c.fault)
			e.sql(undo)
			if _, err := e.export(); err != nil {
				t.Fatalf("%s: after it: %v", c.what, err)
			}
		}
	})
}

// snapshot keeps the tables of the log, and returns the statements that put them back.
func (e env) snapshot() (undo string) {
	e.Helper()
	for _, table := range []string{"audit_log", "audit_users", "audit_heads", "audit_keys"} {
		e.sql(`CREATE TABLE kept_` + table + ` AS SELECT * FROM ` + table)
		undo += `DELETE FROM ` + table + `; INSERT INTO ` + table + ` SELECT * FROM kept_` + table + `; `
	}
	return strings.TrimSuffix(undo, "; ")
}

// three makes the log of the cases.
func (e env) three() {
	e.Helper()
	for range 3 {
		e.record("a", 1)
		e.record("b", 1)
		e.record("", 1)
		e.chain()
		e.Clock.Advance(60 * 60 * 1e9)
	}
}

func otherHead(count int64) string {
	s := chain.Sign(make([]byte, 64), chain.State{Count: count}, chain.Head{Purpose: chain.End})
	return `'` + string(s.AppendJSON(nil)) + `'`
}

// Who cuts the end and takes the head before it leaves a log that verifies: a head that
// was kept outside tells. So does the export of a user.
func TestExport_ShowsCutEndByKeptHead(t *testing.T) {
	onBoth(t, func(t *testing.T, e env) {
		e.three()
		kept, err := e.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		e.sql(`DELETE FROM audit_log WHERE seq > 6; DELETE FROM audit_heads WHERE entries > 6`)
		if _, err := e.export(); err != nil {
			t.Errorf("without the head: %v", err)
		}
		_, err = e.export(kept)
		want(t, "with it", err, 7, chain.CutEnd)
		if _, err := e.exportUser("a"); !errors.Is(err, auditing.ErrTampered) {
			t.Errorf("a user: %v", err)
		}
	})
}

// The export of a user is refused where the log is not what was signed.
func TestExportUser_IsRefusedAfterTampering(t *testing.T) {
	onBoth(t, func(t *testing.T, e env) {
		e.three()
		undo := e.snapshot()
		for what, change := range map[string]string{
			"dropped":             `DELETE FROM audit_log WHERE seq = 4`,
			"another one changed": `UPDATE audit_log SET hash = prev WHERE seq = 5`,
			"last dropped":        `DELETE FROM audit_log WHERE seq = 7`,
			"end of the user":     `UPDATE audit_users SET entries = 2 WHERE user_id = 'a'`,
			"moved to another":    `UPDATE audit_log SET user_id = 'b' WHERE seq = 7`,
		} {
			e.sql(change)
			if r, err := e.exportUser("a"); !errors.Is(err, auditing.ErrTampered) {
				t.Errorf("%s: %+v, %v", what, r, err)
			}
			e.sql(undo)
		}
		// What is only changed in an entry of the user is found by who verifies.
		e.sql(`UPDATE audit_log SET kind = 'x' WHERE seq = 4`)
		_, err := e.exportUser("a")
		want(t, "changed", err, 2, chain.Changed)
	})
}

// A sweep does not sign for what was changed.
func TestSweep_RemovesNothingThatWasChanged(t *testing.T) {
	onBoth(t, func(t *testing.T, e env) {
		e.three()
		e.sql(`UPDATE audit_log SET kind = 'x' WHERE seq = 2`)
		e.Clock.Advance(2 * keep)
		if _, err := e.Sweep(t.Context()); !errors.Is(err, auditing.ErrTampered) {
			t.Errorf("got %v", err)
		}
		_, err := e.export()
		want(t, "changed", err, 2, chain.Changed)
	})
}
