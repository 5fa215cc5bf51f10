package gzipped_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"testing"

	"pgregory.net/rapid"

	"samla/internal/gzipped"
)

func TestCompress_IsReadByOtherGzip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		plain := bytes.Repeat(rapid.SliceOf(rapid.Byte()).Draw(t, "plain"), rapid.IntRange(0, 3000).Draw(t, "times"))
		packed := gzipped.Compress(plain)
		r, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		if got, err := gzipped.Plain(packed); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("plain: %d bytes, %v", len(got), err)
		}
		if n, err := gzipped.Size(packed); err != nil || n != len(plain) {
			t.Errorf("size %d of %d, %v", n, len(plain), err)
		}
	})
}

func TestDecompress_WritesPieces(t *testing.T) {
	packed := gzipped.Compress(make([]byte, 200_000))
	var sizes []int
	if err := gzipped.Decompress(packed, func(p []byte) error { sizes = append(sizes, len(p)); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(sizes) != 4 || sizes[0] != 64<<10 || sizes[3] != 200_000-3*64<<10 {
		t.Errorf("pieces of %v", sizes)
	}
	stop := errors.New("stop")
	if err := gzipped.Decompress(packed, func([]byte) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
}

func TestDecompress_ReportsDamage(t *testing.T) {
	packed := gzipped.Compress(bytes.Repeat([]byte("data"), 1000))
	for i := range packed {
		if i >= 3 && i < 10 { // flags, time and system of the header, which carry no data
			continue
		}
		damaged := bytes.Clone(packed)
		damaged[i] ^= 0xff
		if plain, err := gzipped.Plain(damaged); err == nil {
			t.Errorf("byte %d: %d bytes and no error", i, len(plain))
		}
	}
	for _, short := range [][]byte{nil, packed[:10], packed[:len(packed)-1]} {
		if _, err := gzipped.Plain(short); err == nil {
			t.Errorf("%d bytes: no error", len(short))
		}
	}
}
