package sqlstore

import (
	"bytes"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

// lossyProxy stands between a store and a PostgreSQL server. Each mark loses one
// connection: the one whose client sends the mark is closed when the server has
// answered, which is after its commit, and the answer is not handed on.
type lossyProxy struct {
	server string // path of the server's socket
	lost   chan struct{}

	mu    sync.Mutex
	marks [][]byte // that were not seen yet
}

// find reports whether a part of what a client sends has a mark, and drops the mark.
func (p *lossyProxy) find(part []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, mark := range p.marks {
		if bytes.Contains(part, mark) {
			p.marks = slices.Delete(p.marks, i, i+1)
			return true
		}
	}
	return false
}

// startLossyProxy returns a proxy and the URL of the database behind it.
func startLossyProxy(t *testing.T, database string, marks ...string) (*lossyProxy, string) {
	t.Helper()
	at, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	query := at.Query()
	const socket = ".s.PGSQL.5432"
	p := &lossyProxy{server: filepath.Join(query.Get("host"), socket), lost: make(chan struct{}, len(marks))}
	for _, mark := range marks {
		p.marks = append(p.marks, []byte(mark))
	}
	dir := t.TempDir()
	listener, err := net.Listen("unix", filepath.Join(dir, socket))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go p.serve(client)
		}
	}()
	query.Set("host", dir)
	at.RawQuery = query.Encode()
	return p, at.String()
}

func (p *lossyProxy) serve(client net.Conn) {
	defer func() { _ = client.Close() }()
	server, err := net.Dial("unix", p.server)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	marked := make(chan struct{})
	go func() { // from the client to the server
		defer func() { _ = server.Close() }()
		_ = pump(client, server, func(part []byte) bool {
			if p.find(part) {
				close(marked)
			}
			return true
		})
	}()
	_ = pump(server, client, func(part []byte) bool {
		select {
		case <-marked:
		default:
			return true
		}
		// ReadyForQuery ends an answer: what was asked for is committed.
		if len(part) >= 6 && bytes.Equal(part[len(part)-6:len(part)-1], []byte{'Z', 0, 0, 0, 5}) {
			p.lost <- struct{}{}
			_ = client.Close()
		}
		return false
	})
}

// pump hands bytes on as long as hand says so.
func pump(from, to net.Conn, hand func(part []byte) bool) error {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return err
		}
		if !hand(buffer[:n]) {
			continue
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return err
		}
	}
}
