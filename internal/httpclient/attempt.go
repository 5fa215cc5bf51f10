package httpclient

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// errNotRepeated is the cause of the error when net/http was kept from sending a
// request again.
var errNotRepeated = errors.New("httpclient: the connection was closed after the request was sent")

// attempt follows one request through net/http. It records whether the partner
// can have received the request, and keeps net/http from repeating it then.
type attempt struct {
	cancel    context.CancelCauseFunc
	now       func() time.Time
	connected atomic.Bool // there was a connection for the request
	written   atomic.Bool // the request's header was written to it
	writtenAt atomic.Pointer[time.Time]
}

// took returns how long ago the request was written, or 0 if it was not. What the
// request waited for before, such as a connection, says nothing about the partner.
func (a *attempt) took() time.Duration {
	at := a.writtenAt.Load()
	if at == nil {
		return 0
	}
	return a.now().Sub(*at)
}

// trace returns the hooks that net/http calls for the request.
func (a *attempt) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) { a.gotConn(info) },
		WroteHeaders: func() {
			at := a.now()
			a.writtenAt.Store(&at)
			a.written.Store(true)
		},
	}
}

// gotConn is called before the request is written to a connection. A second call
// means that net/http repeats the request on another connection. Over HTTP/1.1
// it does that for a GET whenever a kept connection is closed without a
// response, although the partner may have received and counted the request. The
// new connection is closed here, so that nothing can be written to it. Over
// HTTP/2 only what the partner has declared unprocessed is repeated.
func (a *attempt) gotConn(info httptrace.GotConnInfo) {
	a.connected.Store(true)
	if a.written.Load() && !overHTTP2(info) {
		_ = info.Conn.Close()
		a.cancel(errNotRepeated) // ends the loop of net/http
	}
}

func overHTTP2(info httptrace.GotConnInfo) bool {
	conn, ok := info.Conn.(*tls.Conn)
	return ok && conn.ConnectionState().NegotiatedProtocol == "h2"
}
