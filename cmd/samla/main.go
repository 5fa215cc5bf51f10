// Command samla is Samla in one binary: the server, a development server with a
// sandbox, a demonstration, benchmarks, and administration of keys.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"samla/internal/loglimit"
)

// stopTimeout is the maximum duration of a graceful stop. It is less than the ten seconds
// after which orchestrators usually kill a process.
const stopTimeout = 8 * time.Second

type cli struct {
	Collect     collectCmd     `cmd:"" group:"client" help:"Collect from an institution: sign in the terminal, and see the products or write them to files."`
	Companies   companiesCmd   `cmd:"" group:"client" help:"List institutions, and whether they work now."`
	Users       usersCmd       `cmd:"" group:"client" help:"Create, show and erase users."`
	Consents    consentsCmd    `cmd:"" group:"client" help:"List, show and revoke consents."`
	Collections collectionsCmd `cmd:"" group:"client" help:"List collections, and show or write what they read."`
	Accounts    accountsCmd    `cmd:"" group:"client" help:"List accounts over all collections, show and export their transactions."`
	Events      eventsCmd      `cmd:"" group:"client" help:"Print what happened, and follow it."`
	Webhooks    webhooksCmd    `cmd:"" group:"client" help:"List where events are sent, how it went, and send them again."`
	Plans       plansCmd       `cmd:"" group:"client" help:"Read consents without their users, some times a day."`
	Profile     profileCmd     `cmd:"" group:"client" help:"Keep servers and their API keys, for the commands above."`
	Completion  completionCmd  `cmd:"" group:"client" help:"Print a script that completes commands and flags in bash, zsh or fish."`

	Demo    demoCmd    `cmd:"" group:"develop" help:"Collect from the sandbox, by consent or by login, and print the products."`
	Dev     devCmd     `cmd:"" group:"develop" help:"Run a server with the sandbox inside, for development."`
	Sandbox sandboxCmd `cmd:"" group:"develop" help:"Run the sandbox alone: banks, other institutions and BankID."`
	Listen  listenCmd  `cmd:"" group:"develop" help:"Receive the events of a development server, verify and print them."`
	Trigger triggerCmd `cmd:"" group:"develop" help:"Create an event in a development server."`
	Source  sourceCmd  `cmd:"" group:"develop" help:"Test a source: a program that becomes an institution of Samla."`
	Record  recordCmd  `cmd:"" group:"develop" help:"Make an anonymised case file of a stored collection, to report how a bank behaves (docs/renormalize.md)."`
	Bench   benchCmd   `cmd:"" group:"develop" help:"Measure rates as ratios to their limits on this machine."`

	Serve     serveCmd     `cmd:"" group:"operate" help:"Run the server in production."`
	MasterKey masterKeyCmd `cmd:"" group:"operate" name:"master-key" help:"Create a master key for samla serve."`
	Key       keyCmd       `cmd:"" group:"operate" help:"Create, list and revoke API keys."`
	Operator  operatorCmd  `cmd:"" group:"operate" help:"Make, list and change operators of the console (docs/operate-console.md)."`
	Client    clientCmd    `cmd:"" group:"operate" help:"Addresses to which clients may have persons sent."`
	Bank      bankCmd      `cmd:"" group:"operate" help:"List real banks, add one to a banks file, and show what the institutions of a file will be asked."`
	Gateway   gatewayCmd   `cmd:"" group:"operate" help:"Connect a gateway to many banks."`
	Jobs      jobsCmd      `cmd:"" group:"operate" help:"List, resume and drop parked jobs."`
	Audit     auditCmd     `cmd:"" group:"operate" help:"Export and verify the audit log."`
	Backup    backupCmd    `cmd:"" group:"operate" help:"Write an encrypted backup of the database, while servers run (docs/operate-backup.md)."`
	Restore   restoreCmd   `cmd:"" group:"operate" help:"Fill a new database from a backup, and apply what was erased and revoked since."`
	Renorm    renormCmd    `cmd:"" group:"operate" name:"renormalize" help:"Make products of stored answers again with this release, without a call to a bank (docs/renormalize.md)."`
	Doctor    doctorCmd    `cmd:"" group:"operate" help:"Check keys, database, clock, certificates and banks, and say what to do."`
	Version   versionCmd   `cmd:"" group:"operate" help:"Print the version of this program and of the API that it serves."`

	LogLevel string `enum:",debug,info,warn,error" default:"" help:"Level of the log on standard error: debug, info, warn or error (default: info for serve, dev and sandbox, else warn)."`
}

// audiences are the groups of commands in the help, by who needs them.
var audiences = kong.Groups{
	"client":  "For clients of a server: over its API, with a key",
	"develop": "For development: no bank and no key needed",
	"operate": "For operators of a server: with its files and its database",
}

// app is passed to every command. ctx ends when the process is asked to stop.
type app struct {
	ctx context.Context
	out io.Writer
	err io.Writer // for people, beside out
	log *slog.Logger
}

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, "samla:", err)
		os.Exit(1)
	}
}

// errHelpPrinted is the panic value that ends run after kong has printed help.
var errHelpPrinted = errors.New("help printed")

func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	defer func() {
		if r := recover(); r == errHelpPrinted {
			err = nil
		} else if r != nil {
			panic(r)
		}
	}()
	var c cli
	parser, err := kong.New(&c, kong.Name("samla"), kong.Writers(stdout, stderr), kong.Exit(func(int) { panic(errHelpPrinted) }),
		kong.Description("Samla collects a person's financial data with the person's consent and returns it as typed products."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}), audiences, kong.DefaultEnvars("SAMLA"),
		kong.TypeMapper(reflect.TypeFor[time.Time](), kong.MapperFunc(decodeDay)))
	if err != nil {
		return err
	}
	command, err := parser.Parse(usual(args))
	if err != nil {
		return fmt.Errorf("%w\nrun '%s --help' for the commands and flags", err, failedCommand(err))
	}
	level := slog.LevelWarn
	if name := strings.Fields(command.Command())[0]; name == "serve" || name == "dev" || name == "sandbox" {
		level = slog.LevelInfo
	}
	if c.LogLevel != "" {
		if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
			return err
		}
	}
	log := slog.New(loglimit.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level})))
	err = command.Run(&app{ctx: ctx, out: stdout, err: stderr, log: log})
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil // the process was asked to stop during the start, which is not an error
	}
	return explain(err)
}

// usual translates what people type by habit: samla help COMMAND, and samla --version.
func usual(args []string) []string {
	switch {
	case len(args) > 0 && args[0] == "help":
		return append(slices.Clone(args[1:]), "--help")
	case len(args) == 1 && args[0] == "--version":
		return []string{"version"}
	}
	return args
}

// failedCommand returns the command whose arguments err is about, as a user types it.
func failedCommand(err error) string {
	var parse *kong.ParseError
	if !errors.As(err, &parse) || parse.Context == nil {
		return "samla"
	}
	for node := parse.Context.Selected(); node != nil; node = node.Parent {
		if node.Type == kong.CommandNode {
			return node.FullPath()
		}
	}
	return "samla"
}

// stopContext returns a context for a graceful stop.
func (a *app) stopContext() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(a.ctx), stopTimeout)
}

// stop calls a stop function with stopContext and joins its error to err.
func (a *app) stop(err *error, stop func(context.Context) error) {
	ctx, cancel := a.stopContext()
	defer cancel()
	*err = errors.Join(*err, stop(ctx))
}

// decodeDay reads a flag that is a time: a day, whose beginning in UTC is meant.
func decodeDay(c *kong.DecodeContext, target reflect.Value) error {
	var text string
	if err := c.Scan.PopValueInto("day", &text); err != nil {
		return err
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return fmt.Errorf("%q is no day: write it as 2026-11-27", text)
	}
	target.Set(reflect.ValueOf(day))
	return nil
}
