// Package qrscan decodes QR codes in tests with a third-party decoder.
package qrscan

import (
	"bytes"
	"encoding/base64"
	"image/png"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// Decode decodes the QR code in a PNG in base64, which must contain nothing else. Unlike
// DecodePhoto it is reliable: finding a code in a photo fails for one code in a hundred.
func Decode(tb testing.TB, image string) string {
	tb.Helper()
	return decode(tb, image, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
}

// DecodePhoto decodes the QR code in a PNG in base64 as a camera would: it must find the
// corners, so the border must be wide enough.
func DecodePhoto(tb testing.TB, image string) string {
	tb.Helper()
	return decode(tb, image, nil)
}

func decode(tb testing.TB, image string, hints map[gozxing.DecodeHintType]any) string {
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
		tb.Fatalf("the QR code cannot be decoded: %v", err)
	}
	return found.GetText()
}
