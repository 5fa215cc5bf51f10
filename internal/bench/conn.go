package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"
)

// conn is a minimal HTTP/1.1 client on one persistent connection. It does little work,
// so that a measurement is mostly that of the server.
type conn struct {
	net.Conn
	in         *bufio.Reader // nil between the requests of dialSmall's
	small      bool
	body       []byte
	retryAfter time.Duration // of the last response; 0 = none
}

func dial(ctx context.Context, address string) (*conn, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c, in: bufio.NewReaderSize(c, 64<<10)}, nil
}

// dialSmall opens one of many connections, which holds no buffers between a release and
// the next request.
func dialSmall(ctx context.Context, address string) (*conn, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c, small: true}, nil
}

// Buffers of connections that are small.
var (
	readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 4<<10) }}
	bodies  = sync.Pool{New: func() any { return new([]byte) }}
)

// release gives the buffers of the last response to other connections. It has been read
// to its end, so nothing is left in them.
func (c *conn) release() {
	body := c.body
	bodies.Put(&body)
	c.body = nil
	if c.small && c.in != nil {
		readers.Put(c.in)
		c.in = nil
	}
}

// request returns the bytes of a request, which can be sent many times.
func request(method, path, host string, headers map[string]string, body string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", method, path, host)
	for name, value := range headers {
		fmt.Fprintf(&b, "%s: %s\r\n", name, value)
	}
	if body != "" {
		fmt.Fprintf(&b, "Content-Type: application/json\r\nContent-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n" + body)
	return b.Bytes()
}

var (
	contentLength = []byte("Content-Length:")
	retryAfter    = []byte("Retry-After:")
)

// do sends a request and reads the response, which must have a Content-Length. The body
// is valid until the next call.
func (c *conn) do(request []byte) (status int, body []byte, err error) {
	if _, err := c.Write(request); err != nil {
		return 0, nil, err
	}
	if c.in == nil {
		c.in = readers.Get().(*bufio.Reader)
		c.in.Reset(c.Conn)
	}
	line, err := c.in.ReadSlice('\n')
	if err != nil || len(line) < 12 {
		return 0, nil, errors.Join(err, errors.New("no status line"))
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, nil, err
	}
	length := -1
	c.retryAfter = 0
	for {
		if line, err = c.in.ReadSlice('\n'); err != nil {
			return 0, nil, err
		}
		if len(line) <= 2 {
			break
		}
		if bytes.HasPrefix(line, contentLength) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(line[len(contentLength):]))); err != nil {
				return 0, nil, err
			}
		}
		if bytes.HasPrefix(line, retryAfter) {
			seconds, err := strconv.Atoi(string(bytes.TrimSpace(line[len(retryAfter):])))
			if err != nil {
				return 0, nil, err
			}
			c.retryAfter = time.Duration(seconds) * time.Second
		}
	}
	if length < 0 {
		return status, nil, errors.New("a response without Content-Length")
	}
	if c.body == nil {
		c.body = *bodies.Get().(*[]byte)
	}
	if cap(c.body) < length {
		c.body = make([]byte, length)
	}
	c.body = c.body[:length]
	_, err = io.ReadFull(c.in, c.body)
	return status, c.body, err
}

// checkStatus returns an error if the status is not the expected one.
func checkStatus(want, got int, body []byte) error {
	if got != want {
		return fmt.Errorf("HTTP %d instead of %d: %.200s", got, want, body)
	}
	return nil
}
