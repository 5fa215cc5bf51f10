//go:build !linux

package process

import "syscall"

// endsWithUs would make a child end with the test that started it; only Linux
// can.
func endsWithUs() *syscall.SysProcAttr { return nil }
