package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime/pprof"
	"time"

	"samla/internal/bench"
	"samla/internal/clock"
	"samla/internal/devserver"
)

type benchCmd struct {
	Status   statusBench   `cmd:"" help:"Status polls, compared with a bare handler that writes the same bytes."`
	Page     pageBench     `cmd:"" help:"The connect page's question for each second's code, compared with bare status polls of the same consents."`
	Create   createBench   `cmd:"" help:"Durable creates of users, compared with a bare handler that inserts a row, with commits shared in the same way."`
	Data     dataBench     `cmd:"" help:"Data of a collection of about 250 kB, as it is and compressed, compared with a bare handler that writes the same bytes."`
	Access   accessBench   `cmd:"" help:"Data with its entry in the audit log on disk before the answer, compared with the same server without entries."`
	Lists    listsBench    `cmd:"" help:"Lists of 1 and of 50 consents, and one user, compared with a bare handler that writes the same bytes."`
	Collect  collectBench  `cmd:"" help:"Collections from the sandbox bank, or from a company by login, compared with the bare exchanges with it."`
	Open     openBench     `cmd:"" help:"Consents brought to AWAITING_AUTHORIZATION, compared with the bare exchanges with the bank."`
	Webhooks webhooksBench `cmd:"" help:"Events delivered to one endpoint, compared with bare POSTs to the same receiver, and the delay of an event."`
	Crowd    crowdBench    `cmd:"" help:"Polls of many persons who wait for their signatures at the same time."`
}

// benchFlags are the flags of all benchmarks.
type benchFlags struct {
	Database string `help:"PostgreSQL URL; without it SQLite in a temporary directory."`
	JSON     bool   `help:"Print one line of JSON."`
	Profile  string `type:"path" help:"Write a CPU profile of the whole process, including the load generator."`
}

// rateFlags are the flags of the benchmarks that compare a rate with its limit.
type rateFlags struct {
	benchFlags
	Rounds  int           `default:"5" help:"How often rate and limit are measured, alternating."`
	Round   time.Duration `help:"Duration of each measurement; 0 = the benchmark's default."`
	Callers int           `help:"Number of concurrent callers; 0 = the benchmark's default."`
}

// Validate reports numbers that measure nothing.
func (f rateFlags) Validate() error {
	if f.Rounds < 1 || f.Round < 0 || f.Callers < 0 {
		return errors.New("--rounds must be at least 1, and --round and --callers not negative")
	}
	return nil
}

// bankFlag is the bank of the benchmarks that run the sandbox as a process of its own.
type bankFlag struct {
	Bank string `default:"rsa" enum:"rsa,ecdsa,local" help:"Kind of bank: rsa (its requests are signed with RSA), ecdsa (with P-256), local (with P-256, and the QR text is computed here)."`
}

// crowd returns the configuration of a crowd at the bank, whose orders wait for patience.
func (f bankFlag) crowd(c bench.Config, patience time.Duration) bench.CrowdConfig {
	return bench.CrowdConfig{Config: c, Bank: f.Bank,
		Sandbox: func(ctx context.Context, dir string) (*bench.Sandbox, error) { return startSandbox(ctx, dir, patience) }}
}

type (
	statusBench struct {
		rateFlags
		Company string `enum:",se-demo" default:"" help:"Poll collections that wait for a code at this company (se-demo) instead of consents."`
	}
	pageBench     struct{ rateFlags }
	createBench   struct{ rateFlags }
	webhooksBench struct{ rateFlags }
	collectBench  struct {
		rateFlags
		Bank    string `default:"rsa" enum:"rsa,ecdsa" help:"Kind of bank: rsa (its requests are signed with RSA), ecdsa (with P-256)."`
		Company string `help:"Collect from this company of the sandbox: an institution by login such as se-demo, or a bank of any family such as se-demo-nordea."`
	}
	dataBench   struct{ rateFlags }
	accessBench struct{ rateFlags }
	listsBench  struct{ rateFlags }
	openBench   struct {
		rateFlags
		bankFlag
	}
	crowdBench struct {
		benchFlags
		bankFlag
		Waiting  int           `default:"500" help:"Number of persons, each with its own consent."`
		Round    time.Duration `default:"10s" help:"Duration of the measurement, after all persons have arrived."`
		Patience time.Duration `default:"170s" help:"How long BankID's orders wait for the app, so that none runs out meanwhile; 0 = 30s, as those of BankID."`
		Callers  int           `default:"64" help:"Number of persons who create their consents at the same time."`
	}
)

// Validate reports numbers that measure nothing.
func (c *crowdBench) Validate() error {
	if c.Waiting < 1 || c.Round <= 0 || c.Patience < 0 || c.Callers < 1 {
		return errors.New("--waiting and --callers must be at least 1, --round more than 0, and --patience not negative")
	}
	return nil
}

// Run measures status polls.
func (c *statusBench) Run(a *app) error {
	return c.run(a, 1500*time.Millisecond, 64, func(ctx context.Context, config bench.Config) (bench.Result, error) {
		config.Company = c.Company
		return bench.Status(ctx, config)
	})
}

// Run measures the connect page.
func (c *pageBench) Run(a *app) error {
	return c.run(a, 1500*time.Millisecond, 64, bench.Page)
}

// Run measures creates.
func (c *createBench) Run(a *app) error {
	return c.run(a, 2*time.Second, 64, bench.Create)
}

// Run measures reads of data.
func (c *dataBench) Run(a *app) error {
	return c.runSeveral(a, 1500*time.Millisecond, 16, bench.Data)
}

// Run measures records of accesses.
func (c *accessBench) Run(a *app) error {
	return c.runSeveral(a, 1500*time.Millisecond, 16, bench.Access)
}

// Run measures lists.
func (c *listsBench) Run(a *app) error {
	return c.runSeveral(a, 1500*time.Millisecond, 64, bench.Lists)
}

// Run measures collections. Each caller polls once a second, so many callers are needed
// to keep the server busy. A login takes seconds, and a node lets a thousand begin at once.
func (c *collectBench) Run(a *app) error {
	round, callers := 5*time.Second, 2000
	if c.Company != "" {
		round, callers = 10*time.Second, 1000
	}
	return c.run(a, round, callers, func(ctx context.Context, config bench.Config) (bench.Result, error) {
		config.Bank, config.Company = c.Bank, c.Company
		if c.Company != "" {
			return bench.CollectFrom(ctx, config)
		}
		return bench.Collect(ctx, config)
	})
}

// Run measures consents that are opened. Each caller waits for one at a time, so many
// callers are needed to keep the server busy.
func (c *openBench) Run(a *app) error {
	return c.run(a, 4*time.Second, 512, func(ctx context.Context, config bench.Config) (bench.Result, error) {
		return bench.Open(ctx, c.crowd(config, 0))
	})
}

// run measures a rate. Zero flags have the given defaults.
func (f rateFlags) run(a *app, round time.Duration, callers int, measure func(context.Context, bench.Config) (bench.Result, error)) error {
	return f.runSeveral(a, round, callers, func(ctx context.Context, c bench.Config) ([]bench.Result, error) {
		r, err := measure(ctx, c)
		return []bench.Result{r}, err
	})
}

// runSeveral measures several rates.
func (f rateFlags) runSeveral(a *app, round time.Duration, callers int, measure func(context.Context, bench.Config) ([]bench.Result, error)) error {
	return measured(a, f.benchFlags, func(ctx context.Context, c bench.Config) ([]bench.Result, error) {
		c.Rounds, c.Duration, c.Connections = f.Rounds, cmp.Or(f.Round, round), cmp.Or(f.Callers, callers)
		return measure(ctx, c)
	})
}

// Run measures a crowd.
func (c *crowdBench) Run(a *app) error {
	return measured(a, c.benchFlags, func(ctx context.Context, config bench.Config) ([]bench.CrowdResult, error) {
		config.Duration, config.Connections = c.Round, c.Callers
		crowd := c.crowd(config, c.Patience)
		crowd.Waiting = c.Waiting
		r, err := bench.Crowd(ctx, crowd)
		return []bench.CrowdResult{r}, err
	})
}

// Run measures deliveries.
func (c *webhooksBench) Run(a *app) error {
	return measured(a, c.benchFlags, func(ctx context.Context, config bench.Config) ([]bench.WebhooksResult, error) {
		config.Rounds, config.Duration = c.Rounds, cmp.Or(c.Round, 2*time.Second)
		r, err := bench.Webhooks(ctx, config)
		return []bench.WebhooksResult{r}, err
	})
}

// measured runs a benchmark in a temporary directory and prints its results, a line
// each.
func measured[R fmt.Stringer](a *app, f benchFlags, measure func(context.Context, bench.Config) ([]R, error)) error {
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
	results, err := measure(a.ctx, bench.Config{Clock: clock.System(), Logf: printf,
		Server: devserver.Config{Dir: dir, Metrics: "127.0.0.1:0", Database: f.Database, Log: a.log}})
	if err != nil {
		return err
	}
	for _, result := range results {
		if !f.JSON {
			printf("%s", result)
		} else if err := json.NewEncoder(a.out).Encode(result); err != nil {
			return err
		}
	}
	return nil
}
