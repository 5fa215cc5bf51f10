// Package gzipped compresses answers once, when they are stored, and decompresses them
// in pieces for clients that do not accept gzip.
package gzipped

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"
)

// level compresses JSON to an eighth, like the default level of compress/gzip, in a
// third of its time.
const level = 3

var writers = sync.Pool{New: func() any {
	w, err := gzip.NewWriterLevel(io.Discard, level)
	if err != nil {
		panic(err) // the level is a constant
	}
	return w
}}

// Compress returns plain in gzip (RFC 1952).
func Compress(plain []byte) []byte {
	out := bytes.NewBuffer(make([]byte, 0, len(plain)/6+64))
	w := writers.Get().(*gzip.Writer)
	defer writers.Put(w)
	w.Reset(out)
	_, err := w.Write(plain)
	if err = errors.Join(err, w.Close()); err != nil {
		panic(err) // a buffer takes all
	}
	return out.Bytes()
}

// trailer is the length of the checksum and the size at the end of a gzip text.
const trailer = 8

// Size returns the number of bytes that Decompress writes for a text of less than 4
// GiB, or an error for a text that is not gzip.
func Size(packed []byte) (int, error) {
	if len(packed) < 18 || packed[0] != 0x1f || packed[1] != 0x8b {
		return 0, fmt.Errorf("gzipped: a text of %d bytes is not gzip", len(packed))
	}
	return int(binary.LittleEndian.Uint32(packed[len(packed)-trailer+4:])), nil
}

// state is what one decompression needs.
type state struct {
	in  bytes.Reader
	out gzip.Reader
	buf []byte
}

var states = sync.Pool{New: func() any { return &state{buf: make([]byte, 64<<10)} }}

// Decompress calls write with the pieces of the plain text, in order, each at most 64
// KiB. The piece is valid until write returns. It returns the error of write, or one
// that says that packed is damaged.
func Decompress(packed []byte, write func(piece []byte) error) error {
	s := states.Get().(*state)
	defer func() {
		s.in.Reset(nil)
		states.Put(s)
	}()
	s.in.Reset(packed)
	if err := s.out.Reset(&s.in); err != nil {
		return fmt.Errorf("gzipped: %w", err)
	}
	for {
		n, err := s.fill()
		if n > 0 {
			if err := write(s.buf[:n]); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF): // the checksum is right
			return nil
		case err != nil:
			return fmt.Errorf("gzipped: %w", err)
		}
	}
}

// fill reads until the buffer is full or there is an error.
func (s *state) fill() (n int, err error) {
	for n < len(s.buf) && err == nil {
		var more int
		more, err = s.out.Read(s.buf[n:])
		n += more
	}
	return n, err
}

// Plain returns the whole plain text.
func Plain(packed []byte) ([]byte, error) {
	size, err := Size(packed)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, size)
	err = Decompress(packed, func(piece []byte) error {
		out = append(out, piece...)
		return nil
	})
	return out, err
}
