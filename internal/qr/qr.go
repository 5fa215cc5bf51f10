// Package qr draws QR codes (ISO/IEC 18004): as a PNG for web pages and as text for a
// terminal. Every status poll of a signing person needs a new one, so that drawing must
// be cheap. The encoder therefore does only what these codes need: bytes, the lowest
// error correction level, because the code is read from a screen, and a fixed mask,
// because the choice of a mask takes longer than all the rest. What depends on the
// version alone is computed once.
package qr

import (
	"encoding/base64"
	"errors"
	"strings"
)

// ErrTooLong is returned for a text that does not fit into a QR code.
var ErrTooLong = errors.New("qr: the text is too long")

// PNG returns a QR code of text as a PNG in base64, without a data-URL prefix. Error:
// ErrTooLong.
func PNG(text string) (string, error) {
	c, err := encode(text)
	if err != nil {
		return "", err
	}
	buf := buffers.Get().(*[]byte)
	picture := appendPNG((*buf)[:0], c)
	n := len(picture)
	*buf = base64.StdEncoding.AppendEncode(picture, picture)
	image := string((*buf)[n:])
	buffers.Put(buf)
	return image, nil
}

// Text returns a QR code of text for a terminal: one line for two rows of modules,
// with escape sequences that set dark on light. Error: ErrTooLong.
func Text(text string) (string, error) {
	c, err := encode(text)
	if err != nil {
		return "", err
	}
	return render(c.size, c.dark), nil
}

// render returns a code for a terminal. dark is false outside of the code.
func render(size int, dark func(x, y int) bool) string {
	const quiet = 2
	var b strings.Builder
	for y := -quiet; y < size+quiet; y += 2 {
		b.WriteString("\x1b[30;107m")
		for x := -quiet; x < size+quiet; x++ {
			switch upper, lower := dark(x, y), dark(x, y+1); {
			case upper && lower:
				b.WriteRune('█')
			case upper:
				b.WriteRune('▀')
			case lower:
				b.WriteRune('▄')
			default:
				b.WriteByte(' ')
			}
		}
		b.WriteString("\x1b[0m\n")
	}
	return b.String()
}
