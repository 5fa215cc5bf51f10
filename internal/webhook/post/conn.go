package post

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"syscall"
	"time"

	"samla/internal/webhook"
)

const (
	maxHeader   = 64 << 10               // of an answer, its 1xx included
	maxRest     = 256 << 10              // of header and body, after which a connection is closed
	restTime    = 250 * time.Millisecond // for the rest of an answer
	maxIdle     = 3 * time.Second        // many receivers close idle connections after 5 s
	maxLife     = time.Minute            // then the name is resolved again
	maxRequests = 1000
)

// conn is a connection to a receiver.
type conn struct {
	net.Conn
	raw      net.Conn // below TLS
	in       *bufio.Reader
	made     time.Time
	used     time.Time
	requests int
	line     []byte // final status line, while the rest is not read
}

func newConn(c, raw net.Conn) *conn {
	return &conn{Conn: c, raw: raw, in: bufio.NewReader(c), made: machine.Now()}
}

// Close closes the connection.
func (c *conn) Close() { _ = c.Conn.Close() }

// errAnswer means that an answer is no HTTP, or too long.
var errAnswer = failed{webhook.InvalidAnswer, errors.New("no valid answer")}

// exchange sends a request and reads the final status line. Of a 429 and a 503 it reads
// the header too.
func (c *conn) exchange(request []byte) (webhook.Outcome, error) {
	c.requests++
	if _, err := c.Write(request); err != nil {
		return webhook.Outcome{}, err
	}
	for read := 0; ; {
		line, err := c.in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			return webhook.Outcome{}, errAnswer
		}
		if err != nil {
			return webhook.Outcome{}, err
		}
		status, ok := parseStatus(line)
		if !ok {
			return webhook.Outcome{}, errAnswer
		}
		if status >= 200 || status == http.StatusSwitchingProtocols {
			c.line = bytes.Clone(line)
			return c.outcome(status), nil
		}
		for read += len(line); ; read += len(line) { // the header of a 1xx
			if line, err = c.in.ReadSlice('\n'); err != nil && !errors.Is(err, bufio.ErrBufferFull) {
				return webhook.Outcome{}, err
			}
			if read > maxHeader {
				return webhook.Outcome{}, errAnswer
			}
			if err == nil && len(bytes.TrimRight(line, "\r\n")) == 0 {
				break
			}
		}
	}
}

// parseStatus reads a status line (RFC 9112 4).
func parseStatus(line []byte) (status int, ok bool) {
	line = bytes.TrimRight(line, "\r\n")
	if len(line) < len("HTTP/1.1 200") || !bytes.HasPrefix(line, []byte("HTTP/1.")) || (line[7] != '0' && line[7] != '1') || line[8] != ' ' ||
		(len(line) > 12 && line[12] != ' ') {
		return 0, false
	}
	for _, d := range line[9:12] {
		if d < '0' || d > '9' {
			return 0, false
		}
		status = status*10 + int(d-'0')
	}
	return status, status >= 100
}

func (c *conn) outcome(status int) webhook.Outcome {
	var header http.Header
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		// What is read here, settle reads again from a copy.
		var seen bytes.Buffer
		limited := bufio.NewReader(io.TeeReader(io.LimitReader(c.in, maxHeader), &seen))
		if h, err := textproto.NewReader(limited).ReadMIMEHeader(); err == nil {
			header = http.Header(h)
		}
		c.in = bufio.NewReader(io.MultiReader(&seen, c.in))
	}
	return webhook.OutcomeOf(status, header, machine.Now())
}

// finish reads the rest of an answer, for a short time, and reports whether the connection can be
// used again.
func (c *conn) finish() bool {
	_ = c.SetDeadline(machine.Now().Add(restTime))
	in := bufio.NewReader(io.LimitReader(io.MultiReader(bytes.NewReader(c.line), c.in), maxRest))
	c.line = nil
	resp, err := http.ReadResponse(in, &http.Request{Method: http.MethodPost})
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	if err != nil || resp.Close || !resp.ProtoAtLeast(1, 1) || resp.StatusCode == http.StatusSwitchingProtocols || in.Buffered() > 0 || c.in.Buffered() > 0 {
		return false
	}
	c.in = bufio.NewReader(c.Conn)
	return c.SetDeadline(time.Time{}) == nil
}

// settle reads the rest of an answer and keeps the connection, or closes it.
func (r *Receiver) settle(c *conn) {
	if !c.finish() || c.requests >= maxRequests || machine.Now().Sub(c.made) > maxLife {
		c.Close()
		return
	}
	c.used = machine.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		c.Close()
		return
	}
	r.idle = append(r.idle, c)
}

// take returns an idle connection that the receiver has not closed, or nil.
func (r *Receiver) take() *conn {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.idle) > 0 {
		c := r.idle[len(r.idle)-1]
		r.idle = r.idle[:len(r.idle)-1]
		if machine.Now().Sub(c.used) < maxIdle && machine.Now().Sub(c.made) < maxLife && c.silent() {
			return c
		}
		c.Close()
	}
	return nil
}

// silent reports whether an idle connection is open and has nothing to read.
func (c *conn) silent() bool {
	s, ok := c.raw.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return false
	}
	var one [1]byte
	open := false
	err = raw.Read(func(fd uintptr) bool {
		_, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		open = errors.Is(err, syscall.EAGAIN)
		return true
	})
	return err == nil && open
}
