package sqlstore

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// ErrInUse means that another server has the data directory.
var ErrInUse = errors.New("another server uses this data directory")

// lockFile takes an exclusive lock on a file, which it creates if needed. The system
// releases the lock when the process ends, however it ends. If the file is locked,
// lockFile waits if wait is set, else it returns ErrInUse.
func lockFile(path string, wait bool) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the data directory: %w", err)
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
		err = ErrInUse
	default:
		err = fmt.Errorf("lock %s: %w", path, err)
	}
	return nil, errors.Join(err, f.Close())
}
