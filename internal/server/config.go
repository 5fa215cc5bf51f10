package server

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"time"

	"samla/internal/accounts"
	"samla/internal/api"
	"samla/internal/authn"
	"samla/internal/authorize"
	"samla/internal/clock"
	"samla/internal/collect"
	"samla/internal/epochs"
	"samla/internal/forwarded"
	"samla/internal/institution"
	"samla/internal/operator"
	"samla/internal/permissions"
	"samla/internal/ratelimit"
	"samla/internal/seal/keyset"
	"samla/internal/store"
	"samla/internal/store/sqlstore"
	"samla/internal/webhook"
	"samla/internal/webhooks"
	"samla/internal/words"
)

// Config is what an operator configures. Zero members have the defaults in
// parentheses.
type Config struct {
	Listen string // address of the API, host:port; port 0 means a free port
	// PublicURL is the base URL of this server as browsers reach it, such as
	// https://samla.example.com, without a slash at the end. Institutions send persons back
	// to it. Empty: that of Listen, if this is an address of the machine itself.
	PublicURL string
	Metrics   string // address of /metrics for Prometheus, host:port; empty: none, and nothing is counted
	// OTLPEndpoint is the URL of an OpenTelemetry collector, to which traces are sent by
	// OTLP/HTTP; empty: nothing is traced. TraceShare is the share of the requests and
	// jobs that are traced, 0 to 1; a request with a traceparent decides for itself.
	OTLPEndpoint string
	TraceShare   float64
	// ConsoleListen is the address of the console of operators, host:port; empty: none. It is
	// one of this machine only, unless ConsoleURL begins with https.
	ConsoleListen string
	// ConsoleURL is the address of the console in the browsers of operators, such as
	// https://console.example.com, without a slash at the end. Empty: http://localhost and
	// the port of ConsoleListen.
	ConsoleURL string
	Database   string // postgres://…, or the data directory of SQLite
	// KeyDir is the key directory (docs/operate-backup.md), outside of the database. With
	// SQLite it is by default the directory "keys" beside the database's file; with
	// PostgreSQL it is required, and the nodes share it.
	KeyDir          string
	BackupRetention time.Duration  // for how long a backup can be opened at least (35 days)
	Issuer          string         // claims iss and aud of session tokens ("samla")
	SessionLife     time.Duration  // docs/reference/api.md 1.3 (60 minutes)
	KeepData        time.Duration  // docs/reference/api.md 5.9 (30 days)
	KeepEvidence    time.Duration  // how long the audit log is kept (5 years)
	PollingLease    time.Duration  // after which an attended collection without a poll ends, docs/reference/api.md 5.6 (60 s)
	Workers         int            // collections that this node reads at the same time, half of them at one bank (128)
	Rate            ratelimit.Rate // of requests, per client (no limit)
	UserRate        ratelimit.Rate // of requests with session tokens, per user (no limit)
	Operator        string         // who runs the server, as persons read it on its pages (Samla)
	Languages       words.Offer    // in which pages are offered to persons (words.Edited)
	TimeZone        string         // of the times that pages show, a name of the IANA database (Europe/Stockholm)
	TrustedProxies  []string       // addresses and networks of reverse proxies whose X-Forwarded-For is believed (those of this machine)
	AllowOrigins    []string       // web pages that may call the API, docs/reference/api.md 1.10 (none)
	KeepAccounts    time.Duration  // docs/reference/api.md 11.5 (30 days)

	// WriteTimeout is how long a client may take to read each 64 KiB of an answer
	// (30 s). A connection that takes longer is closed.
	WriteTimeout time.Duration

	// RequestTimeout is how long a request may work before it is answered with 503
	// (10 s).
	RequestTimeout time.Duration
	// TryDocs lets the viewer of the API at /docs send requests to this server: for development.
	TryDocs bool
	// MaxWaiting is how many persons may wait for their signature at once on this node, and
	// how many more may log in by dialogue; 0 = as many as their institutions can be asked
	// about in time, as measured. More are refused with SERVICE_UNAVAILABLE.
	MaxWaiting int

	// WebhookTargets says to which addresses webhooks are sent (public ones, by https).
	WebhookTargets webhook.Targets
	// WebhookPauseAfter is how long all attempts to an endpoint may fail before it is
	// paused (5 days).
	WebhookPauseAfter time.Duration

	// Calls and CallsPerInstitution limit the calls in flight from this node, to
	// all institutions together and to each (2048 and 512). Further calls wait.
	Calls, CallsPerInstitution int

	// WarnAhead is how long before the end of a consent its client is told; 0 = 7 days.
	WarnAhead time.Duration
	// OpenTime is how long a bank has to open a consent and to start its authorization
	// (1 min). After it the consent is FAILED with BANK_UNAVAILABLE.
	OpenTime time.Duration
	// ReadTime and ReadTimeUnattended are how long a collection may read, while the
	// person is present and otherwise (5 min and 15 min). What is not answered by then
	// is missing: the collection is COMPLETED_PARTIAL, or THIRD_PARTY_ERROR without the
	// list of accounts.
	ReadTime, ReadTimeUnattended time.Duration
	// ReadMemory limits the bytes of banks' answers that this node has in memory for all
	// collections together (64 MiB). Further answers wait. The process needs several times
	// as much.
	ReadMemory int

	restoring bool // set by Restore
}

func (c Config) proxies() (forwarded.Proxies, error) {
	if len(c.TrustedProxies) == 0 {
		return forwarded.Local(), nil
	}
	return forwarded.Parse(c.TrustedProxies)
}

// Check returns an error if a member has a value that the server cannot use. New checks
// them too, before it opens the database.
func (c Config) Check() error {
	c = c.withDefaults()
	faults := []error{api.CheckOrigins(c.AllowOrigins), collect.CheckLease(c.PollingLease)}
	if c.BackupRetention != 0 {
		faults = append(faults, epochs.CheckRetention(c.BackupRetention))
	}
	faults = append(faults, CheckPublicURL(c.PublicURL), c.checkConsole())
	for _, l := range c.Languages {
		if !slices.Contains(words.Languages, l) {
			faults = append(faults, fmt.Errorf("there are no texts in the language %q: must be one of %q", l, words.Languages))
		}
	}
	if _, err := time.LoadLocation(c.TimeZone); err != nil || c.TimeZone == "Local" {
		faults = append(faults, fmt.Errorf("there is no time zone %q: must be a name such as Europe/Stockholm", c.TimeZone))
	}
	if _, err := c.proxies(); err != nil {
		faults = append(faults, fmt.Errorf("trusted proxies: %w", err))
	}
	if c.KeyDir == "" {
		faults = append(faults, errors.New("a key directory is required with PostgreSQL"))
	}
	if c.SessionLife != 0 {
		faults = append(faults, authn.CheckSessionLife(c.SessionLife))
	}
	return errors.Join(faults...)
}

// zone returns the time zone of pages.
func (c Config) zone() *time.Location {
	zone, err := time.LoadLocation(c.TimeZone)
	if err != nil { // Check has seen it
		return clock.Sweden()
	}
	return zone
}

func (c Config) withDefaults() Config {
	if c.KeyDir == "" && !strings.Contains(c.Database, "://") {
		c.KeyDir = sqlstore.Beside(c.Database, "keys")
	}
	orDefault(&c.BackupRetention, epochs.DefaultRetention)
	orDefault(&c.Issuer, "samla")
	orDefault(&c.Operator, "Samla")
	orDefault(&c.TimeZone, clock.Sweden().String())
	orDefault(&c.WebhookTargets, webhook.PublicTargets)
	orDefault(&c.WebhookPauseAfter, webhooks.PauseAfter)
	orDefault(&c.KeepData, 30*24*time.Hour)
	orDefault(&c.KeepAccounts, accounts.DefaultKeep)
	orDefault(&c.PollingLease, time.Minute)
	orDefault(&c.KeepEvidence, 5*365*24*time.Hour)
	orDefault(&c.Workers, 128)
	orDefault(&c.WriteTimeout, 30*time.Second)
	orDefault(&c.RequestTimeout, 10*time.Second)
	for _, d := range []*time.Duration{&c.WarnAhead, &c.OpenTime, &c.ReadTime, &c.ReadTimeUnattended} {
		*d = max(*d, 0) // a negative time has the default too
	}
	orDefault(&c.Calls, 2048)
	orDefault(&c.CallsPerInstitution, 512)
	return c
}

func orDefault[T cmp.Ordered](member *T, value T) {
	var zero T
	if *member <= zero {
		*member = value
	}
}

// watchLimits bounds what following authorizations costs. Signatures of questions may
// use a third of the processors: the rest is for opening consents, collections and polls.
// A processor is taken to manage a thousand questions a second until it is known better.
func (c Config) watchLimits() authorize.WatchLimits {
	n := float64(runtime.GOMAXPROCS(0))
	return authorize.WatchLimits{Processors: n / 3, PerSecond: 1000 * n, MaxWaiting: c.MaxWaiting}
}

// loginLimits bounds what logins by dialogue cost. Their calls are not signed.
func (c Config) loginLimits() collect.LoginLimits {
	return collect.LoginLimits{PerSecond: 1000 * float64(runtime.GOMAXPROCS(0)), MaxWaiting: c.MaxWaiting}
}

// Parts is what the server gets from outside. All members but Random,
// ReloadMaster and EpochInterval are required.
type Parts struct {
	Clock        clock.Clock
	Random       io.Reader // nil = the machine's
	Log          *slog.Logger
	Master       *keyset.Master
	ReloadMaster func() (*keyset.Master, error) // reads it again after a rotation; nil: it is never rotated
	// EpochInterval is how long an epoch lasts; 0 = keyset.DefaultInterval.
	EpochInterval time.Duration
	Institutions  institution.Set // the caller closes it after Stop
	// ConsoleHook, if set, signs operators in to the console without a session; only
	// development and tests have one.
	ConsoleHook func(*http.Request) (operator.Operator, bool)
	// ConsoleDoors lets operators in by the links of ConsoleDoor; only samla dev does.
	ConsoleDoors bool
	// BankID identifies persons who sign in to My permissions; nil: they need a link of a
	// client. The caller closes it after Stop.
	BankID permissions.Identifier
	// WrapAccess, if set, wraps what records accesses to data; measurements leave it out.
	WrapAccess func(store.AccessRecorder) store.AccessRecorder
}

func (p Parts) withDefaults() Parts {
	if p.Random == nil {
		p.Random = rand.Reader
	}
	return p
}
