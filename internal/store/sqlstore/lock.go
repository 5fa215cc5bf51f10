package sqlstore

import (
	"errors"
	"fmt"
	"os"

	"samla/internal/durable"
)

// ErrInUse means that another server has the data directory.
var ErrInUse = errors.New("another server uses this data directory")

// lockFile takes an exclusive lock on a file. If the file is locked, lockFile waits
// if wait is set, else it returns ErrInUse.
func lockFile(path string, wait bool) (*os.File, error) {
	f, err := durable.Lock(path, wait)
	switch {
	case errors.Is(err, durable.ErrLocked):
		return nil, ErrInUse
	case err != nil:
		return nil, fmt.Errorf("the data directory: %w", err)
	}
	return f, nil
}
