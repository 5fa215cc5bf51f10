package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Files in Config.Dir, in addition to the certificates and the banks' journals.
const (
	ordersFile = "bankid.jsonl" // journal of BankID's orders
	portFile   = "port"         // the port of the last start and a newline
)

// listen opens Config.Listen. If its port is 0, listen uses the port of the last
// start if that is free, because links that a bank returned before a restart contain
// the port.
func (s *Sandbox) listen(ctx context.Context) (net.Listener, error) {
	var lc net.ListenConfig
	host, port, err := net.SplitHostPort(s.config.Listen)
	anyPort := err == nil && (port == "" || port == "0") && s.config.Dir != ""
	if !anyPort {
		l, err := lc.Listen(ctx, "tcp", s.config.Listen)
		if err != nil {
			return nil, fmt.Errorf("sandbox: listen: %w", err)
		}
		return l, nil
	}
	path := filepath.Join(s.config.Dir, portFile)
	last, err := lastPort(path)
	if err != nil {
		return nil, fmt.Errorf("sandbox: port: %w", err)
	}
	if last != 0 {
		if l, err := lc.Listen(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(last))); err == nil {
			return l, nil
		}
		s.config.Logger.Warn("sandbox: the port of the last start is in use; links that the banks returned before no longer work", "port", last)
	}
	l, err := lc.Listen(ctx, "tcp", s.config.Listen)
	if err != nil {
		return nil, fmt.Errorf("sandbox: listen: %w", err)
	}
	now := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	if err := os.WriteFile(path, []byte(now+"\n"), 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("sandbox: port: %w", err), l.Close())
	}
	return l, nil
}

// lastPort returns the port in the file. It returns 0 if there is no file, or if the
// file is incomplete because the process that wrote it was killed.
func lastPort(path string) (int, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	text, complete := strings.CutSuffix(string(data), "\n")
	port, err := strconv.ParseUint(text, 10, 16)
	if !complete || err != nil {
		return 0, nil
	}
	return int(port), nil
}
