package qr

import (
	"encoding/binary"
	"hash/adler32"
	"hash/crc32"
	"math/bits"
	"sync"
)

const scale = 3 // pixels per module

var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 4<<10); return &b }}

// appendPNG appends a picture of the code with one bit for each pixel. A row of modules
// is scale equal rows of pixels. The compression knows that: the first row is written as
// it is, the others repeat it. A general compressor takes ten times as long and saves
// little.
func appendPNG(b []byte, c code) []byte {
	modules := c.size + 2*border
	side := modules * scale
	b = append(b, "\x89PNG\r\n\x1a\n"...)
	var header [13]byte // grey of one bit, no interlacing
	binary.BigEndian.PutUint32(header[0:], uint32(side))
	binary.BigEndian.PutUint32(header[4:], uint32(side))
	header[8] = 1
	b, start := beginChunk(b, "IHDR")
	b = endChunk(append(b, header[:]...), start)

	b, start = beginChunk(b, "IDAT")
	z := deflater{out: append(b, 0x78, 0x01)} // zlib: a window of 32 KiB, fastest
	z.put(0b011, 3)                           // the last block, with the fixed codes
	sum := adler32.New()
	row := make([]byte, 1+scale*c.stride) // begins with the filter: none
	width := 1 + (side+7)/8
	for y := 0; y < modules; {
		line := c.bitmap[y*c.stride : (y+1)*c.stride]
		for i, eight := range line {
			copy(row[1+scale*i:], stretched[eight][:])
		}
		equal := 1 // rows of modules, as in the quiet zone
		for y+equal < modules && string(c.bitmap[(y+equal)*c.stride:(y+equal+1)*c.stride]) == string(line) {
			equal++
		}
		for range equal * scale {
			_, _ = sum.Write(row[:width])
		}
		z.literals(row[:width])
		z.repeat(width, width*(equal*scale-1))
		y += equal
	}
	z.end()
	b = binary.BigEndian.AppendUint32(z.out, sum.Sum32())
	b = endChunk(b, start)
	b, start = beginChunk(b, "IEND")
	return endChunk(b, start)
}

func beginChunk(b []byte, kind string) (_ []byte, start int) {
	start = len(b)
	return append(append(b, 0, 0, 0, 0), kind...), start
}

// endChunk sets the length and appends the checksum of a chunk.
func endChunk(b []byte, start int) []byte {
	binary.BigEndian.PutUint32(b[start:], uint32(len(b)-start-8))
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[start+4:]))
}

// stretched has the pixels of eight modules. A dark module is black, which is 0.
var stretched = func() (table [256][scale]byte) {
	for eight := range table {
		var pixels uint32
		for bit := 7; bit >= 0; bit-- {
			pixels <<= scale
			if eight>>bit&1 == 0 {
				pixels |= 1<<scale - 1
			}
		}
		for i := range scale {
			table[eight][i] = byte(pixels >> (8 * (scale - 1 - i)))
		}
	}
	return table
}()

// deflater writes a block of RFC 1951 with the fixed codes.
type deflater struct {
	out  []byte
	acc  uint64
	bits uint
}

// put writes the lowest n bits of v, the lowest first.
func (d *deflater) put(v uint32, n uint) {
	d.acc |= uint64(v) << d.bits
	for d.bits += n; d.bits >= 8; d.bits -= 8 {
		d.out = append(d.out, byte(d.acc))
		d.acc >>= 8
	}
}

// end ends the block and fills the last byte.
func (d *deflater) end() {
	d.put(0, 7) // the code of the end
	if d.bits > 0 {
		d.put(0, 8-d.bits)
	}
}

func (d *deflater) literals(data []byte) {
	for _, b := range data {
		c := literalCodes[b]
		d.put(uint32(c.bits), uint(c.n))
	}
}

// repeat repeats the last distance bytes until n bytes are written.
func (d *deflater) repeat(distance, n int) {
	const shortest, longest = 3, 258
	for n > 0 {
		length := min(n, longest)
		if rest := n - length; rest > 0 && rest < shortest {
			length -= shortest
		}
		d.length(length)
		d.distance(distance)
		n -= length
	}
}

// length writes the code of a length from 3 to 258 (RFC 1951, 3.2.5).
func (d *deflater) length(n int) {
	if n == 258 {
		d.symbol(285)
		return
	}
	n -= 3
	extra := max(bits.Len(uint(n))-3, 0)
	d.symbol(257 + 4*extra + n>>extra)
	d.put(uint32(n&(1<<extra-1)), uint(extra))
}

// symbol writes the code of a symbol above the literals (RFC 1951, 3.2.6).
func (d *deflater) symbol(s int) {
	if s < 280 {
		d.put(reversed(uint32(s-256), 7), 7)
	} else {
		d.put(reversed(uint32(0b11000000+s-280), 8), 8)
	}
}

// distance writes the code of a distance (RFC 1951, 3.2.5).
func (d *deflater) distance(n int) {
	n--
	extra := max(bits.Len(uint(n))-2, 0)
	d.put(reversed(uint32(2*extra+n>>extra), 5), 5)
	d.put(uint32(n&(1<<extra-1)), uint(extra))
}

// literalCodes are the codes of bytes, as put takes them.
var literalCodes = func() (table [256]struct {
	bits uint16
	n    uint8
}) {
	for b := range table {
		v, n := uint32(0b00110000+b), uint(8)
		if b >= 144 {
			v, n = uint32(0b110010000+b-144), 9
		}
		table[b].bits, table[b].n = uint16(reversed(v, n)), uint8(n)
	}
	return table
}()

// reversed returns the lowest n bits of v in reverse, because codes begin with their
// highest bit.
func reversed(v uint32, n uint) uint32 { return bits.Reverse32(v) >> (32 - n) }
