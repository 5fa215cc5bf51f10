package qr

import (
	"bytes"
	"encoding/base64"
	"errors"
	"image"
	"image/color"
	"image/png"
	"strings"
	"testing"
)

func TestTextOfPNG_DrawsWhatTextDraws(t *testing.T) {
	for _, text := range []string{"a", animated, strings.Repeat("bankid ", 30)} {
		want, err := Text(text)
		if err != nil {
			t.Fatal(err)
		}
		picture, err := PNG(text)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := TextOfPNG(picture); err != nil || got != want {
			t.Errorf("%q: %v\n%s\nwant\n%s", text, err, got, want)
		}
	}
}

func TestTextOfPNG_RefusesOtherPictures(t *testing.T) {
	encoded := func(width, height int, dark ...image.Rectangle) string {
		m := image.NewGray(image.Rect(0, 0, width, height))
		for i := range m.Pix {
			m.Pix[i] = 255
		}
		for _, r := range dark {
			for y := r.Min.Y; y < r.Max.Y; y++ {
				for x := r.Min.X; x < r.Max.X; x++ {
					m.SetGray(x, y, color.Gray{})
				}
			}
		}
		var b bytes.Buffer
		if err := png.Encode(&b, m); err != nil {
			t.Fatal(err)
		}
		return base64.StdEncoding.EncodeToString(b.Bytes())
	}
	for name, picture := range map[string]string{
		"nothing":      "",
		"no base64":    "%%%",
		"no PNG":       base64.StdEncoding.EncodeToString([]byte("a picture")),
		"light":        encoded(40, 40),
		"one dot":      encoded(40, 40, image.Rect(3, 3, 4, 4)),
		"a bar":        encoded(80, 40, image.Rect(3, 3, 70, 10)),
		"a small code": encoded(40, 40, image.Rect(3, 3, 17, 17)),
		"too large":    encoded(maxPicture+1, 8),
	} {
		if _, err := TextOfPNG(picture); !errors.Is(err, ErrNoPicture) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzTextOfPNG(f *testing.F) {
	picture, err := PNG(animated)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(picture)
	f.Add("")
	f.Fuzz(func(t *testing.T, picture string) { _, _ = TextOfPNG(picture) })
}
