package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime/pprof"
	"time"

	"samla/internal/bench"
	"samla/internal/clock"
	"samla/internal/local"
)

type benchCmd struct {
	Status  statusBench  `cmd:"" help:"Status polls, against a bare handler that writes the same bytes."`
	Create  createBench  `cmd:"" help:"Durable creates of users, against a bare INSERT and COMMIT."`
	Collect collectBench `cmd:"" help:"Collections from the sandbox bank, against the bare exchanges with it."`
}

// benchFlags are what all benchmarks share.
type benchFlags struct {
	Database string        `help:"PostgreSQL URL; without it SQLite in a temporary directory."`
	JSON     bool          `help:"Print one line of JSON."`
	Rounds   int           `default:"5" help:"How often rate and limit are measured in turn."`
	Round    time.Duration `default:"${round}" help:"How long each measurement takes."`
	Callers  int           `default:"${callers}" help:"How many callers there are at once."`
	Profile  string        `type:"path" help:"Write a CPU profile of the whole process, load generator included."`
}

type (
	statusBench struct {
		benchFlags `set:"round=1500ms" set:"callers=64"`
	}
	createBench struct {
		benchFlags `set:"round=2s" set:"callers=64"`
	}
	collectBench struct {
		benchFlags `set:"round=5s" set:"callers=400"`
	}
)

// Run measures status polls.
func (c *statusBench) Run(a *app) error { return c.run(a, bench.Status) }

// Run measures creates.
func (c *createBench) Run(a *app) error { return c.run(a, bench.Create) }

// Run measures collections.
func (c *collectBench) Run(a *app) error { return c.run(a, bench.Collect) }

func (f benchFlags) run(a *app, measure func(context.Context, bench.Config) (bench.Result, error)) error {
	dir, forget, err := directory("")
	if err != nil {
		return err
	}
	defer forget()
	say := func(format string, args ...any) { fmt.Fprintf(a.out, format+"\n", args...) }
	if f.JSON {
		say = func(string, ...any) {}
	}
	if f.Profile != "" {
		out, err := os.Create(f.Profile)
		if err != nil {
			return err
		}
		defer out.Close()
		if err := pprof.StartCPUProfile(out); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	result, err := measure(a.ctx, bench.Config{Clock: clock.System(), Rounds: f.Rounds, Round: f.Round, Connections: f.Callers, Say: say,
		Local: local.Config{Dir: dir, Database: f.Database, Log: a.log}})
	if err != nil {
		return err
	}
	if f.JSON {
		return json.NewEncoder(a.out).Encode(result)
	}
	say("%s on %s: %.0f/s, limit %.0f/s, ratio %.2f", result.Bench, result.Store, result.Rate, result.Limit, result.Ratio)
	return nil
}
