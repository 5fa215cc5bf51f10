package collect

import (
	"time"

	"samla/internal/clock"
	"samla/internal/lru"
)

// answers holds data that was read lately: a page that shows a person's data reads it
// several times within seconds. It holds at most maxAnswers bytes, each answer for at
// most answerAge. Callers check the owner, the status and the erasure of a collection
// before they ask, so a caller gets no more here than from the store. Answers are read
// only: many callers share them.
type answers struct {
	*lru.Cache[answerKey, []byte]
}

type answerKey struct {
	collection string
	rev        int64 // of the collection: its data changes with it only
	packed     bool
	served     bool // see Data.Served
}

const (
	maxAnswers = 64 << 20
	// largestAnswer leaves room for many. Larger ones are read from the store, and
	// decompressed in pieces.
	largestAnswer = 1 << 20
	answerAge     = 30 * time.Second
)

func newAnswers(c clock.Clock) answers {
	return answers{lru.NewWeighed[answerKey](c, maxAnswers, answerAge, func(text []byte) int { return len(text) })}
}

func (a answers) put(k answerKey, text []byte) {
	if len(text) <= largestAnswer {
		a.Put(k, text)
	}
}

// forget drops what it has of a collection as it was before it was written last.
func (a answers) forget(collection string, rev int64) {
	for _, served := range []bool{false, true} {
		a.Drop(answerKey{collection, rev, true, served})
		a.Drop(answerKey{collection, rev, false, served})
	}
}
