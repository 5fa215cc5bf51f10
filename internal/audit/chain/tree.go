package chain

import (
	"crypto/sha256"
	"errors"
	"slices"
)

// Tree is the Merkle tree of RFC 9162 2.1 over the hashes of entries, of which only the
// roots of the complete subtrees are kept, the largest first: at most 63.
type Tree struct {
	Size  int64
	Peaks []Hash
}

// Span is a subtree by the leaves that it covers, from 0.
type Span struct{ From, To int64 }

// Append adds a leaf. made, if not nil, is told of each complete subtree that this makes.
func (t *Tree) Append(leaf Hash, made func(Span, Hash)) {
	at := Span{t.Size, t.Size + 1}
	t.Peaks = append(slices.Clip(t.Peaks), leaf)
	t.Size++
	for size := t.Size; ; size >>= 1 {
		if made != nil {
			made(at, t.Peaks[len(t.Peaks)-1])
		}
		if size&1 == 1 {
			return
		}
		n := len(t.Peaks)
		t.Peaks[n-2] = nodeHash(t.Peaks[n-2], t.Peaks[n-1])
		t.Peaks = t.Peaks[:n-1]
		at.From -= at.To - at.From
	}
}

// Root returns the hash of the whole tree.
func (t *Tree) Root() Hash { return fold(t.Peaks) }

// Valid reports whether there are as many peaks as a tree of this size has.
func (t *Tree) Valid() bool {
	n := 0
	for size := t.Size; size > 0; size >>= 1 {
		n += int(size & 1)
	}
	return t.Size >= 0 && n == len(t.Peaks)
}

// Spans returns what the peaks cover.
func (t *Tree) Spans() []Span {
	spans := make([]Span, 0, len(t.Peaks))
	for from, rest := int64(0), t.Size; rest > 0; {
		size := largestPower(rest)
		spans = append(spans, Span{from, from + size})
		from, rest = from+size, rest-size
	}
	return spans
}

// largestPower returns the largest power of two that is not above n.
func largestPower(n int64) int64 {
	p := int64(1)
	for p <= n>>1 {
		p <<= 1
	}
	return p
}

func fold(peaks []Hash) Hash {
	if len(peaks) == 0 {
		return sha256.Sum256(nil)
	}
	root := peaks[len(peaks)-1]
	for i := len(peaks) - 2; i >= 0; i-- {
		root = nodeHash(peaks[i], root)
	}
	return root
}

func nodeHash(left, right Hash) Hash {
	var b [1 + 2*sha256.Size]byte
	b[0] = nodeByte
	copy(b[1:], left[:])
	copy(b[1+len(left):], right[:])
	return sha256.Sum256(b[:])
}

// split returns where the subtree of a span is divided.
func (s Span) split() int64 { return s.From + largestPower(s.To-s.From-1) }

// path returns the siblings between a leaf and the root of the span, lowest first.
func (s Span) path(leaf int64) []Span {
	var up []Span
	for s.To-s.From > 1 {
		at := s.split()
		if leaf < at {
			up, s = append(up, Span{at, s.To}), Span{s.From, at}
		} else {
			up, s = append(up, Span{s.From, at}), Span{at, s.To}
		}
	}
	slices.Reverse(up)
	return up
}

// RootOf returns the root of a tree of size leaves that an inclusion proof of a leaf
// leads to (RFC 9162 2.1.3.2). It reports false for a proof of another length.
func RootOf(leaf Hash, index, size int64, proof []Hash) (Hash, bool) {
	if index < 0 || index >= size {
		return Hash{}, false
	}
	siblings := Span{0, size}.path(index)
	if len(siblings) != len(proof) {
		return Hash{}, false
	}
	h := leaf
	for i, sibling := range siblings {
		if sibling.From > index {
			h = nodeHash(h, proof[i])
		} else {
			h = nodeHash(proof[i], h)
		}
	}
	return h, true
}

// Prover collects the inclusion proofs of some leaves while it is told all leaves once. It
// holds the hashes of their proofs and no others.
type Prover struct {
	tree  Tree
	size  int64
	needs map[Span]Hash
}

// NewProver returns a prover of the leaves in a tree of size leaves. begin is the tree of
// the leaves that it is not told.
func NewProver(begin Tree, size int64, leaves []int64) *Prover {
	p := &Prover{tree: Tree{begin.Size, slices.Clone(begin.Peaks)}, size: size, needs: map[Span]Hash{}}
	for _, leaf := range leaves {
		for _, span := range (Span{0, size}).path(leaf) {
			p.needs[span] = Hash{}
		}
	}
	for i, span := range p.tree.Spans() {
		p.keep(span, p.tree.Peaks[i])
	}
	return p
}

func (p *Prover) keep(span Span, h Hash) {
	if _, needed := p.needs[span]; needed {
		p.needs[span] = h
	}
}

// Add tells the next leaf.
func (p *Prover) Add(leaf Hash) { p.tree.Append(leaf, p.keep) }

// Finish must be called after the last leaf. It returns the root. Error: there were more
// or fewer leaves than size.
func (p *Prover) Finish() (Hash, error) {
	if p.tree.Size != p.size {
		return Hash{}, errors.New("chain: the number of leaves is not the size of the tree")
	}
	// The subtrees at the right edge are not complete: they are made of the last peaks.
	spans := p.tree.Spans()
	for i := range spans {
		p.keep(Span{spans[i].From, p.size}, fold(p.tree.Peaks[i:]))
	}
	return p.tree.Root(), nil
}

// Proof returns the inclusion proof of a leaf that NewProver was given.
func (p *Prover) Proof(leaf int64) []Hash {
	siblings := Span{0, p.size}.path(leaf)
	proof := make([]Hash, len(siblings))
	for i, span := range siblings {
		proof[i] = p.needs[span]
	}
	return proof
}
