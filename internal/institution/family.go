package institution

import (
	"crypto/rand"
	"io"
	"log/slog"
	"net/http"

	"samla/internal/clock"
	"samla/internal/strictjson"
)

// Family is a kind of institution: all that are reached in the same way. It is
// one row of the registry (package institution/families).
type Family struct {
	Name string // as written in the banks file
	// New returns a pointer to an empty configuration: a struct whose JSON members
	// are those that an entry of the family has beside the common ones.
	New func() Config
}

// Config is the decoded configuration of one institution of a family.
type Config interface {
	// Check reports what cannot be used, by pointers into the entry. It reads no
	// files.
	Check() strictjson.Faults
	// Open returns the institution, and makes no exchange with it. Of its Company only
	// Needs and AnyPersonalNumber are set. Zero members of the Profile get their defaults. Open is called only if
	// Check reports nothing. Errors: strictjson.Faults for what is wrong with the
	// configuration, such as a certificate that cannot be used.
	Open(d Deps) (Institution, error)
}

// ManyConfig is the configuration of an entry that opens many institutions, such as a
// gateway to banks.
type ManyConfig interface {
	Config
	// OpenAll is called in place of Open. Company.ID and DisplayName of each institution are
	// set too; the login methods are those of the entry. taken reports whether another entry
	// of the file is an institution with this company id: it is preferred to one of ours that
	// is the same bank. One of the institutions has Close for all of them.
	OpenAll(d Deps, taken func(companyID string) bool) ([]Institution, error)
}

// Deps is what a family gets from outside. The zero value is usable.
type Deps struct {
	Clock  clock.Clock  // nil = the machine's
	Random io.Reader    // of request ids; safe for concurrent use; nil = the machine's
	Log    *slog.Logger // names the company in every line; nil = silent
	// Company is the id of the company that is opened.
	Company string
	// Traceparent: requests carry the span of their context (W3C Trace Context).
	Traceparent bool
	Dir         string // relative paths of the configuration start here; "" = the working directory
	// Wrap is put around the HTTP transport, so that a test sees each exchange.
	Wrap func(http.RoundTripper) http.RoundTripper
}

// WithDefaults returns d with its nil members filled in.
func (d Deps) WithDefaults() Deps {
	if d.Clock == nil {
		d.Clock = clock.System()
	}
	if d.Random == nil {
		d.Random = rand.Reader
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	return d
}
