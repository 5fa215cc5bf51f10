package collect

import (
	"container/list"
	"sync"
	"time"
)

// answers holds data that was read lately: a page that shows a person's data reads it
// several times within seconds. It holds at most maxAnswers bytes, each answer for at
// most answerAge. Callers check the owner, the status and the erasure of a collection
// before they ask, so an answer here gives nobody more than the store would.
type answers struct {
	mu    sync.Mutex
	at    map[answerKey]*list.Element // of *answer
	order *list.List                  // most recently used in front
	bytes int
}

type answerKey struct {
	collection string
	packed     bool
}

type answer struct {
	key   answerKey
	text  []byte
	until time.Time
}

const (
	maxAnswers = 64 << 20
	// largestAnswer leaves room for many. Larger ones are read from the store, and
	// decompressed in pieces.
	largestAnswer = 1 << 20
	answerAge     = 30 * time.Second
)

func newAnswers() *answers { return &answers{at: map[answerKey]*list.Element{}, order: list.New()} }

// get returns an answer, or nil. It is read only: many callers share it.
func (a *answers) get(k answerKey, now time.Time) []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	el, ok := a.at[k]
	if !ok {
		return nil
	}
	found := el.Value.(*answer)
	if !now.Before(found.until) {
		a.remove(el)
		return nil
	}
	a.order.MoveToFront(el)
	return found.text
}

func (a *answers) put(k answerKey, text []byte, now time.Time) {
	if len(text) > largestAnswer {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if el, ok := a.at[k]; ok {
		a.remove(el)
	}
	a.at[k] = a.order.PushFront(&answer{k, text, now.Add(answerAge)})
	a.bytes += len(text)
	for a.bytes > maxAnswers {
		a.remove(a.order.Back())
	}
	// What is least recently used and too old goes too, so that nothing stays for long
	// that is not asked for.
	for back := a.order.Back(); back != nil && !now.Before(back.Value.(*answer).until); back = a.order.Back() {
		a.remove(back)
	}
}

// forget drops what it has of a collection.
func (a *answers) forget(collection string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, packed := range []bool{true, false} {
		if el, ok := a.at[answerKey{collection, packed}]; ok {
			a.remove(el)
		}
	}
}

func (a *answers) remove(el *list.Element) {
	old := el.Value.(*answer)
	a.order.Remove(el)
	delete(a.at, old.key)
	a.bytes -= len(old.text)
}
