package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime/pprof"
	"time"

	"samla/internal/bench"
	"samla/internal/clock"
	"samla/internal/devserver"
)

type benchCmd struct {
	Status  statusBench  `cmd:"" help:"Status polls, compared with a bare handler that writes the same bytes."`
	Create  createBench  `cmd:"" help:"Durable creates of users, compared with a bare INSERT and COMMIT."`
	Collect collectBench `cmd:"" help:"Collections from the sandbox bank, compared with the bare exchanges with it."`
}

// benchFlags are the flags of all benchmarks.
type benchFlags struct {
	Database string        `help:"PostgreSQL URL; without it SQLite in a temporary directory."`
	JSON     bool          `help:"Print one line of JSON."`
	Rounds   int           `default:"5" help:"How often rate and limit are measured, alternating."`
	Round    time.Duration `help:"Duration of each measurement; 0 = the benchmark's default."`
	Callers  int           `help:"Number of concurrent callers; 0 = the benchmark's default."`
	Profile  string        `type:"path" help:"Write a CPU profile of the whole process, including the load generator."`
}

type (
	statusBench  struct{ benchFlags }
	createBench  struct{ benchFlags }
	collectBench struct{ benchFlags }
)

// Run measures status polls.
func (c *statusBench) Run(a *app) error {
	return c.withDefaults(1500*time.Millisecond, 64).run(a, bench.Status)
}

// Run measures creates.
func (c *createBench) Run(a *app) error {
	return c.withDefaults(2*time.Second, 64).run(a, bench.Create)
}

// Run measures collections. Each caller polls once a second, so many callers are needed
// to keep the server busy.
func (c *collectBench) Run(a *app) error {
	return c.withDefaults(5*time.Second, 400).run(a, bench.Collect)
}

// withDefaults returns the flags with defaults for zero values.
func (f benchFlags) withDefaults(round time.Duration, callers int) benchFlags {
	f.Round, f.Callers = cmp.Or(f.Round, round), cmp.Or(f.Callers, callers)
	return f
}

func (f benchFlags) run(a *app, measure func(context.Context, bench.Config) (bench.Result, error)) error {
	dir, remove, err := dataDirectory("")
	if err != nil {
		return err
	}
	defer remove()
	printf := func(format string, args ...any) { fmt.Fprintf(a.out, format+"\n", args...) }
	if f.JSON {
		printf = func(string, ...any) {}
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
	result, err := measure(a.ctx, bench.Config{Clock: clock.System(), Rounds: f.Rounds, Duration: f.Round, Connections: f.Callers, Logf: printf,
		Server: devserver.Config{Dir: dir, Database: f.Database, Log: a.log}})
	if err != nil {
		return err
	}
	if f.JSON {
		return json.NewEncoder(a.out).Encode(result)
	}
	printf("%s on %s: %.0f/s, limit %.0f/s, ratio %.2f", result.Bench, result.Store, result.Rate, result.Limit, result.Ratio)
	return nil
}
