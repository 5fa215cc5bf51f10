// Package journal owns the files in which the sandbox keeps its state over
// restarts: one JSON object a line, and the newest line about a thing is its
// state. It hands the lines on to the banks and to BankID, who know what they
// mean.
package journal

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
)

// File appends entries of one type to a file. Each line is handed to the
// operating system before Write returns, so that a killed process loses nothing
// it has answered for; a machine that loses power may lose the last seconds. A
// nil File writes nothing. It is not safe for concurrent use: its owner's lock
// also gives the lines their order.
type File[E any] struct {
	file *os.File
	err  error // the first failure; later lines are not written
}

// Open gives take what the file at path holds, then replaces the file by the
// entries of state, so that it does not grow over restarts, and goes on
// appending there. A file that is missing is an empty one. The file has mode
// 0600; a start that dies here leaves either the old file or the new one.
// Errors: those of Read, and of the file system.
func Open[E any](path string, take func(E), state iter.Seq[E]) (*File[E], error) {
	old, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, fmt.Errorf("journal: %w", err)
	default:
		err = Read(old, take)
		_ = old.Close()
		if err != nil {
			return nil, err
		}
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".journal-*") // mode 0600
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	err = errors.Join(Snapshot(temp, state), temp.Sync(), os.Rename(temp.Name(), path))
	if err != nil {
		_ = temp.Close()
		_ = os.Remove(temp.Name())
		return nil, fmt.Errorf("journal: %w", err)
	}
	return &File[E]{file: temp}, nil
}

// Write appends e. Once a line could not be written whole, this and every later
// Write is that failure.
func (f *File[E]) Write(e E) error {
	if f == nil {
		return nil
	}
	if f.err == nil {
		line, err := json.Marshal(e)
		if err == nil {
			_, err = f.file.Write(append(line, '\n'))
		}
		f.err = err
	}
	if f.err != nil {
		return fmt.Errorf("journal: %w", f.err)
	}
	return nil
}

// Close closes the file and tells the first failure. A later Write fails.
func (f *File[E]) Close() error {
	if f == nil {
		return nil
	}
	if err := errors.Join(f.err, f.file.Sync(), f.file.Close()); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return nil
}

// Snapshot writes entries as a file holds them.
func Snapshot[E any](w io.Writer, state iter.Seq[E]) error {
	out := bufio.NewWriter(w)
	enc := json.NewEncoder(out)
	for e := range state {
		if err := enc.Encode(e); err != nil {
			return fmt.Errorf("journal: snapshot: %w", err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("journal: snapshot: %w", err)
	}
	return nil
}

// Read gives take the entries of r, in order. A last line without an end was cut
// off by a kill, so it was never acknowledged: it is passed over. Any other line
// that is no E is an error, after which what came before has been taken. No
// error repeats what a line holds.
func Read[E any](r io.Reader, take func(E)) error {
	in := bufio.NewReader(r)
	for n := 1; ; n++ {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("journal: %w", err)
		}
		var e E
		if json.Unmarshal(line, &e) != nil {
			return fmt.Errorf("journal: line %d cannot be read", n)
		}
		take(e)
	}
}
