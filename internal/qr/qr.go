// Package qr draws QR codes: as a PNG for web pages, as text for a terminal.
// Status polls ask for a new one every second, so drawing is cheap: the mask is
// fixed, which readers do not mind, and the picture has one bit a pixel.
package qr

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/png"
	"strings"

	goqr "github.com/piglig/go-qr"
)

const (
	scale  = 3 // pixels a module
	border = 4 // modules of white around, ISO/IEC 18004
)

// encode uses the lowest error correction, because the code is read from a
// screen, and a fixed mask, because choosing one costs eight times the rest.
func encode(text string) (*goqr.QrCode, error) {
	segments, err := goqr.MakeSegments(text)
	if err != nil {
		return nil, err
	}
	return goqr.EncodeSegments(segments, goqr.Low, goqr.MinVersion, goqr.MaxVersion, fixedMask, true)
}

const fixedMask = 0 // of all the most easily found by a reader, by trial

var encoder = png.Encoder{CompressionLevel: png.BestSpeed}

// PNG draws text as a base64 PNG without a data-URL prefix. An error means that
// the text is too long for a QR code.
func PNG(text string) (string, error) {
	code, err := encode(text)
	if err != nil {
		return "", err
	}
	side := (code.Size() + 2*border) * scale
	img := image.NewPaletted(image.Rect(0, 0, side, side), color.Palette{color.White, color.Black})
	for y := range code.Size() {
		row := img.Pix[(y+border)*scale*side:]
		for x := range code.Size() {
			if code.Module(x, y) {
				for i := range scale {
					row[(x+border)*scale+i] = 1
				}
			}
		}
		for i := 1; i < scale; i++ {
			copy(row[i*side:(i+1)*side], row[:side])
		}
	}
	var out bytes.Buffer
	if err := encoder.Encode(&out, img); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(out.Bytes()), nil
}

// Text draws text for a terminal, two modules in the height of a line, dark on
// light whatever the terminal's colours are.
func Text(text string) (string, error) {
	code, err := encode(text)
	if err != nil {
		return "", err
	}
	const quiet = 2
	dark := func(x, y int) bool {
		return x >= 0 && y >= 0 && x < code.Size() && y < code.Size() && code.Module(x, y)
	}
	var b strings.Builder
	for y := -quiet; y < code.Size()+quiet; y += 2 {
		b.WriteString("\x1b[30;107m")
		for x := -quiet; x < code.Size()+quiet; x++ {
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
	return b.String(), nil
}
