package qr

// code is a QR code. Its bitmap is drawn by the layout of its version.
type code struct {
	*layout
	bitmap []byte
}

// dark reports whether a module is dark. Modules of the quiet zone are not.
func (c code) dark(x, y int) bool {
	if x < -border || y < -border || x >= c.size+border || y >= c.size+border {
		return false
	}
	at, bit := c.place(x, y)
	return c.bitmap[at]&bit != 0
}

// encode returns the smallest code of a text, as bytes (ISO/IEC 18004, 7.4).
func encode(text string) (code, error) {
	l := layoutFor(len(text))
	if l == nil {
		return code{}, ErrTooLong
	}
	c := code{l, append([]byte(nil), l.blank...)}
	k := 0
	for _, word := range l.interleave(l.data(text)) {
		for bit := byte(0x80); bit != 0; bit >>= 1 {
			if word&bit != 0 {
				c.bitmap[l.order[k]>>3] ^= 0x80 >> (l.order[k] & 7)
			}
			k++
		}
	}
	return c, nil
}

// byteMode is the indicator of bytes, four bits.
const byteMode = 0b0100

// data returns the data codewords of a text that fits: indicator, length, bytes,
// terminator and padding.
func (l *layout) data(text string) []byte {
	words := make([]byte, 0, l.dataWords)
	// The indicator has four bits, so that all that follows is shifted by half a byte.
	var rest byte = byteMode << 4
	add := func(b byte) {
		words = append(words, rest|b>>4)
		rest = b << 4
	}
	if l.lengthBits == 16 {
		add(byte(len(text) >> 8))
	}
	add(byte(len(text)))
	for i := range len(text) {
		add(text[i])
	}
	words = append(words, rest) // with the terminator, four zero bits
	for pad := byte(0xEC); len(words) < l.dataWords; pad ^= 0xEC ^ 0x11 {
		words = append(words, pad)
	}
	return words
}

// interleave splits data codewords into blocks, computes the error correction of each,
// and returns all codewords in the order in which they are placed: the first of each
// block, the second of each, and so on.
func (l *layout) interleave(data []byte) []byte {
	words := make([]byte, l.dataWords+l.blocks*l.correction)
	short := l.dataWords / l.blocks           // data codewords of a short block
	shorts := l.blocks - l.dataWords%l.blocks // blocks that are one codeword shorter than the others
	corrections := words[l.dataWords:]        // where they are placed
	remainder := make([]byte, l.correction)   // of one block
	for block, rest := 0, data; block < l.blocks; block++ {
		n := short
		if block >= shorts {
			n++
		}
		for i, word := range rest[:n] {
			at := i*l.blocks + block
			if i == short { // only long blocks have this one
				at -= shorts
			}
			words[at] = word
		}
		l.generator.remainder(remainder, rest[:n])
		for i, word := range remainder {
			corrections[i*l.blocks+block] = word
		}
		rest = rest[n:]
	}
	return words
}
