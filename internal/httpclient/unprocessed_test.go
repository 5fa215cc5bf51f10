package httpclient_test

import (
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// Frames of RFC 9113 section 6 that the partner below reads and writes.
const (
	frameHeaders  = 1
	frameReset    = 3
	frameSettings = 4
	frameGoAway   = 7

	flagAck       = 1
	flagEndStream = 1
	flagEndHeader = 4
)

func writeFrame(w io.Writer, kind, flags byte, stream uint32, payload []byte) error {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(payload))<<8|uint32(kind))
	b = binary.BigEndian.AppendUint32(append(b, flags), stream)
	_, err := w.Write(append(b, payload...))
	return err
}

// framePartner is a partner that speaks HTTP/2 frame by frame. It answers the
// first request that it receives with the given frame, each later one with 200.
// It sends the stream of each request on the channel.
func framePartner(t *testing.T, kind byte, payload []byte) (url string, received <-chan uint32) {
	t.Helper()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{certificates().Server}, NextProtos: []string{"h2"},
		Time: func() time.Time { return noon },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	requests := make(chan uint32, 100)
	answers := make(chan struct{}, 1)
	answers <- struct{}{} // the first request takes it
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = conn.Close() })
			go serveFrames(conn, requests, answers, kind, payload)
		}
	}()
	return "https://" + listener.Addr().String(), requests
}

func serveFrames(conn net.Conn, requests chan<- uint32, first <-chan struct{}, kind byte, payload []byte) {
	const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	err := writeFrame(conn, frameSettings, 0, 0, nil)
	if _, err := io.ReadFull(conn, make([]byte, len(preface))); err != nil {
		return
	}
	for err == nil {
		var header [9]byte
		if _, err = io.ReadFull(conn, header[:]); err != nil {
			return
		}
		length, stream := binary.BigEndian.Uint32(header[:4])>>8, binary.BigEndian.Uint32(header[5:])
		if _, err = io.CopyN(io.Discard, conn, int64(length)); err != nil {
			return
		}
		switch {
		case header[3] == frameSettings && header[4]&flagAck == 0:
			err = writeFrame(conn, frameSettings, flagAck, 0, nil)
		case header[3] == frameHeaders:
			requests <- stream
			select {
			case <-first:
				if kind == frameGoAway {
					stream = 0 // GOAWAY is about the connection
				}
				err = writeFrame(conn, kind, 0, stream, payload)
			default:
				err = writeFrame(conn, frameHeaders, flagEndStream|flagEndHeader, stream, []byte{0x88}) // :status 200 (RFC 7541 appendix A)
			}
		}
	}
}

// net/http repeats over HTTP/2 what the partner has declared unprocessed, and
// nothing else.
func TestDo_RepeatsOnlyWhatThePartnerDeclaredUnprocessed(t *testing.T) {
	const noError, protocolError, internalError, refusedStream, cancel, enhanceYourCalm = 0, 1, 2, 7, 8, 11
	code := func(n byte) []byte { return []byte{0, 0, 0, n} }
	for name, c := range map[string]struct {
		kind    byte
		payload []byte
		want    int
	}{
		"REFUSED_STREAM":            {frameReset, code(refusedStream), 2},
		"PROTOCOL_ERROR":            {frameReset, code(protocolError), 2},
		"INTERNAL_ERROR":            {frameReset, code(internalError), 1},
		"CANCEL":                    {frameReset, code(cancel), 1},
		"ENHANCE_YOUR_CALM":         {frameReset, code(enhanceYourCalm), 1},
		"NO_ERROR":                  {frameReset, code(noError), 1},
		"GOAWAY before the request": {frameGoAway, append(code(0), code(noError)...), 2},
	} {
		url, received := framePartner(t, c.kind, c.payload)
		settings := config(url)
		settings.Certificate = nil
		resp, err := do(t, client(t, settings), http.MethodGet)
		if n := len(received); n != c.want || (err == nil) != (c.want == 2) {
			t.Errorf("%s: %d requests, want %d; got %+v, %v", name, n, c.want, resp, err)
		}
	}
}
