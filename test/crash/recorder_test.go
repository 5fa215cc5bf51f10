package crash

import (
	"fmt"
	"sync"
	"time"
)

// recorder records what the servers have acknowledged and how long flows made no progress.
type recorder struct {
	mu          sync.Mutex
	stopping    bool // no new flow begins
	lastKill    time.Time
	kills       int
	acks        int
	faults      []string
	lost        int // acknowledged writes that are missing
	users       map[string]*userEntry
	sessions    map[string]string // token -> user id
	consents    map[string]*consentEntry
	collections map[string]*collectionEntry
	logins      []*loginEntry   // collections from the recording source
	odd         map[string]bool // flows that are reported at the end
	rows        map[string]int  // person -> transactions in a complete history
	tokens      map[string]bool // BankID tokens

	unsigned              int            // flows that ended before the person could sign
	refreshes             map[string]int // background refreshes that were not completed, by status
	stuck                 map[string]bool
	longestStall          time.Duration // longest time without progress
	longestStallAfterKill time.Duration // longest time without progress and without a kill
}

// userEntry is an acknowledged user.
type userEntry struct {
	externalID string
	deleted    bool
}

// consentEntry is an acknowledged consent.
type consentEntry struct {
	userID string
	status string // from the last response
}

// collectionEntry is an acknowledged collection.
type collectionEntry struct {
	userID    string
	consentID string // empty for a one-time collection
	attended  bool
	status    string
	data      string // from the first response
	deleted   bool
}

func newRecorder() *recorder {
	return &recorder{users: map[string]*userEntry{}, sessions: map[string]string{}, consents: map[string]*consentEntry{},
		collections: map[string]*collectionEntry{}, rows: map[string]int{}, tokens: map[string]bool{}, stuck: map[string]bool{}, odd: map[string]bool{}, refreshes: map[string]int{}}
}

// update calls change with the lock held.
func (b *recorder) update(change func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change()
}

func (b *recorder) addAck() { b.update(func() { b.acks++ }) }

func (b *recorder) addKill(at time.Time) { b.update(func() { b.lastKill = at; b.kills++ }) }

func (b *recorder) stopFlows() { b.update(func() { b.stopping = true }) }

func (b *recorder) stopped() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.stopping
}

// maxFaults is how many faults are printed.
const maxFaults = 20

// addFault records a failure of the test.
func (b *recorder) addFault(format string, args ...any) {
	b.update(func() { b.faults = append(b.faults, fmt.Sprintf(format, args...)) })
}

// checkProgress records that a flow has made no progress since a time. The flow is stuck
// if that is longer than resumeTimeout; the time counts from the last kill, which may have
// interrupted the flow again. It reports whether the flow is stuck: its client need not wait
// any longer.
func (b *recorder) checkProgress(id string, since time.Time) (stuck bool) {
	b.update(func() {
		now := time.Now()
		b.longestStall = max(b.longestStall, now.Sub(since))
		if b.lastKill.After(since) {
			since = b.lastKill
		}
		b.longestStallAfterKill = max(b.longestStallAfterKill, now.Sub(since))
		if now.Sub(since) > resumeTimeout/2 {
			b.odd[id] = true
		}
		if now.Sub(since) > resumeTimeout {
			b.stuck[id] = true
		}
		stuck = b.stuck[id]
	})
	return stuck
}

// checkRows checks that the complete history of a person always has the same number of
// transactions.
func (b *recorder) checkRows(person string, rows int) {
	b.mu.Lock()
	before, known := b.rows[person]
	b.rows[person] = rows
	b.mu.Unlock()
	if known && before != rows {
		b.addFault("a complete history had %d transactions and then %d", before, rows)
	}
}
