// Package qr draws QR codes (ISO/IEC 18004): as a PNG for web pages and as text
// for a terminal. Every status poll of a signing person needs a new one, so
// drawing must be cheap: the mask is fixed, and the image has one bit a pixel.
package qr

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/png"
	"strings"
	"sync"

	goqr "github.com/piglig/go-qr"
)

const (
	scale  = 3 // pixels per module
	border = 4 // modules; the quiet zone of ISO/IEC 18004
)

// encode uses the lowest error correction level, because the code is read from a
// screen, and a fixed mask, because trying all masks takes eight times as long as
// the rest.
func encode(text string) (*goqr.QrCode, error) {
	segments, err := goqr.MakeSegments(text)
	if err != nil {
		return nil, err
	}
	return goqr.EncodeSegments(segments, goqr.Low, goqr.MinVersion, goqr.MaxVersion, fixedMask, true)
}

const fixedMask = 0 // in trials, readers found codes with this mask most often

// encoder reuses its buffers: a new compressor for each picture costs more than
// the picture.
var encoder = png.Encoder{CompressionLevel: png.BestSpeed, BufferPool: &encoderBuffers{}}

// encoderBuffers implements png.EncoderBufferPool.
type encoderBuffers struct{ pool sync.Pool }

func (b *encoderBuffers) Get() *png.EncoderBuffer {
	buffer, _ := b.pool.Get().(*png.EncoderBuffer)
	return buffer
}

func (b *encoderBuffers) Put(buffer *png.EncoderBuffer) { b.pool.Put(buffer) }

// PNG returns a QR code of text as a PNG in base64, without a data-URL prefix. It
// fails if the text is too long for a QR code.
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

// Text returns a QR code of text for a terminal: one line for two rows of modules,
// with escape sequences that set dark on light. It fails if the text is too long.
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
