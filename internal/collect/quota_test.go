package collect_test

import (
	"sync"
	"testing"
	"time"

	"samla/internal/collect"
	"samla/internal/fault"
	"samla/internal/flowtest"
	"samla/internal/institution"
)

// Of five concurrent background refreshes exactly four start. The next one is allowed
// when the first is a day old (RTS art. 36(5)).
func TestQuota_AllowsFourRefreshes(t *testing.T) {
	for name, database := range map[string]func(testing.TB) string{
		"sqlite": func(t testing.TB) string { return t.TempDir() }, "postgres": flowtest.Postgres,
	} {
		t.Run(name, func(t *testing.T) {
			dsn := database(t)
			b := newEnvOn(t, dsn)
			b.Store = slowStore{b.Store}
			nodes := []*collect.Service{b.service()}
			if name == "postgres" { // a second node shares nothing with the first but the rows
				b.Store = slowStore{flowtest.Open(t, dsn)}
				nodes = append(nodes, b.service())
			}
			refreshConcurrently(t, b, nodes)
		})
	}
}

func refreshConcurrently(t *testing.T, b *env, nodes []*collect.Service) {
	under := b.authorizedConsent()
	b.Clock.Advance(time.Hour)
	for range 3 { // the person being there takes no place
		b.start(b.request(under, "192.0.2.7"))
	}
	var (
		wg      sync.WaitGroup
		results = make(chan error, 5)
	)
	for i := range cap(results) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			_, err := nodes[i%len(nodes)].Start(t.Context(), b.request(under, ""), nil)
			results <- err
		}()
	}
	wg.Wait()
	close(results)
	started := 0
	for err := range results {
		if err == nil {
			started++
			continue
		}
		f := isFault(t, "one too many", err, fault.BackgroundRefreshLimit)
		if want := morning.Add(25 * time.Hour); !f.NextAllowedAt.Equal(want) || f.RetryAfter != 24*time.Hour {
			t.Errorf("the next at %s, in %s", f.NextAllowedAt, f.RetryAfter)
		}
	}
	if started != 4 {
		t.Errorf("%d of 5 started", started)
	}
	b.start(b.request(b.authorizedConsent(), "")) // another consent has its own places
	b.Clock.Advance(24*time.Hour - time.Second)
	_, err := b.Start(t.Context(), b.request(under, ""), nil)
	isFault(t, "a second early", err, fault.BackgroundRefreshLimit)
	b.Clock.Advance(time.Second)
	b.start(b.request(under, ""))
}

func TestQuota_CountsARollingDay(t *testing.T) {
	b := newEnv(t)
	under := b.authorizedConsent()
	for range 4 {
		b.start(b.request(under, ""))
		b.Clock.Advance(5 * time.Hour)
	}
	_, err := b.Start(t.Context(), b.request(under, ""), nil) // at 20 h
	if f := isFault(t, "the fifth", err, fault.BackgroundRefreshLimit); f.RetryAfter != 4*time.Hour {
		t.Errorf("the next in %s", f.RetryAfter)
	}
	b.profile(func(p *institution.Profile) { p.DailyLimit = 2 }) // what the operator lowers holds at once
	_, err = b.Start(t.Context(), b.request(under, ""), nil)
	if f := isFault(t, "the fifth of two", err, fault.BackgroundRefreshLimit); f.RetryAfter != 14*time.Hour {
		t.Errorf("the next in %s", f.RetryAfter)
	}
	b.profile(func(p *institution.Profile) { p.DailyLimit = 4 })
	b.Clock.Advance(4 * time.Hour)
	b.start(b.request(under, ""))
	_, err = b.Start(t.Context(), b.request(under, ""), nil)
	if f := isFault(t, "the sixth", err, fault.BackgroundRefreshLimit); f.RetryAfter != 5*time.Hour {
		t.Errorf("the next in %s", f.RetryAfter)
	}
}
