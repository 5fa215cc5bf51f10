package obie

import (
	"testing"

	"samla/internal/sandbox/persona"
)

// The id of a person is that of an earlier run of the bank, and no other person's or bank's.
func TestPartyID_FollowsFromThePersona(t *testing.T) {
	bank := func(company string) *Bank {
		b, err := New(Config{Behaviour: Behaviour{Company: company}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = b.Close() })
		return b
	}
	before, after, other := bank("se-demo-obie"), bank("se-demo-obie"), bank("se-demo-obie4")
	seen := map[string]bool{}
	for _, p := range persona.All() {
		id := before.partyID(p)
		if id != after.partyID(p) || id == other.partyID(p) || seen[id] {
			t.Errorf("%s: %s and %s, elsewhere %s", p.Name(), id, after.partyID(p), other.partyID(p))
		}
		seen[id] = true
	}
}
