package chain_test

import (
	"crypto/sha256"
	"encoding/binary"
	"testing"

	"pgregory.net/rapid"

	"samla/internal/audit/chain"
)

func leaf(i int) chain.Hash {
	return sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(i)))
}

// rootByDefinition is MTH of RFC 9162 2.1.1 over hashes of leaves.
func rootByDefinition(leaves []chain.Hash) chain.Hash {
	switch n := len(leaves); n {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return leaves[0]
	default:
		k := 1
		for 2*k < n {
			k *= 2
		}
		l, r := rootByDefinition(leaves[:k]), rootByDefinition(leaves[k:])
		return sha256.Sum256(append(append([]byte{1}, l[:]...), r[:]...))
	}
}

// The tree that grows has the root of the definition, and the prover, which begins after
// some leaves, proves each of the others, and only those.
func TestTree_ProvesLeavesByDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 70).Draw(t, "leaves")
		removed := rapid.IntRange(0, n-1).Draw(t, "removed")
		leaves := make([]chain.Hash, n)
		var begin chain.Tree
		var wanted []int64
		for i := range leaves {
			leaves[i] = leaf(i)
			if i < removed {
				begin.Append(leaves[i], nil)
			} else {
				wanted = append(wanted, int64(i))
			}
		}
		p := chain.NewProver(begin, int64(n), wanted)
		for _, l := range leaves[removed:] {
			p.Add(l)
		}
		root, err := p.Finish()
		if err != nil || root != rootByDefinition(leaves) {
			t.Fatalf("another root, %v", err)
		}
		for _, i := range wanted {
			proof := p.Proof(i)
			if got, ok := chain.RootOf(leaves[i], i, int64(n), proof); !ok || got != root {
				t.Fatalf("leaf %d of %d is not proved", i, n)
			}
			if got, _ := chain.RootOf(leaf(n+1), i, int64(n), proof); got == root {
				t.Fatal("a leaf that is not in the tree is proved")
			}
			if j := (i + 1) % int64(n); j != i {
				if got, ok := chain.RootOf(leaves[i], j, int64(n), proof); ok && got == root {
					t.Fatalf("leaf %d is proved at %d", i, j)
				}
			}
			if _, ok := chain.RootOf(leaves[i], i, int64(n), append(proof, leaf(0))); ok {
				t.Fatal("a proof that is too long")
			}
		}
	})
}
