package chain_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"samla/internal/audit/chain"
)

var (
	key    = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	other  = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{8}, ed25519.SeedSize))
	public = key.Public().(ed25519.PublicKey)
	start  = time.Date(2026, 4, 1, 8, 0, 0, 1000, time.UTC)
)

// log is an audit log in memory.
type log struct {
	rows  []chain.Row
	heads []chain.Signed // one after each entry
	state chain.State
	users map[string]chain.UserEnd
}

// newLog makes a log of n entries of the users a and b, and of none.
func newLog(n int) *log {
	l := &log{users: map[string]chain.UserEnd{}}
	for i := range n {
		l.add(chain.Link{ID: fmt.Sprintf("id-%d", i), At: start.Add(time.Duration(i) * time.Second), ClientID: "client", UserID: []string{"a", "b", ""}[i%3],
			ConsentID: "consent", Kind: "DATA_READ", Detail: []byte(`{"by":"SESSION"}`)})
	}
	return l
}

func (l *log) add(link chain.Link) {
	end := l.users[link.UserID]
	h := l.state.Append(&link, &end)
	if link.UserID != "" {
		l.users[link.UserID] = end
	}
	l.rows = append(l.rows, chain.Row{Link: link, Stored: h})
	l.heads = append(l.heads, l.head(key))
}

func (l *log) head(key ed25519.PrivateKey) chain.Signed {
	return chain.Sign(key, l.state, chain.Head{At: start, Purpose: chain.End})
}

// lines writes the export of everything behind the first begin entries.
func (l *log) lines(begin int) [][]byte {
	first := chain.First{Format: chain.FormatLog, Head: l.heads[len(l.heads)-1]}
	if begin > 0 {
		var s chain.State
		for _, r := range l.rows[:begin] {
			s.Add(r.Stored)
		}
		b := chain.Sign(key, s, chain.Head{At: start, Purpose: chain.Begin})
		first.Begin = &b
	}
	all := [][]byte{first.AppendJSON(nil)}
	for i := range l.rows[begin:] {
		all = append(all, l.rows[begin+i].AppendJSON(nil))
	}
	return all
}

// userLines writes the export of a user.
func (l *log) userLines(user string) [][]byte {
	var leaves []int64
	for _, r := range l.rows {
		if r.UserID == user {
			leaves = append(leaves, r.Seq-1)
		}
	}
	p := chain.NewProver(chain.Tree{}, l.state.Count, leaves)
	for _, r := range l.rows {
		p.Add(r.Stored)
	}
	if _, err := p.Finish(); err != nil {
		panic(err)
	}
	end := l.users[user]
	first := chain.First{Format: chain.FormatUser, Head: chain.Sign(key, l.state,
		chain.Head{At: start, Purpose: chain.OfUser, User: user, UserCount: end.Count, UserHash: end.Hash})}
	all := [][]byte{first.AppendJSON(nil)}
	for _, i := range leaves {
		row := l.rows[i]
		row.Proof = p.Proof(i)
		all = append(all, row.AppendJSON(nil))
	}
	return all
}

func verify(lines [][]byte, kept ...chain.Signed) (chain.Report, error) {
	return chain.Verify(bytes.NewReader(slices.Concat(lines...)), chain.Options{Public: public, Kept: kept})
}

// want fails unless the first fault is this one.
func want(t *testing.T, what string, err error, entry int64, f chain.Fault) {
	t.Helper()
	var found *chain.Finding
	if !errors.As(err, &found) || found.Entry != entry || found.Fault != f {
		t.Errorf("%s: got %v, want entry %d: %s", what, err, entry, f)
	}
}

func TestVerify_AcceptsWhatWasWritten(t *testing.T) {
	for n := 1; n < 20; n++ {
		l := newLog(n)
		for begin := range n {
			r, err := verify(l.lines(begin), l.heads...)
			if err != nil || r.Entries != int64(n-begin) || r.Begin != int64(begin) || r.Head.Count != int64(n) {
				t.Fatalf("%d of %d: %+v, %v", begin, n, r, err)
			}
		}
		if r, err := verify(l.userLines("a")); err != nil || r.Entries != int64((n+2)/3) {
			t.Fatalf("user of %d: %+v, %v", n, r, err)
		}
	}
}

func TestVerify_NamesFirstFaultOfLog(t *testing.T) {
	l := newLog(9)
	lines := func(change func([][]byte) [][]byte) [][]byte { return change(l.lines(0)) }
	rehashed := func(s [][]byte) [][]byte { // entry 4, with a hash that fits
		row := l.rows[3]
		row.Kind = "CONSENT_CREATED"
		row.Stored = row.Hash()
		s[4] = row.AppendJSON(nil)
		return s
	}
	inserted := func(s [][]byte) [][]byte { // a new entry 4 in front of entry 4
		row := l.rows[3]
		row.ID = "new"
		row.Stored = row.Hash()
		return slices.Insert(s, 4, row.AppendJSON(nil))
	}
	rebuilt := newLog(0)
	for _, r := range l.rows[:8] {
		link := r.Link
		if link.Seq == 4 {
			link.Kind = "CONSENT_CREATED"
		}
		rebuilt.add(link)
	}
	rebuilt.add(l.rows[8].Link)
	rebuilt.heads[8] = l.heads[8] // the thief has no key
	foreign := newLog(9)
	foreign.heads[8] = foreign.head(other)
	for _, c := range []struct {
		what  string
		lines [][]byte
		entry int64
		fault chain.Fault
	}{
		{"changed", lines(func(s [][]byte) [][]byte {
			s[4] = bytes.Replace(s[4], []byte("DATA_READ"), []byte("DATA_REAL"), 1)
			return s
		}), 4, chain.Changed},
		{"changed, hash made again", lines(rehashed), 4, chain.Changed},
		{"everything made again", rebuilt.lines(0), 9, chain.Changed},
		{"dropped", lines(func(s [][]byte) [][]byte { return slices.Delete(s, 4, 5) }), 4, chain.Dropped},
		{"reordered", lines(func(s [][]byte) [][]byte { s[4], s[5] = s[5], s[4]; return s }), 4, chain.Reordered},
		{"inserted", lines(inserted), 4, chain.Inserted},
		{"duplicated", lines(func(s [][]byte) [][]byte { return slices.Insert(s, 5, s[4]) }), 4, chain.Duplicated},
		{"end cut", lines(func(s [][]byte) [][]byte { return s[:8] }), 8, chain.CutEnd},
		{"half a line", lines(func(s [][]byte) [][]byte { s[9] = s[9][:20]; return s }), 0, chain.CutEnd},
		{"beginning cut", lines(func(s [][]byte) [][]byte { return slices.Delete(s, 1, 3) }), 1, chain.Dropped},
		{"users swapped", lines(func(s [][]byte) [][]byte {
			s[1] = bytes.Replace(s[1], []byte(`"user":"a"`), []byte(`"user":"b"`), 1)
			return s
		}), 1, chain.Changed},
		{"another key", foreign.lines(0), 0, chain.WrongKey},
		{"nothing", nil, 0, chain.Unreadable},
	} {
		_, err := verify(c.lines)
		want(t, c.what, err, c.entry, c.fault)
	}
}

// Who has cut the end has an older signed head too: only one that was kept outside tells.
func TestVerify_FindsCutEndByKeptHead(t *testing.T) {
	l := newLog(9)
	older := newLog(6)
	if _, err := verify(older.lines(0)); err != nil {
		t.Fatal(err)
	}
	_, err := verify(older.lines(0), l.heads[8])
	want(t, "cut", err, 7, chain.CutEnd)
	for _, h := range l.heads {
		if _, err := verify(l.lines(0), h); err != nil {
			t.Errorf("head %d: %v", h.Count, err)
		}
	}
	forged := l.heads[8]
	forged.Count = 3
	_, err = verify(l.lines(0), forged)
	want(t, "a head that was changed", err, 0, chain.Unsigned)
}

// An export may begin at a signed head, if that is meant.
func TestVerify_FindsCutBeginning(t *testing.T) {
	l := newLog(9)
	first := chain.First{Format: chain.FormatLog, Begin: &l.heads[3], Head: l.heads[8]}
	lines := append([][]byte{first.AppendJSON(nil)}, l.lines(0)[5:]...)
	_, err := verify(lines)
	want(t, "cut", err, 1, chain.CutBeginning)
	r, err := chain.Verify(bytes.NewReader(slices.Concat(lines...)), chain.Options{Public: public, Part: true})
	if err != nil || r.Begin != 4 || r.Removed || r.Entries != 5 {
		t.Errorf("%+v, %v", r, err)
	}
	_, err = verify(append(lines[:1:1], l.lines(0)[6:]...))
	if err == nil {
		t.Error("an entry is missing behind the beginning")
	}
}

func TestVerify_NamesFirstFaultOfUser(t *testing.T) {
	l := newLog(12) // a has 4
	lines := func(change func([][]byte) [][]byte) [][]byte { return change(l.userLines("a")) }
	foreign := newLog(12)
	foreign.rows[6].Detail = []byte("{}")
	again := newLog(0)
	for _, r := range foreign.rows {
		again.add(r.Link)
	}
	for _, c := range []struct {
		what  string
		lines [][]byte
		entry int64
		fault chain.Fault
	}{
		{"dropped", lines(func(s [][]byte) [][]byte { return slices.Delete(s, 2, 3) }), 2, chain.Dropped},
		{"first dropped", lines(func(s [][]byte) [][]byte { return slices.Delete(s, 1, 2) }), 1, chain.Dropped},
		{"end cut", lines(func(s [][]byte) [][]byte { return s[:4] }), 4, chain.CutEnd},
		{"all cut", lines(func(s [][]byte) [][]byte { return s[:1] }), 1, chain.CutEnd},
		{"reordered", lines(func(s [][]byte) [][]byte { s[2], s[3] = s[3], s[2]; return s }), 2, chain.Reordered},
		{"duplicated", lines(func(s [][]byte) [][]byte { return slices.Insert(s, 3, s[2]) }), 2, chain.Duplicated},
		{"of another user", lines(func(s [][]byte) [][]byte { s[2] = l.userLines("b")[2]; return s }), 2, chain.Foreign},
		{"of another log", lines(func(s [][]byte) [][]byte { s[3] = again.userLines("a")[3]; return s }), 3, chain.Foreign},
		{"another user's head", lines(func(s [][]byte) [][]byte { s[0] = l.userLines("b")[0]; return s }), 1, chain.Foreign},
	} {
		_, err := verify(c.lines)
		want(t, c.what, err, c.entry, c.fault)
	}
	newer := l.userLines("a")
	older := newLog(6).userLines("a")
	var kept chain.Signed
	if err := kept.UnmarshalJSON(newer[0][bytes.Index(newer[0], []byte(`"head":{"head"`))+7 : len(newer[0])-2]); err != nil {
		t.Fatal(err)
	}
	if r, err := verify(newer, kept); err != nil || r.Heads != 2 {
		t.Errorf("its own head: %+v, %v", r, err)
	}
	_, err := verify(older, kept)
	want(t, "an older export", err, 3, chain.CutEnd)
}

// No byte of an export can be changed, left out or added.
func TestVerify_FindsAnyChangedByte(t *testing.T) {
	l := newLog(10)
	l.add(chain.Link{ID: "odd", At: start, UserID: "a", Kind: "\u00e5\"\\\n", Detail: []byte{0xff, 0}})
	files := map[string][]byte{"log": slices.Concat(l.lines(0)...), "rest": slices.Concat(l.lines(5)...), "user": slices.Concat(l.userLines("a")...)}
	for name, file := range files {
		if _, err := verify([][]byte{file}); err != nil {
			t.Fatal(name, err)
		}
		rapid.Check(t, func(t *rapid.T) {
			at := rapid.IntRange(0, len(file)-1).Draw(t, "at")
			b := rapid.Byte().Draw(t, "byte")
			bad := slices.Clone(file)
			switch rapid.IntRange(0, 2).Draw(t, "how") {
			case 0:
				bad[at] = b
			case 1:
				bad = slices.Delete(bad, at, at+1)
			case 2:
				bad = slices.Insert(bad, at, b)
			}
			if bytes.Equal(bad, file) {
				return
			}
			if _, err := verify([][]byte{bad}); err == nil {
				t.Fatalf("%s: byte %d (%q): not found", name, at, file[max(0, at-10):min(len(file), at+10)])
			}
		})
	}
}

// What is drawn is done to the lines of an export; none of it passes.
func TestVerify_FindsAnyMovedLine(t *testing.T) {
	l := newLog(12)
	for name, lines := range map[string][][]byte{"log": l.lines(0), "rest": l.lines(4), "user": l.userLines("b")} {
		rapid.Check(t, func(t *rapid.T) {
			bad := slices.Clone(lines)
			i, j := rapid.IntRange(0, len(bad)-1).Draw(t, "i"), rapid.IntRange(0, len(bad)-1).Draw(t, "j")
			switch rapid.IntRange(0, 4).Draw(t, "how") {
			case 0:
				bad = slices.Delete(bad, i, i+1)
			case 1:
				bad[i], bad[j] = bad[j], bad[i]
			case 2:
				bad = slices.Insert(bad, i, bad[j])
			case 3:
				bad = bad[:i]
			case 4:
				bad[i] = bad[j]
			}
			if slices.EqualFunc(bad, lines, bytes.Equal) {
				return
			}
			if _, err := verify(bad); err == nil {
				t.Fatalf("%s: not found", name)
			}
		})
	}
}

// A verifier reads hostile files: it ends with a finding, never with a panic.
func FuzzVerify(f *testing.F) {
	l := newLog(5)
	f.Add(slices.Concat(l.lines(0)...))
	f.Add(slices.Concat(l.lines(2)...))
	f.Add(slices.Concat(l.userLines("a")...))
	f.Add([]byte(strings.Repeat("{", 1000) + "\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		if _, err := verify([][]byte{file}); err != nil {
			var found *chain.Finding
			if !errors.As(err, &found) {
				t.Error(err)
			}
		}
	})
}
