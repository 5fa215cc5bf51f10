package collect

import (
	"testing"

	"samla/internal/clock"
)

func TestAnswers_HoldNoLargeOneAndForgetBothForms(t *testing.T) {
	a := newAnswers(clock.System())
	packed, plain := answerKey{"c", 1, true, true}, answerKey{"c", 1, false, false}
	a.put(plain, make([]byte, largestAnswer+1))
	if a.Len() != 0 {
		t.Error("an answer that is too large is held")
	}
	a.put(plain, make([]byte, largestAnswer))
	a.put(packed, []byte("packed"))
	a.put(answerKey{"other", 1, true, true}, nil)
	if a.Len() != 3 {
		t.Fatalf("%d answers", a.Len())
	}
	a.forget("c", 1)
	if _, known := a.Peek(packed); known || a.Len() != 1 {
		t.Errorf("%d answers after forgetting", a.Len())
	}
}

func TestAnswers_AreBoundedInBytes(t *testing.T) {
	a := newAnswers(clock.System())
	large := make([]byte, largestAnswer)
	for i := range maxAnswers/largestAnswer + 10 {
		a.put(answerKey{string(rune('a' + i)), 1, false, false}, large)
	}
	if a.Len() != maxAnswers/largestAnswer {
		t.Errorf("%d answers of %d bytes", a.Len(), largestAnswer)
	}
}
