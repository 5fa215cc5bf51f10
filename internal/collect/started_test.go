package collect

import (
	"testing"

	"samla/internal/collection"
)

func TestStarted_GivesARowOnce(t *testing.T) {
	var s started
	s.add(collection.Collection{ID: "a", Rev: 1})
	if _, found := s.take("b"); found {
		t.Error("an unknown row is found")
	}
	if c, found := s.take("a"); !found || c.Rev != 1 {
		t.Errorf("%+v, %v", c, found)
	}
	if _, found := s.take("a"); found {
		t.Error("a row is found twice")
	}
}
