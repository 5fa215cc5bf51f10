package qr

import "sync"

// generator has the multiples of a generator polynomial by each byte, without the
// leading coefficient: the Reed–Solomon code of ISO/IEC 18004, annex A.
type generator [256][]byte

// remainder sets into to the remainder of the data, times x to the degree, divided by
// the polynomial: the error correction codewords.
func (g *generator) remainder(into, data []byte) {
	clear(into)
	last := len(into) - 1
	for _, word := range data {
		multiple := g[word^into[0]]
		copy(into, into[1:])
		into[last] = 0
		for i := range into {
			into[i] ^= multiple[i]
		}
	}
}

// generatorOf returns the generator polynomial of a degree. It computes each only once.
func generatorOf(degree int) *generator {
	generators.mu.Lock()
	defer generators.mu.Unlock()
	if g := generators.byDegree[degree]; g != nil {
		return g
	}
	// The product of (x - 2^i) for i from 0 to degree-1, highest coefficient first.
	product := []byte{1}
	root := byte(1)
	for range degree {
		next := append(product, 0)
		for i := len(product); i > 0; i-- {
			next[i] ^= multiply(next[i-1], root)
		}
		product, root = next, multiply(root, 2)
	}
	g := new(generator)
	for factor := range g {
		g[factor] = make([]byte, degree)
		for i := range degree {
			g[factor][i] = multiply(byte(factor), product[i+1])
		}
	}
	generators.byDegree[degree] = g
	return g
}

var generators = struct {
	mu       sync.Mutex
	byDegree map[int]*generator
}{byDegree: map[int]*generator{}}

// multiply multiplies in GF(2^8) modulo x^8 + x^4 + x^3 + x^2 + 1.
func multiply(a, b byte) (product byte) {
	for ; b != 0; b >>= 1 {
		if b&1 != 0 {
			product ^= a
		}
		carry := a&0x80 != 0
		if a <<= 1; carry {
			a ^= 0x1D
		}
	}
	return product
}
