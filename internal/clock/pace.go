package clock

import (
	"runtime/metrics"
	"sync"
	"time"
)

// pace measures time in which this process could compute all that it had to. Where other
// processes take the processors, or there are fewer than goroutines to run, it passes more
// slowly, in the same proportion as the work; while everything waits it passes as usual.
// So what works within a limit of a fast clock does so on a busy machine too.
type pace struct {
	mu      sync.Mutex
	passed  time.Duration // until at
	at      time.Time
	share   float64 // of what there is to compute, how much is computed
	demand  float64 // goroutines that run or could, on average
	supply  float64 // processors that the process has, on average
	counted time.Duration
	free    bool // nothing is counted: it passes as on the machine
}

const (
	// beat is how often the goroutines are counted.
	beat = 4 * time.Millisecond
	// memory is over about which time the averages are.
	memory = 60 * time.Millisecond
	// leastShare bounds how slow it becomes: a test waits for its clock too.
	leastShare = 1.0 / 4
	// quiet is up to which demand the process is said to wait.
	quiet = 0.1
)

func newPace(at time.Time) *pace { return &pace{at: at, share: 1} }

// until returns what has passed until a time of the machine. A beat that is late says that
// the process did not get a processor: meanwhile it passes at its slowest.
func (p *pace) until(now time.Time) time.Duration {
	since := max(0, now.Sub(p.at))
	if p.free {
		return p.passed + since
	}
	regular := min(since, 3*beat)
	return p.passed + time.Duration(float64(regular)*p.share+float64(since-regular)*leastShare)
}

// count takes the number of goroutines that run or could at a time, and the time of
// processors that the process has used until then.
func (p *pace) count(now time.Time, goroutines int, used time.Duration) {
	since := now.Sub(p.at)
	if since <= 0 {
		return
	}
	p.passed = p.until(now)
	weight := min(1, float64(since)/float64(memory))
	p.demand += weight * (float64(goroutines) - p.demand)
	p.supply += weight * (float64(used-p.counted)/float64(since) - p.supply)
	p.at, p.counted = now, used
	p.share = 1
	if p.demand > quiet {
		p.share = min(1, max(leastShare, p.supply/p.demand))
	}
}

// machine is the pace of this process. It is measured from its first use on.
var machine = sync.OnceValue(func() *pace {
	p := newPace(time.Now())
	used, known := processorTime()
	p.counted, p.free = used, !known
	if known {
		go p.measure()
	}
	return p
})

func (p *pace) measure() {
	samples := []metrics.Sample{{Name: "/sched/goroutines/running:goroutines"}, {Name: "/sched/goroutines/runnable:goroutines"}}
	for range time.Tick(beat) {
		metrics.Read(samples)
		goroutines := samples[0].Value.Uint64() + samples[1].Value.Uint64()
		used, _ := processorTime()
		p.mu.Lock()
		p.count(time.Now(), int(max(1, goroutines)-1), used) // without this one
		p.mu.Unlock()
	}
}

// now returns what has passed at this process's pace.
func (p *pace) now() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.until(time.Now())
}
