//go:build unix

package sqlstore

import "syscall"

// freeSpace returns the bytes that are left for files of a directory, or 0 if that is not
// known.
func freeSpace(dir string) uint64 {
	var s syscall.Statfs_t
	if syscall.Statfs(dir, &s) != nil {
		return 0
	}
	return s.Bavail * uint64(s.Bsize)
}
