package sqlstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"samla/internal/availability"
)

// AddAvailability implements store.AvailabilityWriter. The rows are in order, so that two
// nodes do not wait for each other.
func (t *tx) AddAvailability(ctx context.Context, calls []availability.Call, persons []availability.Person) error {
	slices.SortFunc(calls, func(a, b availability.Call) int {
		return cmp.Or(strings.Compare(a.Company, b.Company), a.Start.Compare(b.Start), a.Bucket-b.Bucket)
	})
	// The release before this one counts by cause too, in the same rows: it reads these as
	// answered calls.
	for _, c := range calls {
		if err := t.q.execLater(ctx, `INSERT INTO availability_calls (company, hour, cause, bucket, calls) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (company, hour, cause, bucket) DO UPDATE SET calls = availability_calls.calls + excluded.calls`,
			c.Company, micros(c.Start), string(availability.Served), int64(c.Bucket), c.Calls); err != nil {
			return err
		}
	}
	slices.SortFunc(persons, func(a, b availability.Person) int {
		return cmp.Or(strings.Compare(a.Company, b.Company), a.Start.Compare(b.Start), slices.Compare(a.Digest, b.Digest))
	})
	for _, p := range persons {
		if err := t.q.execLater(ctx, `INSERT INTO availability_persons (company, hour, person, cause, happened_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (company, hour, person) DO UPDATE SET cause = excluded.cause, happened_at = excluded.happened_at
WHERE excluded.happened_at >= availability_persons.happened_at`,
			p.Company, micros(p.Start), p.Digest, string(p.Cause), micros(p.At)); err != nil {
			return err
		}
	}
	return nil
}

// AvailabilityHours implements store.AvailabilityReader.
func (r reader) AvailabilityHours(ctx context.Context, from time.Time) ([]availability.Hour, error) {
	open, err := r.openHours(ctx, `hour >= $1`, micros(from))
	if err != nil {
		return nil, err
	}
	folded, err := list(ctx, r.q, scanHour, `SELECT company, hour, persons, failed, latency FROM availability_hours
WHERE hour >= $1 ORDER BY company, hour`, micros(from))
	if err != nil {
		return nil, err
	}
	all := append(folded, open...)
	slices.SortStableFunc(all, func(a, b availability.Hour) int {
		return cmp.Or(strings.Compare(a.Company, b.Company), a.Start.Compare(b.Start))
	})
	// An hour that another node folds in between is in both.
	return slices.CompactFunc(all, func(a, b availability.Hour) bool { return a.Company == b.Company && a.Start.Equal(b.Start) }), nil
}

// openHours adds up what is counted of hours that are not folded.
func (r reader) openHours(ctx context.Context, where string, hour int64) ([]availability.Hour, error) {
	hours := map[string]*availability.Hour{}
	at := func(company string, start int64) *availability.Hour {
		key := fmt.Sprint(company, " ", start)
		if hours[key] == nil {
			hours[key] = &availability.Hour{Company: company, Start: fromMicros(start), Failed: map[availability.Cause]int64{}}
		}
		return hours[key]
	}
	_, err := list(ctx, r.q, func(row rows) (n int64, err error) {
		var company string
		var start, bucket int64
		if err = row.Scan(&company, &start, &bucket, &n); err != nil {
			return 0, err
		}
		if h := at(company, start); bucket >= 0 && bucket < int64(len(h.Latency)) {
			h.Latency[bucket] += n
		}
		return n, nil
	}, `SELECT company, hour, bucket, calls FROM availability_calls WHERE `+where+` AND cause IN ($2, $3)`,
		hour, string(availability.Served), string(availability.ByPerson))
	if err != nil {
		return nil, err
	}
	_, err = list(ctx, r.q, func(row rows) (n int64, err error) {
		var company string
		var start int64
		var cause availability.Cause
		if err = row.Scan(&company, &start, (*string)(&cause), &n); err != nil {
			return 0, err
		}
		h := at(company, start)
		h.Persons += n
		if cause != availability.Served {
			h.Failed[cause] += n
		}
		return n, nil
	}, `SELECT company, hour, cause, COUNT(*) FROM availability_persons WHERE `+where+` GROUP BY company, hour, cause`, hour)
	all := make([]availability.Hour, 0, len(hours))
	for _, h := range hours {
		all = append(all, *h)
	}
	slices.SortFunc(all, func(a, b availability.Hour) int {
		return cmp.Or(strings.Compare(a.Company, b.Company), a.Start.Compare(b.Start))
	})
	return all, err
}

func scanHour(r rows) (h availability.Hour, err error) {
	var start int64
	var failed, latency string
	if err := r.Scan(&h.Company, &start, &h.Persons, &failed, &latency); err != nil {
		return h, err
	}
	h.Start = fromMicros(start)
	if err := decode(failed, &h.Failed); err != nil {
		return h, err
	}
	var ok bool
	if h.Latency, ok = availability.ParseHistogram(latency); !ok {
		return h, fmt.Errorf("sqlstore: the latency of %s at %s cannot be read", h.Company, h.Start)
	}
	return h, nil
}

// FoldAvailability implements store.AvailabilityWriter.
func (t *tx) FoldAvailability(ctx context.Context, before, now time.Time) error {
	hours, err := t.openHours(ctx, `hour < $1`, micros(before))
	if err != nil {
		return err
	}
	for _, h := range hours {
		failed, err := encode(h.Failed)
		if err != nil {
			return err
		}
		if err := t.q.execLater(ctx, `INSERT INTO availability_hours (company, hour, persons, failed, calls, latency) VALUES ($1, $2, $3, $4, '{}', $5) ON CONFLICT DO NOTHING`,
			h.Company, micros(h.Start), h.Persons, failed, h.Latency.String()); err != nil {
			return err
		}
	}
	for _, table := range []string{"availability_calls", "availability_persons"} {
		if err := t.q.execLater(ctx, `DELETE FROM `+table+` WHERE hour < $1`, micros(before)); err != nil {
			return err
		}
	}
	return t.q.execLater(ctx, `DELETE FROM availability_hours WHERE hour < $1`, micros(now.Add(-availability.Keep)))
}
