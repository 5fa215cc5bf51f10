package qr

import (
	"bytes"
	"encoding/base64"
	"errors"
	"image/png"
	"strings"
	"testing"

	goqr "github.com/piglig/go-qr"
	"pgregory.net/rapid"

	"samla/test/qrscan"
)

const animated = "bankid.67df3917-fa0d-44e5-b327-edcc928297f8.0.dc69358e712458a66a7525beef148ae8526b1c71610eff2c16cdffb4cdac9bf8"

func TestPNG_IsReadByAnotherDecoder(t *testing.T) {
	for _, text := range []string{animated, "bankid:///?autostarttoken=7c40b5c9-fa74-49cf-b98c-bfe651f9a7c6", "x", ""} {
		encoded, err := PNG(text)
		if err != nil {
			t.Fatal(err)
		}
		if text == "" {
			continue // decoders refuse a code without content
		}
		if got := qrscan.DecodePhoto(t, encoded); got != text {
			t.Errorf("decoded %q; want %q", got, text)
		}
	}
}

// For every text, the code is module by module the one that another encoder draws, and
// the picture shows it.
func TestEncode_DrawsWhatAnotherEncoderDraws(t *testing.T) {
	check := func(t interface{ Fatalf(string, ...any) }, text string) {
		c, err := encode(text)
		if err != nil {
			t.Fatalf("%v", err)
		}
		version := (c.size - 17) / 4
		segment, err := goqr.MakeBytes([]byte(text))
		if err != nil {
			t.Fatalf("%v", err)
		}
		other, err := goqr.EncodeSegments([]*goqr.QrSegment{segment}, goqr.Low, goqr.MinVersion, goqr.MaxVersion, 0, false)
		if err != nil || other.Size() != c.size {
			t.Fatalf("%d bytes: version %d, the other is %d wide: %v", len(text), version, other.Size(), err)
		}
		for y := range c.size {
			for x := range c.size {
				if c.dark(x, y) != other.Module(x, y) {
					t.Fatalf("%d bytes, version %d: the module at %d, %d differs", len(text), version, x, y)
				}
			}
		}
		checkPicture(t, text, c)
	}
	// Each version, full and one byte less.
	for version := 1; version <= maxVersion; version++ {
		l := layoutFor(0)
		for n := 0; l != nil && (l.size-17)/4 <= version; n++ {
			l = layoutFor(n)
			if next := layoutFor(n + 1); l != nil && (l.size-17)/4 == version && (next == nil || next.size > l.size) {
				check(t, strings.Repeat("å", n/2)+strings.Repeat("x", n%2))
			}
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		check(rt, string(rapid.SliceOfN(rapid.Byte(), 0, 400).Draw(rt, "text")))
	})
}

func checkPicture(t interface{ Fatalf(string, ...any) }, text string, c code) {
	encoded, err := PNG(text)
	if err != nil {
		t.Fatalf("%v", err)
	}
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		t.Fatalf("%v", err)
	}
	picture, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatalf("%d bytes: the picture cannot be read: %v", len(text), err)
	}
	side := (c.size + 2*border) * scale
	if size := picture.Bounds().Size(); size.X != side || size.Y != side {
		t.Fatalf("%d bytes: the picture has %v pixels", len(text), size)
	}
	for y := range side {
		for x := range side {
			r, _, _, _ := picture.At(x, y).RGBA()
			if dark := c.dark(x/scale-border, y/scale-border); dark != (r == 0) {
				t.Fatalf("%d bytes: the pixel at %d, %d is wrong", len(text), x, y)
			}
		}
	}
}

func TestPNG_FailsOnTooLongText(t *testing.T) {
	if _, err := PNG(strings.Repeat("x", 2953)); err != nil {
		t.Errorf("the longest text: %v", err)
	}
	if _, err := PNG(strings.Repeat("x", 2954)); !errors.Is(err, ErrTooLong) {
		t.Errorf("one byte more: %v", err)
	}
}

func TestPNG_IsSmall(t *testing.T) {
	encoded, err := PNG(animated)
	if err != nil || len(encoded) > 2000 {
		t.Errorf("%d characters, %v", len(encoded), err)
	}
}

func TestText_HasOneLineForTwoRows(t *testing.T) {
	drawn, err := Text("x")
	if err != nil || strings.Count(drawn, "\n") != 13 { // 21 rows and a border of 2 on each side, two rows a line
		t.Errorf("%d lines, %v", strings.Count(drawn, "\n"), err)
	}
}

func FuzzPNG(f *testing.F) {
	f.Add(animated)
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := encode(text)
		if len(text) > 2953 {
			if !errors.Is(err, ErrTooLong) {
				t.Fatal(err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		checkPicture(t, text, c)
	})
}

func BenchmarkPNG(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := PNG(animated); err != nil {
			b.Fatal(err)
		}
	}
}
