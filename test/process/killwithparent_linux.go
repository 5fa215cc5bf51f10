package process

import "syscall"

// killWithParent returns attributes that make the kernel kill the child when the test
// process ends for any reason.
func killWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
