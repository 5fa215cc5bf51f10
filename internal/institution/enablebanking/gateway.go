package enablebanking

import (
	"context"
	"errors"
	"hash/fnv"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"samla/internal/clock"
	"samla/internal/company"
	"samla/internal/httpclient"
	"samla/internal/institution"
	"samla/internal/strictjson"
)

// Gateway is one application at the gateway, with the list of banks. Its banks share it.
// It is safe for concurrent use.
type Gateway struct {
	config Config
	client *httpclient.Client
	clock  clock.Clock
	log    *slog.Logger
	name   string // company id of the entry
	file   string // of the list

	upkeep sync.Mutex
	retry  time.Time // not before it; guarded by upkeep

	renewing sync.Mutex
	list     atomic.Pointer[Directory]
	byID     atomic.Pointer[map[string]Entry]
}

// New returns a gateway with an empty list of banks, and makes no exchange. Errors:
// strictjson.Faults.
func New(c Config, d institution.Deps) (*Gateway, error) {
	if faults := c.Check(); len(faults) > 0 {
		return nil, faults
	}
	c, d = c.withDefaults(d.Company), d.WithDefaults()
	at := func(path string) string {
		if filepath.IsAbs(path) {
			return path
		}
		return filepath.Join(d.Dir, path)
	}
	var faults strictjson.Faults
	settings := httpclient.Config{BaseURL: c.BaseURL, Now: d.Clock.Now, WrapTransport: d.Wrap, Traceparent: d.Traceparent}
	if c.CAFile != "" {
		roots, err := httpclient.LoadRoots(at(c.CAFile))
		if err != nil {
			faults.Add("/caFile", err.Error())
		}
		settings.Roots = roots
	}
	if key, err := httpclient.LoadKey(at(c.KeyFile)); err != nil {
		faults.Add("/keyFile", err.Error())
	} else if settings.Signer, err = newTokens(key, c.ApplicationID); err != nil {
		faults.Add("/keyFile", "must hold an RSA key of at least 2048 bits")
	}
	if len(faults) > 0 {
		return nil, faults
	}
	client, err := httpclient.New(settings)
	if err != nil {
		return nil, err
	}
	g := &Gateway{config: c, client: client, clock: d.Clock, log: d.Log, name: d.Company, file: at(c.DirectoryFile)}
	g.setDirectory(Directory{})
	return g, nil
}

// Close closes the connections that are not in use.
func (g *Gateway) Close() { g.client.Close() }

func (g *Gateway) setDirectory(d Directory) {
	byID := make(map[string]Entry, len(d.Banks))
	for _, e := range d.Banks {
		byID[e.ID] = e
	}
	g.byID.Store(&byID)
	g.list.Store(&d)
}

// Directory returns the list of banks.
func (g *Gateway) Directory() Directory { return *g.list.Load() }

// Load reads the list that was kept last. Errors: strictjson.Faults.
func (g *Gateway) Load() error {
	d, err := LoadDirectory(g.file)
	var faults strictjson.Faults
	switch {
	case errors.Is(err, fs.ErrNotExist):
		faults.Add("/directoryFile", "there is no list of banks yet: run samla gateway enablebanking refresh")
	case err != nil:
		faults.Add("/directoryFile", "the list of banks "+httpclient.WithoutPath(err).Error()+": delete it and run samla gateway enablebanking refresh")
	default:
		g.setDirectory(d)
		return nil
	}
	return faults
}

// Application is what the gateway knows of our application.
type Application struct {
	Name         string
	Environment  string // SANDBOX or PRODUCTION
	Active       bool
	RedirectURLs []string
	Countries    []string
	Services     []string
}

// Application asks for what the gateway knows of our application.
func (g *Gateway) Application(ctx context.Context) (Application, error) {
	body, err := g.exchange(ctx, call{operation: opDirectory, method: http.MethodGet, path: []string{"application"}})
	if err != nil {
		return Application{}, err
	}
	return readApplication(body)
}

const (
	// renewEvery is the time between two renewals of the list.
	renewEvery = 24 * time.Hour
	// retryAfter is the time after a renewal that has failed.
	retryAfter = time.Hour
	// fewest is the share of the banks of a country that a new list must have for it to be
	// believed, in percent.
	fewest = 50
)

// Renew asks for the list of banks, and keeps it. If it lacks many of the banks that are
// known, it is not believed, and the one before stays. Errors: *institution.Error, and
// those of the file system.
func (g *Gateway) Renew(ctx context.Context) error {
	g.renewing.Lock()
	defer g.renewing.Unlock()
	before := g.Directory()
	var all []Entry
	for _, country := range g.config.Countries {
		query := url.Values{"country": {country}, "psu_type": {g.config.PSUType}, "service": {"AIS"}}
		body, err := g.exchange(ctx, call{operation: opDirectory, method: http.MethodGet, path: []string{"aspsps"}, query: query})
		if err != nil {
			return err
		}
		list, err := readDirectory(body)
		if err != nil {
			return err
		}
		if known := before.count(country); len(list)*100 < known*fewest {
			g.log.Warn("the gateway's list of banks is much shorter than before and is not used", "country", country, "banks", len(list), "before", known)
			return malformed("aspsps has much fewer elements than before")
		}
		all = append(all, list...)
	}
	after := before.Renewed(all, g.clock.Now(), g.config.IDPart)
	if err := after.Save(g.file); err != nil {
		return err
	}
	g.setDirectory(after)
	g.tellNews(before, after)
	return nil
}

// count returns how many banks of a country the gateway had at last.
func (d Directory) count(country string) (n int) {
	for _, e := range d.Banks {
		if e.Country == country && e.Gone.IsZero() {
			n++
		}
	}
	return n
}

// tellNews logs which banks are offered from now on, and which no more.
func (g *Gateway) tellNews(before, after Directory) {
	if len(before.Banks) == 0 {
		return
	}
	known := map[string]bool{}
	for _, e := range before.Banks {
		known[e.ID] = true
	}
	var added, gone []string
	for _, e := range after.Banks {
		switch {
		case !g.config.wants(e):
		case !known[e.ID]:
			added = append(added, e.ID)
		case e.Gone.Equal(after.FetchedAt):
			gone = append(gone, e.ID)
		}
	}
	if len(added) > 0 {
		g.log.Info("the gateway has new banks, which are offered from now on", "companies", strings.Join(added, " "))
	}
	if len(gone) > 0 {
		g.log.Warn("the gateway has these banks no more: they are shown as unavailable, and their consents go on until they end", "companies", strings.Join(gone, " "))
	}
}

// Upkeep renews the list once a day, at a time that follows from the id of the application:
// all nodes renew it together, so that each knows the banks that another one offers. After a
// failure it waits for an hour.
func (g *Gateway) Upkeep(ctx context.Context) error {
	g.upkeep.Lock()
	defer g.upkeep.Unlock()
	now := g.clock.Now()
	// A list of the future was fetched by a clock that has been set back since.
	if at := g.Directory().FetchedAt; !at.Before(g.renewal(now)) && at.Before(now.Add(retryAfter)) || now.Before(g.retry) {
		return nil
	}
	err := g.Renew(ctx)
	if g.retry = (time.Time{}); err != nil {
		g.retry = now.Add(retryAfter)
	}
	return err
}

// renewal returns the last time, up to now, at which the list was to be renewed.
func (g *Gateway) renewal(now time.Time) time.Time {
	h := fnv.New32a()
	_, _ = h.Write([]byte(strings.ToLower(g.config.ApplicationID)))
	offset := time.Duration(h.Sum32()%uint32(renewEvery/time.Minute)) * time.Minute
	return now.Add(-offset).Truncate(renewEvery).Add(offset)
}

// news returns Institution.Now.
func (g *Gateway) news(taken func(string) bool) func() []institution.Institution {
	told := g.list.Load()
	return func() []institution.Institution {
		if last := g.list.Load(); last != told {
			told = last
			return g.Institutions(taken)
		}
		return nil
	}
}

// Institutions returns the banks of the list that the configuration names, one of each id.
// A bank for which taken reports a company of its own, and one that the directory has no
// more, are retired: only consents that began before can be used.
func (g *Gateway) Institutions(taken func(companyID string) bool) []institution.Institution {
	var all []institution.Institution
	for _, e := range g.Directory().Banks {
		if !g.config.wants(e) {
			continue
		}
		i := g.bank(e).institution()
		i.Company = company.Company{ID: e.ID, DisplayName: e.Name}
		direct := strings.ToLower(e.Country) + "-" + slug(e.Name)
		preferred := taken(direct) || taken(direct+"-psd2")
		i.Gone = !e.Gone.IsZero() && !preferred
		if i.Gone || preferred {
			i.Retired, i.Opener, i.Authorizer = true, nil, nil
		}
		if len(all) == 0 {
			i.Upkeep, i.Close = g.Upkeep, g.Close
			i.Now = g.news(taken)
			i.Reach = func(ctx context.Context) (institution.Reached, error) {
				r, err := g.client.Reach(ctx)
				return institution.Reached(r), err
			}
			i.ReturnAddresses = func(ctx context.Context) ([]string, error) {
				known, err := g.Application(ctx)
				return known.RedirectURLs, err
			}
		}
		all = append(all, i)
	}
	return all
}
