package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"samla/internal/clock"
	"samla/internal/collect"
	"samla/internal/institution"
	"samla/internal/institution/families"
	"samla/internal/renormalise"
	"samla/internal/store/sqlstore"
	"samla/internal/uuid7"
)

type renormCmd struct {
	existingStore
	masterFlags
	Banks     string    `type:"existingfile" required:"" help:"The server's file with the banks and other institutions. None of them is called."`
	Since     time.Time `required:"" placeholder:"YYYY-MM-DD" help:"First day (UTC) on which the collections were created."`
	Until     time.Time `placeholder:"YYYY-MM-DD" help:"Last day (UTC); default: today."`
	Company   string    `placeholder:"ID" help:"Collections at this company only."`
	DryRun    bool      `help:"Store nothing, and print what would change."`
	All       bool      `help:"Also what today's mapping has made: after a bank's profile was changed."`
	LimitRate float64   `default:"100" help:"Collections per second at most, so that the server has the rest; 0 = no limit."`
	Parallel  int       `default:"2" help:"Collections that are read at once."`
}

// Validate reports flags that cannot be used.
func (c *renormCmd) Validate() error {
	if c.LimitRate < 0 || c.Parallel < 1 {
		return errors.New("--limit-rate must not be negative, and --parallel must be at least 1")
	}
	if !c.Until.IsZero() && c.Until.Before(c.Since) {
		return errors.New("--until must not be before --since")
	}
	return c.existingStore.Validate()
}

// Run makes products of stored answers again.
func (c *renormCmd) Run(a *app) error {
	master, err := c.load()
	if err != nil {
		return err
	}
	banks, err := families.All().Load(c.Banks)
	if err != nil {
		return err
	}
	institutions, err := banks.Open(institution.Deps{Clock: clock.System(), Log: a.log})
	if err != nil {
		return err
	}
	defer institutions.Close()
	if _, known := institutions.Find(c.Company); c.Company != "" && !known {
		return fmt.Errorf("%s has no company %q: without its entry its answers cannot be read", c.Banks, c.Company)
	}
	// A server over SQLite is the only writer of collections. A dry run only reads.
	db, err := sqlstore.Open(a.ctx, sqlstore.Config{DSN: c.dsn(), Exclusive: !c.DryRun, Logger: a.log})
	if errors.Is(err, sqlstore.ErrInUse) {
		return fmt.Errorf("%w\na server runs on this SQLite database: stop it first, or use --dry-run; on PostgreSQL this command runs beside servers", err)
	}
	if err != nil {
		return err
	}
	defer db.Close()
	vault, err := c.vault(a.ctx, master, c.storeFlags, db)
	if err != nil {
		return err
	}
	if err := recordCommand(a, db, "renormalize", map[string]string{"since": c.Since.Format(time.DateOnly), "company": c.Company,
		"dryRun": fmt.Sprint(c.DryRun)}); err != nil {
		return err
	}
	clk := clock.System()
	runner := renormalise.Runner{Store: db, Clock: clk, Rereader: collect.NewRereader(collect.RereaderDeps{Store: db, Vault: vault,
		Institutions: institutions, Clock: clk, IDs: uuid7.NewGenerator(clk, nil)})}
	o := renormalise.Options{Since: c.Since, Until: c.Until, Company: c.Company, DryRun: c.DryRun, All: c.All, Rate: c.LimitRate, Parallel: c.Parallel,
		Progress: c.progress(a.err, clk)}
	if !o.Until.IsZero() {
		o.Until = o.Until.AddDate(0, 0, 1)
	}
	done, err := runner.Run(a.ctx, o)
	if printErr := printRenormalised(a.out, done); err == nil {
		err = printErr
	}
	return err
}

// progress returns what prints a line every ten seconds at most.
func (c *renormCmd) progress(w io.Writer, clk clock.Clock) func(renormalise.Summary) {
	last := clk.Now()
	return func(s renormalise.Summary) {
		if clk.Now().Sub(last) < 10*time.Second {
			return
		}
		last = clk.Now()
		fmt.Fprintf(w, "%d changed, %d unchanged, %d up to date\n", s.Of(renormalise.Changed), s.Of(renormalise.Unchanged), s.Of(renormalise.UpToDate))
	}
}

// printRenormalised prints counts, and the kinds of change. Nothing of it is personal.
func printRenormalised(out io.Writer, s renormalise.Summary) error {
	t := headed("COMPANY", "OUTCOME", "COLLECTIONS")
	for _, c := range s.Collections {
		t.add(c.Company, string(c.Outcome), strconv.FormatInt(int64(c.Count), 10))
	}
	if err := t.print(out); err != nil {
		return err
	}
	if len(s.Changes) > 0 {
		t = headed("COMPANY", "PRODUCT", "MEMBER", "CHANGE", "BEFORE", "AFTER", "COUNT")
		for _, c := range s.Changes {
			t.add(c.Company, string(c.Type), orDash(c.Pointer), string(c.Kind), orDash(c.Before), orDash(c.After), strconv.FormatInt(int64(c.Count), 10))
		}
		fmt.Fprintln(out)
		if err := t.print(out); err != nil {
			return err
		}
	}
	if s.Beyond > 0 {
		fmt.Fprintf(out, "\n%d changes of further kinds are not listed\n", s.Beyond)
	}
	return nil
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
