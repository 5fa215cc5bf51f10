package process

import "syscall"

// endsWithUs makes a child end with the test that started it, however that ends.
func endsWithUs() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
