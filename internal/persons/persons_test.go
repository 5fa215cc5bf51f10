package persons_test

import (
	"bytes"
	"crypto/rand"
	"strings"
	"testing"

	"samla/internal/flowtest"
	"samla/internal/persons"
)

const maja, bertil = "198412099296", "198208149297"

// Nodes with one database recognize a person by one mark, which tells nothing without the key.
func TestMark_IsOneOfAllNodesAndNotTheNumber(t *testing.T) {
	e := flowtest.New(t, t.TempDir())
	node := func() *persons.Service {
		return persons.New(persons.Deps{Store: e.Store, Vault: e.Vault, Random: rand.Reader})
	}
	first, second := node(), node()
	mark := func(s *persons.Service, number string) string {
		t.Helper()
		m, err := s.Mark(t.Context(), number)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	m := mark(first, maja)
	if m == "" || m != mark(second, maja) || m == mark(first, bertil) || strings.Contains(m, maja) {
		t.Errorf("%q and %q", m, mark(second, maja))
	}
	if mark(first, "") != "" {
		t.Error("nobody has a mark")
	}
	other := flowtest.New(t, t.TempDir())
	if mark(persons.New(persons.Deps{Store: other.Store, Vault: other.Vault, Random: rand.Reader}), maja) == m {
		t.Error("two servers have one key")
	}
	a, err := first.Key(t.Context(), "a")
	b, berr := second.Key(t.Context(), "b")
	if err != nil || berr != nil || len(a) != persons.KeySize || bytes.Equal(a, b) {
		t.Errorf("%x %x, %v %v", a, b, err, berr)
	}
}
