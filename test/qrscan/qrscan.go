// Package qrscan reads QR codes with a decoder that is not ours. It owns the way
// from a picture to its text and hands the text to the tests of who draws a code
// and who shows one.
package qrscan

import (
	"bytes"
	"encoding/base64"
	"image/png"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// Picture reads a QR code from a PNG in base64. The reader is told that the
// picture holds nothing else: its search for the corners in a photograph misses
// one code in a hundred.
func Picture(tb testing.TB, image string) string {
	tb.Helper()
	return read(tb, image, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
}

// Photograph reads a QR code from a PNG in base64 as a camera would: the reader
// has to find the corners, so that the border must be wide enough.
func Photograph(tb testing.TB, image string) string {
	tb.Helper()
	return read(tb, image, nil)
}

func read(tb testing.TB, image string, hints map[gozxing.DecodeHintType]any) string {
	tb.Helper()
	raw, err := base64.StdEncoding.DecodeString(image)
	if err != nil {
		tb.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		tb.Fatal(err)
	}
	bitmap, err := gozxing.NewBinaryBitmapFromImage(picture)
	if err != nil {
		tb.Fatal(err)
	}
	found, err := qrcode.NewQRCodeReader().Decode(bitmap, hints)
	if err != nil {
		tb.Fatalf("the QR code cannot be read: %v", err)
	}
	return found.GetText()
}
