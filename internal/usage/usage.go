// Package usage counts who uses the API: by client, key, version and day. Requests are
// counted in memory and stored every few seconds; a node that is killed loses what it has
// counted since.
package usage

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"samla/internal/client"
	"samla/internal/clock"
	"samla/internal/store"
)

// flushInterval is the time between two writes of what was counted.
const flushInterval = 15 * time.Second

// Deps are the dependencies of a Service.
type Deps struct {
	Store store.Transactor
	Clock clock.Clock
	Log   *slog.Logger
}

// Service counts. It is safe for concurrent use.
type Service struct {
	Deps
	mu     sync.RWMutex
	counts map[key]*count
}

// key is what is counted apart.
type key struct {
	client, key, version string
	named                bool
}

// count is what was counted since the last write. A request costs two atomic writes.
type count struct {
	requests, last atomic.Int64
}

// New returns a service that has counted nothing.
func New(d Deps) *Service { return &Service{Deps: d, counts: map[key]*count{}} }

// Count counts a request of a client at the time now: with an API key, "" = with a session of
// a user, that a version of the API answers. Named says whether the request names the version.
func (s *Service) Count(clientID, keyID, version string, named bool, now time.Time) {
	k := key{clientID, keyID, version, named}
	s.mu.RLock()
	c := s.counts[k]
	s.mu.RUnlock()
	if c == nil {
		s.mu.Lock()
		if c = s.counts[k]; c == nil {
			c = &count{}
			s.counts[k] = c
		}
		s.mu.Unlock()
	}
	c.last.Store(now.UnixMicro())
	c.requests.Add(1)
}

// Run stores what was counted, until ctx ends. It stores once more at the end.
func (s *Service) Run(ctx context.Context) {
	for {
		s.flush(ctx)
		if clock.Sleep(ctx, s.Clock, flushInterval) != nil {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			s.flush(ctx)
			return
		}
	}
}

// flush stores what was counted. What could not be stored is counted on. A request is of the
// day of the last one that was counted with it.
func (s *Service) flush(ctx context.Context) {
	var uses []client.Use
	s.mu.RLock()
	for k, c := range s.counts {
		if n := c.requests.Swap(0); n > 0 {
			last := time.UnixMicro(c.last.Load()).UTC()
			uses = append(uses, client.Use{ClientID: k.client, KeyID: k.key, Version: k.version, Named: k.named, Day: client.DayOf(last), Requests: n, LastAt: last})
		}
	}
	s.mu.RUnlock()
	if len(uses) == 0 {
		return
	}
	err := s.Store.Write(ctx, func(tx store.Tx) error { return tx.AddUses(ctx, uses, s.Clock.Now()) })
	if err == nil {
		return
	}
	s.mu.RLock()
	for _, u := range uses {
		s.counts[key{u.ClientID, u.KeyID, u.Version, u.Named}].requests.Add(u.Requests)
	}
	s.mu.RUnlock()
	if ctx.Err() == nil {
		s.Log.Error("the use of the API could not be stored", "error", err)
	}
}
