package journal

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"samla/internal/clock"
	"samla/internal/durable"
)

// day is how the day of a file is written in its name; a file has the records of one
// process and one day.
const day = "20060102"

// Journal appends to files in a directory. Several processes may share the directory:
// each writes files of its own. It is safe for concurrent use, and concurrent callers
// share one write to disk.
type Journal struct {
	dir string
	clk clock.Clock

	mu      sync.Mutex
	next    *group // what the next write takes; nil = nobody waits
	writing sync.Mutex
	file    *os.File
	day     string
}

// group is the records that are written together.
type group struct {
	lines bytes.Buffer
	done  chan struct{}
	err   error
}

var _ Recorder = (*Journal)(nil)

// Open returns the journal in a directory, which it creates. Errors: durable.ErrMode, or
// the file system's.
func Open(dir string, clk clock.Clock) (*Journal, error) {
	if err := durable.Private(dir); err != nil {
		return nil, fmt.Errorf("the journal: %w", err)
	}
	return &Journal{dir: dir, clk: clk}, nil
}

// Record implements Recorder.
func (j *Journal) Record(_ context.Context, records ...Record) error {
	if len(records) == 0 {
		return nil
	}
	now := j.clk.Now()
	var lines []byte
	for _, r := range records {
		r.At = now
		text, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("journal: encode a record: %w", err)
		}
		lines = fmt.Appendf(lines, "%08x %s\n", crc32.ChecksumIEEE(text), text)
	}
	j.mu.Lock()
	g, first := j.next, false
	if g == nil {
		g, first = &group{done: make(chan struct{})}, true
		j.next = g
	}
	g.lines.Write(lines)
	j.mu.Unlock()
	if !first {
		<-g.done
		return g.err
	}
	j.writing.Lock() // callers that come meanwhile join the group
	defer j.writing.Unlock()
	j.mu.Lock()
	j.next = nil
	j.mu.Unlock()
	g.err = j.write(now, g.lines.Bytes())
	close(g.done)
	return g.err
}

// write appends lines and waits until they are on disk. After an error a part of them may
// be there: the next records go into another file.
func (j *Journal) write(now time.Time, lines []byte) error {
	if today := now.UTC().Format(day); j.file == nil || j.day != today {
		if err := j.open(today); err != nil {
			return fmt.Errorf("journal: %w", err)
		}
	}
	_, err := j.file.Write(lines)
	if err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		err = fmt.Errorf("journal: %w", errors.Join(err, j.file.Close()))
		j.file = nil
	}
	return err
}

func (j *Journal) open(today string) error {
	if j.file != nil {
		_ = j.file.Close() // everything in it is on disk
		j.file = nil
	}
	id := make([]byte, 8)
	_, _ = rand.Read(id) // never fails
	f, err := os.OpenFile(filepath.Join(j.dir, today+"-"+hex.EncodeToString(id)+".log"), os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	if err := durable.SyncDir(j.dir); err != nil {
		return errors.Join(err, f.Close())
	}
	j.file, j.day = f, today
	return nil
}

// Close closes the file. No record may be written after it.
func (j *Journal) Close() error {
	j.writing.Lock()
	defer j.writing.Unlock()
	if j.file == nil {
		return nil
	}
	return j.file.Close()
}

// Prune deletes the files of days before a time.
func (j *Journal) Prune(before time.Time) error {
	files, err := filesOf(j.dir)
	if err != nil {
		return err
	}
	for _, f := range files {
		if name, _, _ := strings.Cut(filepath.Base(f), "-"); name < before.UTC().Format(day) {
			if err := os.Remove(f); err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

func filesOf(dir string) ([]string, error) { return filepath.Glob(filepath.Join(dir, "*-*.log")) }

// Read returns the records of all processes from a time on, oldest first. The last line
// of a file may be incomplete, when its process died while it wrote: what it was about
// was never acknowledged. Other damage is an error.
func Read(dir string, since time.Time) ([]Record, error) {
	files, err := filesOf(dir)
	if err != nil {
		return nil, err
	}
	var all []Record
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return nil, fmt.Errorf("journal: %w", err)
		}
		records, err := parse(b)
		if err != nil {
			return nil, fmt.Errorf("journal: %s: %w", f, err)
		}
		for _, r := range records {
			if !r.At.Before(since) {
				all = append(all, r)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Record) int { return a.At.Compare(b.At) })
	return all, nil
}

// parse reads the content of a file.
func parse(b []byte) ([]Record, error) {
	var all []Record
	for n := 1; len(b) > 0; n++ {
		line, rest, whole := bytes.Cut(b, []byte{'\n'})
		r, ok := parseLine(line)
		switch {
		case ok && whole:
			all = append(all, r)
		case whole:
			return nil, fmt.Errorf("line %d is damaged", n)
		}
		b = rest
	}
	return all, nil
}

func parseLine(line []byte) (r Record, ok bool) {
	sum, text, found := bytes.Cut(line, []byte{' '})
	if !found || string(sum) != fmt.Sprintf("%08x", crc32.ChecksumIEEE(text)) || json.Unmarshal(text, &r) != nil {
		return Record{}, false
	}
	return r, r.Kind != "" && r.ID != ""
}
