package qr

import (
	"encoding/base64"
	"errors"
	"image"
	"image/color"
	"image/png"
	"strings"
)

// ErrNoPicture is returned for a text that is not the picture of a QR code.
var ErrNoPicture = errors.New("qr: not a picture of a QR code")

// TextOfPNG returns for a terminal, as Text does, the QR code that is on a PNG in base64.
// The picture must be as encoders draw it: dark on light, straight, all modules of one
// size. Error: ErrNoPicture.
func TextOfPNG(picture string) (string, error) {
	in := base64.NewDecoder(base64.StdEncoding, strings.NewReader(picture))
	head, err := png.DecodeConfig(in)
	if err != nil || head.Width > maxPicture || head.Height > maxPicture {
		return "", ErrNoPicture
	}
	drawn, err := png.Decode(base64.NewDecoder(base64.StdEncoding, strings.NewReader(picture)))
	if err != nil {
		return "", ErrNoPicture
	}
	dark := func(x, y int) bool {
		return color.GrayModel.Convert(drawn.At(x, y)).(color.Gray).Y < 128
	}
	area := darkArea(drawn.Bounds(), dark)
	// The finder pattern in the corner begins with a line of seven dark modules.
	run := 0
	for run < area.Dx() && dark(area.Min.X+run, area.Min.Y) {
		run++
	}
	module := run / 7
	if module == 0 || area.Dx() != area.Dy() || area.Dx()%module != 0 || area.Dx()/module < 21 {
		return "", ErrNoPicture
	}
	size := area.Dx() / module
	return render(size, func(x, y int) bool {
		return x >= 0 && y >= 0 && x < size && y < size && dark(area.Min.X+x*module+module/2, area.Min.Y+y*module+module/2)
	}), nil
}

// maxPicture is the largest width and height of a picture that is read, in pixels.
const maxPicture = 2000

// darkArea returns the smallest area with all dark pixels.
func darkArea(bounds image.Rectangle, dark func(x, y int) bool) image.Rectangle {
	var area image.Rectangle
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			if dark(x, y) {
				area = area.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return area
}
