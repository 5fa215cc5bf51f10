package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/alecthomas/kong"

	"samla/internal/authn"
	"samla/internal/clock"
	"samla/internal/doctor"
	"samla/internal/institution"
	"samla/internal/institution/families"
	"samla/internal/seal"
	"samla/internal/seal/keyset"
	"samla/internal/server"
	"samla/internal/store"
	"samla/internal/store/sqlstore"
)

type doctorCmd struct {
	storeFlags
	masterFlags
	Banks string `type:"path" required:"" help:"File with the banks and other institutions, as for samla serve."`

	PublicURL string `name:"public-url" placeholder:"URL" help:"Address of the server in the browsers of persons, as for samla serve."`

	Reach bool          `default:"true" negatable:"" help:"Open a connection to each institution; --no-reach sends nothing."`
	Time  time.Duration `default:"1m" help:"Time for all checks together."`
	JSON  bool          `help:"Print one line of JSON instead of text."`

	LeastFree uint64 `default:"1024" help:"Warn if fewer MiB are left for a SQLite database; a busy node writes 1024 in some hours."`
}

// errUnwell ends samla doctor after its report, if a check has failed.
var errUnwell = errors.New("something does not work: see what to do above")

// Run makes all checks and prints them. It fails if one has failed; warnings are no
// failure. The server may run meanwhile.
func (c *doctorCmd) Run(a *app) error {
	ctx, cancel := context.WithTimeout(a.ctx, c.Time)
	defer cancel()
	var report doctor.Report
	clk := clock.System()
	report.Judge("settings", "of the environment can be used", checkSettings(c.Banks), "mend the variables SAMLA_… of the server, such as those of /etc/samla/samla.env")
	_, keyErr := c.load()
	keyAdvice := "pass the file of the server, or restore it from where you keep it"
	if errors.Is(keyErr, keyset.ErrFileMode) {
		keyAdvice = "chmod 600 the file: others can read it"
	}
	report.Judge("master key", "can be read", keyErr, keyAdvice)
	inspection, err := sqlstore.Inspect(ctx, c.dsn())
	switch current := report.Database(inspection, err, clk.Now(), c.LeastFree<<20); {
	case keyErr != nil:
		report.Skip("keys of the database", "the master key is missing")
	case errors.Is(err, fs.ErrNotExist):
		report.Skip("keys of the database", "there is no database yet")
	case !current:
		report.Skip("keys of the database", "the database is not of this program's schema, or cannot be read")
	default:
		c.keys(&app{ctx: ctx, out: a.out, err: a.err, log: a.log}, &report)
	}
	c.institutions(ctx, a, &report, clk)
	if c.JSON {
		err = json.NewEncoder(a.out).Encode(report)
	} else {
		err = report.Print(a.out)
	}
	if err == nil && report.Count(doctor.Failed) > 0 {
		err = errUnwell
	}
	return err
}

// checkSettings reports settings of this environment that samla serve would refuse.
func checkSettings(banks string) error {
	if _, err := os.Stat(banks); err != nil {
		return nil //nolint:nilerr // the check of the banks file reports it
	}
	var c cli
	parser, err := kong.New(&c, kong.Name("samla"), kong.DefaultEnvars("SAMLA"))
	if err != nil {
		return err
	}
	_, err = parser.Parse([]string{"serve", "--banks", banks})
	return err
}

// keys checks that the master key opens the database, and looks for parked jobs.
func (c *doctorCmd) keys(a *app, report *doctor.Report) {
	err := withAuthenticator(a, c.storeFlags, c.masterFlags, func(auth *authn.Authenticator, db *sqlstore.Store) error {
		keys, err := auth.ListKeys(a.ctx)
		if err != nil {
			return err
		}
		valid := 0
		for _, k := range keys {
			if k.RevokedAt.IsZero() {
				valid++
			}
		}
		report.Judge("API keys", fmt.Sprintf("valid: %d", valid), nil, "")
		parked := 0
		for _, q := range store.Queues() {
			jobs, err := db.ParkedJobs(a.ctx, q, maxListed)
			if err != nil {
				return err
			}
			parked += len(jobs)
		}
		if parked > 0 {
			err = fmt.Errorf("%d are parked", parked)
		}
		report.Judge("jobs", "none is parked", err, "samla jobs list says why; mend that, then samla jobs resume")
		return nil
	})
	remedy := "the cause is named; the log of the server can say more"
	switch {
	case errors.Is(err, seal.ErrEpochDestroyed):
		err, remedy = errors.New("the key directory does not have them"), "pass the --key-dir of the server, or restore the directory from its mirror"
	case errors.Is(err, seal.ErrDecryption):
		err, remedy = errors.New("the master key is not the one of this database"), "pass the master key with which the server runs"
	}
	report.Judge("keys of the database", "the master key opens them", err, remedy)
}

// institutions checks the banks file and everything that it names.
func (c *doctorCmd) institutions(ctx context.Context, a *app, report *doctor.Report, clk clock.Clock) {
	const name = "banks file"
	file, err := families.All().Load(c.Banks)
	var set institution.Set
	if err == nil {
		set, err = file.Open(institution.Deps{Clock: clk, Log: a.log})
	}
	if err != nil {
		report.Judge(name, "", err, "mend each pointer that is named; samla bank check shows more")
		return
	}
	defer set.Close()
	report.Judge(name, fmt.Sprintf("%d institutions", len(set)), nil, "")
	report.Certificates(set, clk.Now())
	if c.Reach {
		report.Reach(ctx, set, clk.Now)
	} else {
		report.Skip("institutions reached", "as asked")
	}
	report.Returns(ctx, set, c.PublicURL, server.CheckPublicURL(c.PublicURL), c.Reach)
}
