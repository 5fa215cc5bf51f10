package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"samla/internal/clock"
	"samla/internal/institution"
	"samla/internal/institution/families"
	"samla/internal/ratelimit"
	"samla/internal/server"
	"samla/internal/tracing"
	"samla/internal/webhook"
	texts "samla/internal/words"
)

// storeFlags configure the database.
type storeFlags struct {
	Data     string `type:"path" default:"data" help:"Data directory, which contains the SQLite database."`
	Database string `help:"PostgreSQL URL (postgres://…); without it SQLite under the data directory."`
}

// dsn returns the DSN for sqlstore.Open.
func (f storeFlags) dsn() string {
	if f.Database != "" {
		return f.Database
	}
	return filepath.Join(f.Data, "store")
}

// Validate reports a --database that is not a PostgreSQL URL.
func (f storeFlags) Validate() error {
	if f.Database != "" && !strings.HasPrefix(f.Database, "postgres://") && !strings.HasPrefix(f.Database, "postgresql://") {
		return fmt.Errorf("--database must be a URL that begins with postgres://")
	}
	return nil
}

// existingStore configures a database that must exist: a command that only reads or
// changes one does not create an empty database in a wrong directory.
type existingStore struct{ storeFlags }

// Validate reports an invalid --database, or a --data without a database.
func (f existingStore) Validate() error {
	if err := f.storeFlags.Validate(); err != nil || f.Database != "" {
		return err
	}
	if _, err := os.Stat(f.dsn()); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s contains no database: pass the server's --data or --database", f.Data)
	}
	return nil // opening it reports every other error
}

// originFlags configure the web pages that may call the API.
type originFlags struct {
	AllowOrigin []string `placeholder:"ORIGIN" help:"Origin of web pages that may call the API with session tokens, such as https://app.example.com (repeatable; none by default)."`
}

type serveCmd struct {
	storeFlags
	masterFlags
	bankIDFlags
	Listen        string           `default:"127.0.0.1:8080" help:"Address of the API; port 0 means a free port."`
	PublicURL     string           `name:"public-url" placeholder:"URL" help:"Address of this server in the browsers of persons, such as https://samla.example.com; banks that sign on a page of theirs send persons back to it. By default that of --listen, if it is of this machine only."`
	OperatorName  string           `placeholder:"NAME" help:"Who runs the server, as persons read it on its pages (${default})." default:"Samla"`
	Language      []texts.Language `placeholder:"LANG" help:"Language in which pages are offered to persons: sv, en, nb, da or fi (repeatable; sv and en by default, because the texts of the others wait for a native speaker)."`
	TimeZone      string           `default:"Europe/Stockholm" placeholder:"ZONE" help:"Time zone of the times on pages, a name of the IANA database; pages for persons name it (${default})."`
	TrustedProxy  []string         `placeholder:"NETWORK" help:"Address or network of a reverse proxy whose X-Forwarded-For says where a person's browser is, such as 10.0.0.0/24 (repeatable; by default those on this machine). Banks are told that address."`
	Metrics       string           `default:"127.0.0.1:9464" help:"Address of /metrics for Prometheus; \"off\": none. If it is taken, the server serves without it, says so in its log, and tries again."`
	ConsoleListen string           `default:"127.0.0.1:8090" help:"Address of the console of operators, on a listener of its own; \"off\": none. It is one of this machine only, unless --console-url begins with https. If it is taken, the server serves without it, says so in its log, and tries again."`
	ConsoleURL    string           `name:"console-url" placeholder:"URL" help:"Address of the console in the browsers of operators, such as https://console.example.com; by default http://localhost and the port of --console-listen. Passkeys belong to its host."`
	OTLPEndpoint  string           `name:"otlp-endpoint" placeholder:"URL" help:"OpenTelemetry collector that traces are sent to by OTLP/HTTP, such as http://127.0.0.1:4318; nothing is traced by default."`
	TraceShare    float64          `default:"0.1" help:"Share of requests and jobs that are traced, 0 to 1; a request with a sampled traceparent is traced in any case."`
	Banks         string           `type:"existingfile" required:"" help:"File with the banks and other institutions (see docs/adding-a-bank.md and docs/adding-a-source.md)."`
	SessionLife   time.Duration    `default:"60m" help:"Lifetime of session tokens, 5m to 24h."`
	KeepData      time.Duration    `default:"720h" help:"How long collected data is kept."`
	PollingLease  time.Duration    `default:"60s" help:"Time after which a collection with the person present ends if it is not polled, 30s to 10m."`
	KeepEvidence  time.Duration    `default:"43800h" help:"How long the audit log of consents is kept."`
	KeepAccounts  time.Duration    `default:"720h" help:"How long lasting accounts and their transactions are kept after the last consent that they came through has ended."`
	RateLimit     float64          `default:"5000" help:"Requests per second of each client, with bursts of twice that; 0 = no limit."`
	UserRateLimit float64          `default:"50" help:"Requests per second of each user with session tokens, with bursts of twice that; 0 = no limit."`
	originFlags
	WarnAhead          time.Duration `default:"168h" help:"How long before the end of a consent its client gets the event CONSENT_EXPIRING."`
	OpenTime           time.Duration `default:"1m" help:"How long a bank has to open a consent; after it the consent is FAILED with BANK_UNAVAILABLE."`
	ReadTime           time.Duration `default:"5m" help:"How long a collection may read while the person is present; what is missing after it makes it COMPLETED_PARTIAL, or THIRD_PARTY_ERROR without a list of accounts."`
	ReadTimeUnattended time.Duration `default:"15m" help:"The same for background refreshes."`
	ReadMemory         int           `default:"64" help:"MiB of banks' answers in memory, of all collections together; further answers wait. The process needs several times as much."`
	Workers            int           `default:"128" help:"Number of collections that this node reads concurrently, half of them at one bank; as many more from institutions by login."`
	BackupRetention    time.Duration `default:"840h" help:"For how long a backup can be opened at least; after a day more it cannot be opened at all (docs/operate-backup.md)."`
	Issuer             string        `default:"samla" help:"Issuer and audience of session tokens."`
	WebhookTargets     string        `default:"public" enum:"public,loopback,any" help:"Where webhooks may be sent: public addresses by https, this machine too (loopback), or any address."`
	WebhookPauseAfter  time.Duration `default:"120h" help:"How long all attempts to a webhook endpoint may fail before it is paused."`
	MaxWaiting         int           `help:"Number of persons who may wait for their signature at once, and as many more who log in by dialogue; 0 = as many as their institutions can be asked about in time, as measured."`
}

// Validate reports values that the server cannot use, before anything is opened.
func (c *serveCmd) Validate() error {
	faults := []error{c.bankIDFlags.check(), c.storeFlags.Validate(), checkAddress("--listen", c.Listen), c.server().Check()}
	if c.Metrics != "" && c.Metrics != off {
		faults = append(faults, checkAddress("--metrics", c.Metrics))
	}
	if c.ConsoleListen != "" && c.ConsoleListen != off {
		faults = append(faults, checkAddress("--console-listen", c.ConsoleListen))
	}
	if c.OTLPEndpoint != "" {
		faults = append(faults, tracing.CheckEndpoint(c.OTLPEndpoint))
	}
	if c.TraceShare < 0 || c.TraceShare > 1 {
		faults = append(faults, errors.New("--trace-share must be 0 to 1"))
	}
	if c.Issuer == "" {
		faults = append(faults, errors.New("--issuer must not be empty"))
	}
	for _, f := range []struct {
		flag     string
		positive bool
	}{
		{"--keep-data", c.KeepData > 0}, {"--keep-evidence", c.KeepEvidence > 0}, {"--keep-accounts", c.KeepAccounts > 0},
		{"--warn-ahead", c.WarnAhead > 0}, {"--open-time", c.OpenTime > 0}, {"--read-time", c.ReadTime > 0}, {"--read-time-unattended", c.ReadTimeUnattended > 0},
		{"--read-memory", c.ReadMemory > 0}, {"--workers", c.Workers > 0},
		{"--backup-retention", c.BackupRetention > 0}, {"--polling-lease", c.PollingLease > 0}, {"--webhook-pause-after", c.WebhookPauseAfter > 0}, {"--session-life", c.SessionLife > 0},
	} {
		if !f.positive {
			faults = append(faults, fmt.Errorf("%s must be more than 0", f.flag))
		}
	}
	if c.RateLimit < 0 || c.UserRateLimit < 0 || c.MaxWaiting < 0 {
		faults = append(faults, errors.New("--rate-limit, --user-rate-limit and --max-waiting must not be negative"))
	}
	return errors.Join(faults...)
}

// checkAddress reports an address that is not HOST:PORT.
func checkAddress(flag, address string) error {
	_, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil {
		return fmt.Errorf("%s must be an address such as 127.0.0.1:8080, not %q", flag, address)
	}
	return nil
}

// off is the address of what is not served.
const off = "off"

// server returns the server's configuration.
func (c *serveCmd) server() server.Config {
	metrics := c.Metrics
	if metrics == off {
		metrics = ""
	}
	console := c.ConsoleListen
	if console == off {
		console = ""
	}
	return server.Config{ConsoleListen: console, ConsoleURL: c.ConsoleURL, Listen: c.Listen, PublicURL: c.PublicURL, Metrics: metrics, OTLPEndpoint: c.OTLPEndpoint, TraceShare: c.TraceShare, Database: c.dsn(), KeyDir: c.dir(c.storeFlags), BackupRetention: c.BackupRetention, Issuer: c.Issuer,
		SessionLife: c.SessionLife, KeepData: c.KeepData, PollingLease: c.PollingLease, KeepEvidence: c.KeepEvidence, KeepAccounts: c.KeepAccounts,
		Rate:     ratelimit.Rate{PerSecond: c.RateLimit},
		UserRate: ratelimit.Rate{PerSecond: c.UserRateLimit}, AllowOrigins: c.AllowOrigin, TrustedProxies: c.TrustedProxy, Operator: c.OperatorName, Languages: c.Language, TimeZone: c.TimeZone, Workers: c.Workers,
		WebhookTargets: webhook.Targets(c.WebhookTargets), WebhookPauseAfter: c.WebhookPauseAfter,
		WarnAhead: c.WarnAhead, OpenTime: c.OpenTime, ReadTime: c.ReadTime, ReadTimeUnattended: c.ReadTimeUnattended, ReadMemory: c.ReadMemory << 20, MaxWaiting: c.MaxWaiting}
}

// Run serves until the process is asked to stop.
func (c *serveCmd) Run(a *app) (err error) {
	master, err := c.load()
	if err != nil {
		return err
	}
	c.warn(a.log, c.storeFlags)
	banks, err := families.All().Load(c.Banks)
	if err != nil {
		return err
	}
	institutions, err := banks.Open(institution.Deps{Clock: clock.System(), Log: a.log})
	if err != nil {
		return err
	}
	defer institutions.Close()
	parts := server.Parts{Clock: clock.System(), Log: a.log, Master: master, ReloadMaster: c.reload(), Institutions: institutions}
	if c.BankIDCert != "" {
		client, err := c.bankIDFlags.open()
		if err != nil {
			return err
		}
		defer client.Close()
		parts.BankID = client
	}
	s, err := server.New(a.ctx, c.server(), parts)
	if err != nil {
		return err
	}
	defer a.stop(&err, s.Stop)
	if err := s.Start(a.ctx); err != nil {
		return err
	}
	<-a.ctx.Done()
	return nil
}
