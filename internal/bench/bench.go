// Package bench measures the rates of Samla's hot paths. Each rate is compared with a
// limit that is measured in the same run, alternating with it: status polls with a bare
// handler that writes the same bytes, durable creates with one that also inserts a row,
// collections with the bare exchanges with the bank or the source. The load generator runs in the
// same process.
package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"samla/internal/clock"
	"samla/internal/devserver"
)

// Result is the result of a benchmark. Rate and Limit are operations per second, Ratio
// is Rate / Limit; each is the median of the rounds.
type Result struct {
	Bench string  `json:"bench"`
	Store string  `json:"store"`
	Rate  float64 `json:"rate"`
	Limit float64 `json:"limit"`
	Ratio float64 `json:"ratio"`
	// Company is the company of a login by dialogue.
	Company string `json:"company,omitempty"`
	// Bank is the kind of bank, where it matters, and Signatures the share that its
	// signatures have of the processor time of an operation.
	Bank       string  `json:"bank,omitempty"`
	Signatures float64 `json:"signatures,omitempty"`
}

// Config configures a benchmark.
type Config struct {
	Server      devserver.Config
	Clock       clock.Clock
	Rounds      int           // how often rate and limit are measured, alternating
	Duration    time.Duration // of each measurement
	Connections int           // number of concurrent callers
	Bank        string        // kind of bank of Collect: rsa or ecdsa
	Company     string        // of CollectByLogin, and of Status with logins
	Logf        func(format string, args ...any)
}

// measure runs limit and rate alternately, so that a change of the machine's speed
// affects both. The result has the medians of the limits, the rates and their ratios.
// Each function returns the number of operations that it completed within d.
func (c Config) measure(ctx context.Context, name, kind string, limit, rate func(ctx context.Context, d time.Duration) (int, error)) (Result, error) {
	var rates, limits, ratios []float64
	for round := range c.Rounds + 1 {
		l, err := c.timed(ctx, limit)
		if err != nil {
			return Result{}, fmt.Errorf("the limit: %w", err)
		}
		r, err := c.timed(ctx, rate)
		if err != nil {
			return Result{}, err
		}
		if round == 0 {
			continue // warm-up
		}
		c.Logf("round %d: %.0f/s of %.0f/s = %.2f", round, r, l, r/l)
		rates, limits, ratios = append(rates, r), append(limits, l), append(ratios, r/l)
	}
	return Result{Bench: name, Store: kind, Rate: median(rates), Limit: median(limits), Ratio: median(ratios)}, nil
}

func (c Config) timed(ctx context.Context, run func(context.Context, time.Duration) (int, error)) (float64, error) {
	start := c.Clock.Now()
	n, err := run(ctx, c.Duration)
	return float64(n) / c.Clock.Now().Sub(start).Seconds(), err
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// start starts the server and sandbox to measure; on PostgreSQL in a new schema. The
// returned function stops them and drops the schema.
func (c *Config) start(ctx context.Context) (*devserver.Environment, func(), error) {
	database, drop, err := newSchema(ctx, c.Server.Database)
	if err != nil {
		return nil, nil, err
	}
	c.Server.Database = database
	l, err := devserver.Start(ctx, c.Server)
	if err != nil {
		return nil, nil, errors.Join(err, drop())
	}
	return l, func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 8*time.Second)
		defer cancel()
		if err := errors.Join(l.Stop(ctx), drop()); err != nil {
			c.Server.Log.Warn("a benchmark could not clean up", "error", err)
		}
	}, nil
}

// String returns the result in one line.
func (r Result) String() string {
	name := r.Bench
	if r.Company != "" {
		name += " from " + r.Company
	}
	line := fmt.Sprintf("%s on %s: %.0f/s, limit %.0f/s, ratio %.2f", name, r.Store, r.Rate, r.Limit, r.Ratio)
	if r.Bank != "" {
		line += fmt.Sprintf(", bank %s: signatures are %.0f %% of the processor time", r.Bank, 100*r.Signatures)
	}
	return line
}
