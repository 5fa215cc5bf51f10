// Package bench measures what this machine makes of Samla's hot paths, each rate
// beside the limit that bounds it, measured in the same run and in turns with
// it: status polls against a bare handler that writes the same bytes, durable
// creates against a bare INSERT and COMMIT, collections against the bare
// exchanges with the bank. The load generator is part of the process.
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

// Result is one measurement. Rates are per second.
type Result struct {
	Bench string  `json:"bench"`
	Store string  `json:"store"`
	Rate  float64 `json:"rate"`
	Limit float64 `json:"limit"`
	Ratio float64 `json:"ratio"`
}

// Config says how to measure.
type Config struct {
	Local       devserver.Config
	Clock       clock.Clock
	Rounds      int           // how often rate and limit are measured in turn
	Round       time.Duration // how long each takes
	Connections int           // how many callers there are at once
	Say         func(format string, args ...any)
}

// measure runs limit and rate in turns and keeps the median of each and the
// median of their ratios, so that a machine that grows slower does not favour
// one of them. Each function returns how many operations it did within d.
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
		c.Say("round %d: %.0f/s of %.0f/s = %.2f", round, r, l, r/l)
		rates, limits, ratios = append(rates, r), append(limits, l), append(ratios, r/l)
	}
	return Result{Bench: name, Store: kind, Rate: median(rates), Limit: median(limits), Ratio: median(ratios)}, nil
}

func (c Config) timed(ctx context.Context, run func(context.Context, time.Duration) (int, error)) (float64, error) {
	start := c.Clock.Now()
	n, err := run(ctx, c.Round)
	return float64(n) / c.Clock.Now().Sub(start).Seconds(), err
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// start starts what is measured, with a schema of its own where the database is
// PostgreSQL, and returns what ends both.
func (c *Config) start(ctx context.Context) (*devserver.Set, func(), error) {
	inside, drop, err := apart(ctx, c.Local.Database)
	if err != nil {
		return nil, nil, err
	}
	c.Local.Database = inside
	l, err := devserver.Start(ctx, c.Local)
	if err != nil {
		return nil, nil, errors.Join(err, drop())
	}
	return l, func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 8*time.Second)
		defer cancel()
		if err := errors.Join(l.Stop(ctx), drop()); err != nil {
			c.Local.Log.Warn("a benchmark could not clean up", "error", err)
		}
	}, nil
}
