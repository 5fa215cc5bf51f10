package collect

import (
	"context"
	"slices"
	"sync"
)

// memory limits the bytes of answers that the collections of this node have in memory at
// the same time. In memory, an answer takes several times its size until its collection
// ends or is stored, so this limit bounds the memory of the process.
//
// The companies share it like the workers: the collections at one company may hold only
// as much as they leave free. One collection of each company may always go on, the one
// that holds memory for longest, so that one ends. Its own bounds limit it.
type memory struct {
	limit int

	mu        sync.Mutex
	used      int
	companies map[string]*holders
	released  chan struct{} // closed when bytes are released; nil: nothing waits
}

// holders are the collections at one company that hold memory.
type holders struct {
	used  int
	rooms []*room // in the order in which they were opened
}

// defaultMemory is the default of Deps.Memory.
const defaultMemory = 64 << 20

func newMemory(limit int) *memory {
	return &memory{limit: limit, companies: map[string]*holders{}}
}

// room is the memory of one run of a collection. It is safe for concurrent use.
type room struct {
	memory  *memory
	company string
	held    int
}

// open returns the memory of a run, which holds nothing yet. Close it at the end of the run.
func (m *memory) open(company string) *room {
	m.mu.Lock()
	defer m.mu.Unlock()
	h := m.companies[company]
	if h == nil {
		h = &holders{}
		m.companies[company] = h
	}
	r := &room{memory: m, company: company}
	h.rooms = append(h.rooms, r)
	return r
}

// grow takes n bytes. It waits until there is room for them. Errors: that of ctx.
func (r *room) grow(ctx context.Context, n int) error {
	for {
		wait := r.tryGrow(n)
		if wait == nil {
			return nil
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// tryGrow takes n bytes, or returns a channel that is closed when it may be tried again.
func (r *room) tryGrow(n int) (wait <-chan struct{}) {
	m := r.memory
	m.mu.Lock()
	defer m.mu.Unlock()
	h := m.companies[r.company]
	if free := m.limit - m.used - n; h.rooms[0] != r && h.used+n > free {
		if m.released == nil {
			m.released = make(chan struct{})
		}
		return m.released
	}
	r.held += n
	h.used += n
	m.used += n
	return nil
}

// shrink releases n bytes.
func (r *room) shrink(n int) {
	m := r.memory
	m.mu.Lock()
	defer m.mu.Unlock()
	r.release(n)
}

// release releases n bytes. The lock is held.
func (r *room) release(n int) {
	m := r.memory
	r.held -= n
	m.companies[r.company].used -= n
	m.used -= n
	if m.released != nil {
		close(m.released)
		m.released = nil
	}
}

// close releases everything.
func (r *room) close() {
	m := r.memory
	m.mu.Lock()
	defer m.mu.Unlock()
	h := m.companies[r.company]
	h.rooms = slices.DeleteFunc(h.rooms, func(other *room) bool { return other == r })
	r.release(r.held)
	if len(h.rooms) == 0 {
		delete(m.companies, r.company)
	}
}

// usualAnswer is how many bytes are taken for an answer before it is asked for.
const usualAnswer = 64 << 10

// reservation is the memory of one answer that is asked for.
type reservation struct {
	room *room
	n    int
}

// reserve takes the memory of a usual answer. Errors: that of ctx.
func (r *room) reserve(ctx context.Context) (*reservation, error) {
	if err := r.grow(ctx, usualAnswer); err != nil {
		return nil, err
	}
	return &reservation{r, usualAnswer}, nil
}

// more takes n more bytes, for an answer that is larger.
func (v *reservation) more(ctx context.Context, n int) error {
	if err := v.room.grow(ctx, n); err != nil {
		return err
	}
	v.n += n
	return nil
}

// settle keeps the memory of an answer of n bytes and releases the rest.
func (v *reservation) settle(n int) {
	v.room.shrink(v.n - n)
	v.n = 0
}
