// Package durable writes small files so that a crash leaves the old content or the
// new one, and locks files between processes.
package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// ErrLocked means that another process, or another part of this one, has the lock.
var ErrLocked = errors.New("durable: the file is locked")

// ErrMode is returned for a file or a directory that others than its owner can use.
var ErrMode = errors.New("must be accessible to its owner only (mode 0600, a directory 0700)")

// Lock takes an exclusive lock on a file, which it creates if needed. The system
// releases the lock when the file is closed or the process ends, however it ends. If
// the file is locked, Lock waits if wait is set, else it returns ErrLocked.
func Lock(path string, wait bool) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	how := syscall.LOCK_EX
	if !wait {
		how |= syscall.LOCK_NB
	}
	for err = syscall.EINTR; errors.Is(err, syscall.EINTR); {
		err = syscall.Flock(int(f.Fd()), how)
	}
	switch {
	case err == nil:
		return f, nil
	case errors.Is(err, syscall.EWOULDBLOCK):
		err = ErrLocked
	default:
		err = fmt.Errorf("lock %s: %w", path, err)
	}
	return nil, errors.Join(err, f.Close())
}

// Create writes a file of mode 0600 that must not exist. When it returns nil, the
// content and the name are on disk; after a crash there is the whole file or none.
// Error: fs.ErrExist when there is such a file.
func Create(path string, content []byte) error {
	return write(path, content, func(from string) error { return os.Link(from, path) })
}

// Replace writes a file of mode 0600 in place of the one that has its name, if any.
// After a crash there is the old file or the new one.
func Replace(path string, content []byte) error {
	return write(path, content, func(from string) error { return os.Rename(from, path) })
}

func write(path string, content []byte, publish func(from string) error) (err error) {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".tmp-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if gone := os.Remove(f.Name()); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
	}()
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := publish(f.Name()); err != nil {
		return err
	}
	return SyncDir(dir)
}

// Erase overwrites a file with zeros and deletes it. Copies that the file system or
// its snapshots keep are not reached. It is no error if there is no such file.
func Erase(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil {
		_, err = f.Write(make([]byte, info.Size()))
	}
	if err = errors.Join(err, f.Sync(), f.Close(), os.Remove(path)); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(path))
}

// SyncDir makes the names in a directory durable.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Private makes a directory of mode 0700, if there is none, and returns ErrMode for
// one that others than its owner can use.
func Private(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	info, err := os.Stat(dir)
	if err == nil && info.Mode().Perm()&0o077 != 0 {
		err = fmt.Errorf("%s %w", dir, ErrMode)
	}
	return err
}

// Read reads a regular file that only its owner can use. Errors: ErrMode, or the
// file system's.
func Read(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	switch {
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a regular file", path)
	case info.Mode().Perm()&0o077 != 0:
		return nil, fmt.Errorf("%s %w", path, ErrMode)
	case info.Size() > limit:
		return nil, fmt.Errorf("%s is too large", path)
	}
	return os.ReadFile(path)
}
