package crash

import (
	"fmt"
	"sync"
	"time"
)

// books are kept of what the servers have acknowledged, by whom it was asked
// for, and of how long flows stood still.
type books struct {
	mu          sync.Mutex
	over        bool // no new flow begins
	lastKill    time.Time
	kills       int
	acks        int
	faults      []string
	lost        int // acknowledged writes that are missing
	users       map[string]*userEntry
	sessions    map[string]string // token -> user id
	consents    map[string]*consentEntry
	collections map[string]*collectionEntry
	rows        map[string]int  // person -> transactions in a whole history
	tokens      map[string]bool // of BankID

	unsigned     int            // flows that ended before the person could sign
	refreshes    map[string]int // background refreshes that were not completed, by status
	stuck        map[string]bool
	stillest     time.Duration // longest time without a change that was seen
	stillestCalm time.Duration // likewise, counted from the last kill
}

// userEntry is an acknowledged user.
type userEntry struct {
	externalID string
	deleted    bool
}

// consentEntry is an acknowledged consent.
type consentEntry struct {
	userID string
	status string // as last answered
}

// collectionEntry is an acknowledged collection.
type collectionEntry struct {
	userID    string
	consentID string // empty for a one-time collection
	attended  bool
	status    string
	data      string // as first handed out
	deleted   bool
}

func newBooks() *books {
	return &books{users: map[string]*userEntry{}, sessions: map[string]string{}, consents: map[string]*consentEntry{},
		collections: map[string]*collectionEntry{}, rows: map[string]int{}, tokens: map[string]bool{}, stuck: map[string]bool{}, refreshes: map[string]int{}}
}

// note changes the books.
func (b *books) note(change func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change()
}

func (b *books) acknowledged() { b.note(func() { b.acks++ }) }

func (b *books) killed(at time.Time) { b.note(func() { b.lastKill = at; b.kills++ }) }

func (b *books) end() { b.note(func() { b.over = true }) }

func (b *books) ended() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.over
}

// mostFaults is how many faults are told one by one.
const mostFaults = 20

// fault writes down what must not have happened.
func (b *books) fault(format string, args ...any) {
	b.note(func() { b.faults = append(b.faults, fmt.Sprintf(format, args...)) })
}

// still notes that a flow has not changed since then. A flow that stands still
// for too long is stuck; the time counts from the last kill, which may have hit
// it again.
func (b *books) still(id string, since time.Time) {
	b.note(func() {
		now := time.Now()
		b.stillest = max(b.stillest, now.Sub(since))
		if b.lastKill.After(since) {
			since = b.lastKill
		}
		b.stillestCalm = max(b.stillestCalm, now.Sub(since))
		if now.Sub(since) > resumeWithin {
			b.stuck[id] = true
		}
	})
}

// same notes the number of rows of a person's whole history, which must be the
// same each time it is collected, resumed or not.
func (b *books) same(person string, rows int) {
	b.mu.Lock()
	before, known := b.rows[person]
	b.rows[person] = rows
	b.mu.Unlock()
	if known && before != rows {
		b.fault("a whole history had %d rows and then %d", before, rows)
	}
}

// knows tells whether a consent, or the collection that it lives in, was
// acknowledged.
func (b *books) knows(c row) bool {
	return b.consents[c.id] != nil || b.collections[c.collectionID] != nil
}
