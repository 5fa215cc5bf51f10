package node

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"sync"
	"time"

	"samla/internal/api"
	"samla/internal/availability"
	"samla/internal/company"
	"samla/internal/gzipped"
	"samla/internal/jsontext"
	"samla/internal/uptime"
)

// StatusSource is the part of package uptime that Status needs.
type StatusSource interface {
	Published(days int) ([]uptime.Institution, time.Time)
}

// Status answers what was measured of the institutions: JSON, or a page for a client that
// accepts text/html. Anyone may ask, so an answer is made once for all (docs/reference/api.md
// 6.4).
func Status(s StatusSource) api.Endpoint {
	made := &statusDocuments{source: s, made: map[statusKey]madeStatus{}}
	return api.Endpoint{Serve: func(c *api.Call) error {
		q, err := c.Query()
		if err != nil {
			return err
		}
		key := statusKey{days: 1, page: c.Accepts("text/html")}
		if days := q.Get("days"); days != "" {
			key.days, _ = strconv.Atoi(days) // valid by the contract
		}
		d, err := made.of(key)
		if err != nil {
			return err
		}
		h := c.Header()
		h["Cache-Control"] = []string{"public, max-age=15"}
		h["Vary"] = append(h["Vary"], "Accept")
		if key.page {
			h["Content-Security-Policy"] = []string{pagePolicy}
			c.SetType("text/html; charset=utf-8")
		}
		return c.WriteStored(d)
	}}
}

type statusKey struct {
	days int
	page bool
}

type madeStatus struct {
	at time.Time
	*document
}

// statusDocuments makes each answer once, until there are newer figures.
type statusDocuments struct {
	source StatusSource
	mu     sync.Mutex
	made   map[statusKey]madeStatus
}

func (s *statusDocuments) of(key statusKey) (*document, error) {
	list, at := s.source.Published(key.days)
	s.mu.Lock()
	last := s.made[key]
	s.mu.Unlock()
	if last.document != nil && last.at.Equal(at) {
		return last.document, nil
	}
	write := statusJSON
	if key.page {
		write = statusPage
	}
	plain, err := write(list, at, key.days)
	if err != nil {
		return nil, err
	}
	// The tag stays while nothing but the time of reading changes.
	timeless, err := write(list, time.Time{}, key.days)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(timeless)
	d := &document{tag: hex.EncodeToString(sum[:8]), plain: plain, packed: gzipped.Compress(plain)}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made[key] = madeStatus{at, d}
	return d, nil
}

type statusBody struct {
	GeneratedAt  string                  `json:"generatedAt"`
	Days         int                     `json:"days"`
	Institutions []institutionStatusBody `json:"institutions"`
}

type institutionStatusBody struct {
	Company            string               `json:"company"`
	CompanyDisplayName string               `json:"companyDisplayName"`
	Status             company.Availability `json:"status"`
	Measured           bool                 `json:"measured"`
	Cause              string               `json:"cause,omitempty"`
	LastDay            figuresBody          `json:"lastDay"`
	Hours              []figuresBody        `json:"hours"`
}

type figuresBody struct {
	Start        string              `json:"start"`
	Availability *float64            `json:"availability"`
	Errors       map[string]*float64 `json:"errors"`
	P50Ms        *int64              `json:"p50Ms"`
	P95Ms        *int64              `json:"p95Ms"`
	P99Ms        *int64              `json:"p99Ms"`
}

// causeNames are the values of the member cause.
var causeNames = map[company.Outcome]string{company.FailedThere: "BANK", company.FailedHere: "SAMLA", company.Slow: "SLOW"}

func statusJSON(list []uptime.Institution, at time.Time, days int) ([]byte, error) {
	body := statusBody{GeneratedAt: at.UTC().Format(jsontext.TimeLayout), Days: days, Institutions: make([]institutionStatusBody, len(list))}
	for i, about := range list {
		b := institutionStatusBody{Company: about.Company.ID, CompanyDisplayName: about.Company.DisplayName, Status: about.Condition.Availability,
			Measured: about.Condition.Measured, Cause: causeNames[about.Condition.Cause], LastDay: figuresOf(about.LastDay), Hours: make([]figuresBody, len(about.Hours))}
		for n, h := range about.Hours {
			b.Hours[n] = figuresOf(h)
		}
		body.Institutions[i] = b
	}
	return jsontext.Marshal(body)
}

func figuresOf(f uptime.Figures) figuresBody {
	b := figuresBody{Start: f.Start.Format(jsontext.TimeLayout), Availability: f.Availability, Errors: map[string]*float64{},
		P50Ms: milliseconds(f.P50), P95Ms: milliseconds(f.P95), P99Ms: milliseconds(f.P99)}
	for _, cause := range []availability.Cause{availability.ByInstitution, availability.BySamla} {
		b.Errors[string(cause)] = f.Errors[cause]
	}
	return b
}

func milliseconds(d *time.Duration) *int64 {
	if d == nil {
		return nil
	}
	ms := max(d.Milliseconds(), 1)
	return &ms
}
