package qr

import "sync"

const (
	maxVersion = 40
	border     = 4 // modules; the quiet zone of ISO/IEC 18004, 6.3.8
)

// layout is what all codes of one version have in common. Its bitmap has a row of stride
// bytes for each row of modules, with the quiet zone, the leftmost module in the highest
// bit; a set bit is dark.
type layout struct {
	size, stride int // modules without the quiet zone; bytes

	lengthBits int // of the number of bytes of a text
	dataWords  int // data codewords
	blocks     int
	correction int // error correction codewords of each block
	generator  *generator

	// blank has the function patterns, and the mask where data goes.
	blank []byte
	// order has the place of each data bit: the index of its byte, and in the lowest
	// three bits the number of the bit.
	order []uint32
}

// The error correction level L, by version (ISO/IEC 18004, table 9).
var (
	correctionsL = [maxVersion]int{7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28,
		28, 28, 30, 30, 26, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30}
	blocksL = [maxVersion]int{1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8,
		8, 9, 9, 10, 12, 12, 12, 13, 14, 15, 16, 17, 18, 19, 19, 20, 21, 22, 24, 25}
)

var layouts [maxVersion]struct {
	once sync.Once
	layout
}

// layoutFor returns the layout of the smallest version that a text of n bytes fits into,
// or nil.
func layoutFor(n int) *layout {
	for version := 1; version <= maxVersion; version++ {
		lengthBits := 8
		if version >= 10 {
			lengthBits = 16
		}
		dataWords := moduleCount(version)/8 - blocksL[version-1]*correctionsL[version-1]
		if 4+lengthBits+8*n > 8*dataWords {
			continue
		}
		l := &layouts[version-1]
		l.once.Do(func() {
			size := 17 + 4*version
			l.layout = layout{size: size, stride: (size + 2*border + 7) / 8, lengthBits: lengthBits, dataWords: dataWords,
				blocks: blocksL[version-1], correction: correctionsL[version-1], generator: generatorOf(correctionsL[version-1])}
			l.draw(version)
		})
		return &l.layout
	}
	return nil
}

// moduleCount returns the number of modules of a version that are no function pattern.
func moduleCount(version int) int {
	size := 17 + 4*version
	n := size*size - 3*64 - 2*(size-16) - 31 // finders, timing patterns, format information
	if centres := len(alignments(version)); centres > 0 {
		n -= 25 * (centres*centres - 3) // those at the finders are left out
		n += 2 * 5 * (centres - 2)      // these lie on a timing pattern
	}
	if version >= 7 {
		n -= 2 * 18 // version information
	}
	return n
}

// alignments returns the rows, and the columns, of the centres of alignment patterns
// (ISO/IEC 18004, annex E).
func alignments(version int) []int {
	if version == 1 {
		return nil
	}
	centres := make([]int, version/7+2)
	last := len(centres) - 1
	distance := 26 // of version 32, which no rule gives
	if version != 32 {
		distance = (4*version + 2*last + 3) / (2 * last) * 2
	}
	for i := range centres[1:] {
		centres[last-i] = 4*version + 10 - i*distance
	}
	centres[0] = 6
	return centres
}

// place returns where a module is in a bitmap.
func (l *layout) place(x, y int) (at int, bit byte) {
	x, y = x+border, y+border
	return y*l.stride + x/8, 0x80 >> (x % 8)
}

// draw draws the blank code and lists the places of data.
func (l *layout) draw(version int) {
	l.blank = make([]byte, (l.size+2*border)*l.stride)
	function := make([]byte, len(l.blank)) // modules that are not data
	set := func(x, y int, dark bool) {
		if x < 0 || y < 0 || x >= l.size || y >= l.size {
			return
		}
		at, bit := l.place(x, y)
		function[at] |= bit
		if l.blank[at] &^= bit; dark {
			l.blank[at] |= bit
		}
	}
	rings := func(x, y, radius int, dark func(ring int) bool) {
		for dy := -radius; dy <= radius; dy++ {
			for dx := -radius; dx <= radius; dx++ {
				set(x+dx, y+dy, dark(max(dx, -dx, dy, -dy)))
			}
		}
	}
	for i := range l.size { // timing patterns
		set(6, i, i%2 == 0)
		set(i, 6, i%2 == 0)
	}
	centres := alignments(version)
	for i, y := range centres {
		for j, x := range centres {
			last := len(centres) - 1
			if atFinder := i == 0 && j == 0 || i == 0 && j == last || i == last && j == 0; !atFinder {
				rings(x, y, 2, func(ring int) bool { return ring != 1 })
			}
		}
	}
	for _, corner := range [][2]int{{3, 3}, {l.size - 4, 3}, {3, l.size - 4}} { // finders and their separators
		rings(corner[0], corner[1], 4, func(ring int) bool { return ring != 2 && ring != 4 })
	}
	l.drawInformation(version, set)
	l.mask(function)
}

// formatL0 is the format information of level L and mask 0, with its error correction
// and its own mask (ISO/IEC 18004, annex C).
const formatL0 = 0b111011111000100

// drawInformation draws the format information, and the version information that larger
// versions have.
func (l *layout) drawInformation(version int, set func(x, y int, dark bool)) {
	for i := range 15 { // the lowest bit first
		dark := formatL0>>i&1 != 0
		switch { // beside the upper left finder
		case i < 6:
			set(8, i, dark)
		case i < 8:
			set(8, i+1, dark)
		case i == 8:
			set(7, 8, dark)
		default:
			set(14-i, 8, dark)
		}
		if i < 8 { // below the upper right finder, and beside the lower left one
			set(l.size-1-i, 8, dark)
		} else {
			set(8, l.size-15+i, dark)
		}
	}
	set(8, l.size-8, true)
	if version < 7 {
		return
	}
	rest := version // times x^12, divided by the generator polynomial (annex D)
	for range 12 {
		rest = rest<<1 ^ rest>>11*0x1F25
	}
	for i := range 18 {
		dark := (version<<12|rest)>>i&1 != 0
		set(l.size-11+i%3, i/3, dark)
		set(i/3, l.size-11+i%3, dark)
	}
}

// mask lists the places of data: columns of two modules from right to left, upwards and
// downwards in turn, without the column of the timing pattern. It draws mask 0 on them.
func (l *layout) mask(function []byte) {
	upwards := true
	for right := l.size - 1; right > 0; right -= 2 {
		if right == 6 {
			right--
		}
		for i := range l.size {
			y := i
			if upwards {
				y = l.size - 1 - i
			}
			for _, x := range [2]int{right, right - 1} {
				at, bit := l.place(x, y)
				if function[at]&bit != 0 {
					continue
				}
				if (x+y)%2 == 0 {
					l.blank[at] |= bit
				}
				l.order = append(l.order, uint32(at*8+(x+border)%8))
			}
		}
		upwards = !upwards
	}
}
