package collect

import (
	"fmt"
	"testing"
	"time"
)

func TestAnswers_AreBoundedInBytesAndTime(t *testing.T) {
	a, now := newAnswers(), time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)
	key := func(i int) answerKey { return answerKey{fmt.Sprint(i), false} }
	full := maxAnswers / largestAnswer
	for i := range full + 10 {
		a.put(key(i), make([]byte, largestAnswer), now)
		a.get(key(0), now) // stays the most recently used
	}
	if a.bytes > maxAnswers || a.get(key(0), now) == nil || a.get(key(1), now) != nil || a.get(key(full+9), now) == nil {
		t.Errorf("%d bytes in %d answers", a.bytes, len(a.at))
	}
	a.put(key(-1), make([]byte, largestAnswer+1), now)
	if a.get(key(-1), now) != nil {
		t.Error("an answer that is too large is held")
	}
	later := now.Add(answerAge)
	if a.get(key(0), later) != nil {
		t.Error("an old answer is returned")
	}
	a.put(key(0), []byte("new"), later)
	if a.order.Len() != 1 || a.bytes != 3 {
		t.Errorf("%d bytes in %d answers after all were too old", a.bytes, a.order.Len())
	}
	a.put(answerKey{"0", true}, []byte("packed"), later)
	a.forget("0")
	if len(a.at) != 0 || a.bytes != 0 {
		t.Errorf("%d bytes in %d answers after forgetting", a.bytes, len(a.at))
	}
}
