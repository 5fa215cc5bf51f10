package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"samla/internal/clock"
)

// CrowdConfig says which crowd to measure.
type CrowdConfig struct {
	Config
	Waiting int    // persons
	Bank    string // kind of bank: rsa, ecdsa or local
	// Sandbox starts the banks of a crowd with their files below dir.
	Sandbox func(ctx context.Context, dir string) (*Sandbox, error)
}

// CrowdResult is what the persons of a crowd experienced. Poll times count from the
// moment at which a poll was due. The age of a QR text counts from the beginning of the
// second that it is for.
type CrowdResult struct {
	Bench      string  `json:"bench"`
	Store      string  `json:"store"`
	Bank       string  `json:"bank"`
	Waiting    int     `json:"waiting"`
	P99Ms      float64 `json:"p99Ms"`
	QRAgeP99Ms float64 `json:"qrAgeP99Ms"`
	Refused    int     `json:"refused"` // persons without a consent at the end
	RSSMiB     float64 `json:"rssMiB"`  // most memory of this process: server and persons
}

// String returns the result in one line.
func (r CrowdResult) String() string {
	return fmt.Sprintf("%d persons at the bank %s on %s: polls p99 %.1f ms, age of QR texts p99 %.0f ms, %d refused, %.0f MiB",
		r.Waiting, r.Bank, r.Store, r.P99Ms, r.QRAgeP99Ms, r.Refused, r.RSSMiB)
}

const (
	crowdCompany = "se-crowd-" // and the kind of bank
	// settling is how long a crowd must not have changed before it is measured.
	settling = 3 * time.Second
	// settlingTime and settlingTimeEach bound the wait for that.
	settlingTime, settlingTimeEach = 30 * time.Second, 20 * time.Millisecond
)

// Crowd measures polls of persons who wait at the same time. Each has a user, a consent
// and a connection of its own, and polls once a second from its arrival on. Persons who
// are refused come again after the time that they were told.
func Crowd(ctx context.Context, c CrowdConfig) (_ CrowdResult, err error) {
	sandbox, err := c.startSandbox(ctx)
	if err != nil {
		return CrowdResult{}, err
	}
	defer func() { err = errors.Join(err, sandbox.Stop()) }()
	c.Server.Banks = sandbox.Banks
	l, end, err := c.start(ctx)
	if err != nil {
		return CrowdResult{}, err
	}
	defer end()
	company := crowdCompany + c.Bank
	if err := c.logBounds(ctx, l.Institutions[company], company); err != nil {
		return CrowdResult{}, err
	}
	crowd := &crowd{CrowdConfig: c, company: company, host: strings.TrimPrefix(l.Server.URL(), "http://"), door: make(chan struct{}, c.Connections)}
	if err := crowd.register(ctx, l.APIKey); err != nil {
		return CrowdResult{}, err
	}
	within, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var stays sync.WaitGroup
	for _, g := range crowd.guests {
		stays.Go(func() {
			if err := g.stay(within); err != nil {
				cancel(fmt.Errorf("a person cannot poll: %w", err)) // the first error counts
			}
		})
	}
	from, until, err := crowd.measure(within, sandbox.PID)
	if err != nil {
		err = cmp.Or(context.Cause(within), err)
	}
	cancel(nil)
	stays.Wait()
	if err != nil {
		return CrowdResult{}, err
	}
	starts, err := orderStarts(sandbox.Orders)
	if err != nil {
		return CrowdResult{}, err
	}
	result, err := crowd.result(from, until, starts)
	result.Store = l.Server.Store().Kind()
	return result, err
}

// startSandbox starts the banks of a crowd.
func (c CrowdConfig) startSandbox(ctx context.Context) (*Sandbox, error) {
	dir := filepath.Join(c.Server.Dir, "banks")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return c.Sandbox(ctx, dir)
}

// crowd is the persons of one measurement.
type crowd struct {
	CrowdConfig
	company, host string
	guests        []*guest
	door          chan struct{} // persons who create consents at once
	counts        counts
}

// measure waits until the crowd no longer changes, lets it poll for Duration, and
// returns the interval of the measurement.
func (c *crowd) measure(ctx context.Context, sandbox int) (from, until time.Time, err error) {
	began := c.Clock.Now()
	limit := began.Add(settlingTime + time.Duration(c.Waiting)*settlingTimeEach)
	last, since := c.counts.get(), began
	for {
		if err := clock.Sleep(ctx, c.Clock, 100*time.Millisecond); err != nil {
			return from, until, err
		}
		now := c.Clock.Now()
		counts := c.counts.get()
		if counts != last {
			last, since = counts, now
		}
		settled := counts[arriving] == 0 && counts[initiated] == 0 && now.Sub(since) >= settling
		if settled || now.After(limit) {
			break
		}
	}
	c.Logf("arrived: %d wait, %d refused, %d without an answer of the bank, %d outside, after %.1f s", last[awaiting], last[refused], last[initiated], last[arriving], since.Sub(began).Seconds())
	from = c.Clock.Now()
	own, bank := cpuTime(os.Getpid()), cpuTime(sandbox)
	err = clock.Sleep(ctx, c.Clock, c.Duration)
	until = c.Clock.Now()
	own, bank = cpuTime(os.Getpid())-own, cpuTime(sandbox)-bank
	seconds := until.Sub(from).Seconds()
	c.Logf("processors used: %.2f by the server and the persons, %.2f by the sandbox", own.Seconds()/seconds, bank.Seconds()/seconds)
	return from, until, err
}

// result evaluates the polls that were due between from and until.
func (c *crowd) result(from, until time.Time, starts map[string]time.Time) (CrowdResult, error) {
	r := CrowdResult{Bench: "crowd", Bank: c.Bank, Waiting: c.Waiting, RSSMiB: math.Round(peakMemory())}
	var took, ages []time.Duration
	stale, ended := 0, map[string]int{}
	for _, g := range c.guests {
		if g.state == over {
			ended[g.status]++
		}
		if g.state == refused || g.state == arriving {
			r.Refused++
		}
		for _, s := range g.samples {
			if s.due.Before(from) || !s.due.Before(until) {
				continue
			}
			took = append(took, s.took)
			if start, known := starts[s.token]; known {
				age := s.due.Add(s.took).Sub(start.Add(time.Duration(s.second) * time.Second))
				ages = append(ages, age)
				if age > 2*time.Second {
					stale++
				}
			}
		}
	}
	if len(took) == 0 {
		return r, fmt.Errorf("no person was waiting; %v", ended)
	}
	r.P99Ms, r.QRAgeP99Ms = milliseconds(percentile(took, 0.99)), milliseconds(percentile(ages, 0.99))
	c.Logf("polls: %d, p50 %.1f ms, p99 %.1f ms, most %.1f ms", len(took), milliseconds(percentile(took, 0.5)), r.P99Ms, milliseconds(percentile(took, 1)))
	c.Logf("QR texts: %d, age p50 %.0f ms, p99 %.0f ms, most %.0f ms, %d older than 2 s", len(ages),
		milliseconds(percentile(ages, 0.5)), r.QRAgeP99Ms, milliseconds(percentile(ages, 1)), stale)
	if len(ended) > 0 {
		return r, fmt.Errorf("consents have ended while their persons waited: %v", ended)
	}
	return r, nil
}

// percentile sorts the values and returns the one that the share of them does not
// exceed; zero if there are none.
func percentile[T cmp.Ordered](values []T, share float64) T {
	if len(values) == 0 {
		var none T
		return none
	}
	slices.Sort(values)
	return values[max(int(math.Ceil(share*float64(len(values))))-1, 0)]
}

func milliseconds(d time.Duration) float64 {
	return math.Round(float64(d)/float64(100*time.Microsecond)) / 10
}
