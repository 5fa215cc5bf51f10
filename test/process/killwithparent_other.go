//go:build !linux

package process

import "syscall"

// killWithParent returns nil, because only Linux can kill a child with its parent.
func killWithParent() *syscall.SysProcAttr { return nil }
