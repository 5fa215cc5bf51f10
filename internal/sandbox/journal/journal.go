// Package journal stores the state of the sandbox in files, so that it survives
// restarts. A file has one JSON object per line; for each object that is stored, the
// last line is its current state. The banks and BankID define the types of the lines.
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

// File appends entries of one type to a file. Write returns after the write system
// call, without fsync: nothing written is lost when the process is killed, but the
// last seconds may be lost in a power failure. A nil File writes nothing. A File is
// not safe for concurrent use; the lock of its owner also keeps the lines in order.
type File[E any] struct {
	file *os.File
	err  error // the first failure; later lines are not written
}

// Open calls apply for each entry of the file at path, then replaces the file by the
// entries of state, so that it does not grow over restarts, and opens it for
// appending. A missing file counts as empty. The file has mode 0600. It is replaced
// atomically. Errors are those of Read and of the file system.
func Open[E any](path string, apply func(E), state iter.Seq[E]) (*File[E], error) {
	old, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, fmt.Errorf("journal: %w", err)
	default:
		err = Read(old, apply)
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

// Write appends e. After a failure, this and every later Write returns that error and
// writes nothing, so that no line follows an incomplete one.
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

// Close closes the file. It returns the first error of any Write, if there was one.
// A later Write fails.
func (f *File[E]) Close() error {
	if f == nil {
		return nil
	}
	if err := errors.Join(f.err, f.file.Sync(), f.file.Close()); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return nil
}

// Snapshot writes entries to w in the form of the file.
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

// Read calls apply for each entry of r, in order. It ignores a last line without a
// newline: the process was killed while writing it, so the write was never
// acknowledged. It stops with an error at any other line that cannot be parsed as an
// E. Errors never contain the content of a line.
func Read[E any](r io.Reader, apply func(E)) error {
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
			return fmt.Errorf("journal: line %d cannot be parsed", n)
		}
		apply(e)
	}
}
