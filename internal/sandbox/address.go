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

// Beside the certificates and the banks' journals, Config.Dir holds these.
const (
	ordersFile = "bankid.jsonl" // BankID's orders
	portFile   = "port"         // the port of the last start, and a line end
)

// listen opens Config.Listen. Where that asks for any port, it is the port of
// the last start if it is free: the links that a bank gave carry it, and whoever
// follows them has not heard of the restart.
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
		s.config.Logger.Warn("sandbox: the port of the last start is taken; links that the banks gave lead nowhere now", "port", last)
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

// lastPort is 0 where there was none, or where the file does not hold one whole:
// the start that wrote it was killed.
func lastPort(path string) (int, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	text, whole := strings.CutSuffix(string(data), "\n")
	port, err := strconv.ParseUint(text, 10, 16)
	if !whole || err != nil {
		return 0, nil
	}
	return int(port), nil
}
