package sqlstore

import "sync"

// gather lets concurrent callers share statements. What arrives while all lanes
// are busy waits and goes together, up to size at once; nothing waits while a
// lane is idle. Whoever is gathered is told by run, which belongs to no caller.
type gather[T any] struct {
	lanes, size int
	run         func([]T)

	mu      sync.Mutex
	busy    int
	waiting []T
}

func (g *gather[T]) add(v T) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = append(g.waiting, v)
	if g.busy < g.lanes {
		g.busy++
		go g.lane()
	}
}

// lane runs until nobody waits.
func (g *gather[T]) lane() {
	for {
		g.mu.Lock()
		n := min(len(g.waiting), g.size)
		if n == 0 {
			g.busy--
			g.mu.Unlock()
			return
		}
		batch := g.waiting[:n:n]
		g.waiting = g.waiting[n:]
		g.mu.Unlock()
		g.run(batch)
	}
}
