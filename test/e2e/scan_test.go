package e2e

import (
	"bytes"
	"encoding/base64"
	"image/png"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// scan reads a QR code. The reader is told that the picture holds nothing else:
// its search for the corners in a photograph misses one code in a hundred.
func scan(t *testing.T, image string) string {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(image)
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	bitmap, err := gozxing.NewBinaryBitmapFromImage(picture)
	if err != nil {
		t.Fatal(err)
	}
	read, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
	if err != nil {
		t.Fatalf("the QR code cannot be read: %v", err)
	}
	return read.GetText()
}

// autoStartToken takes the token out of the link that a static QR code holds.
func autoStartToken(t *testing.T, link string) string {
	t.Helper()
	_, token, found := strings.Cut(link, "autostarttoken=")
	if !found {
		t.Fatal("the QR code holds no autostart token")
	}
	return token
}
