package sqlstore

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"samla/internal/client"
	"samla/internal/deviation"
)

// AddUses implements store.UsageWriter. The rows are in order, so that two nodes do not wait
// for each other.
func (t *tx) AddUses(ctx context.Context, uses []client.Use, now time.Time) error {
	slices.SortFunc(uses, func(a, b client.Use) int {
		return cmp.Or(strings.Compare(a.ClientID, b.ClientID), strings.Compare(a.KeyID, b.KeyID), strings.Compare(a.Version, b.Version), int(flag(a.Named)-flag(b.Named)), a.Day.Compare(b.Day))
	})
	for _, u := range uses {
		if err := t.q.execLater(ctx, `INSERT INTO api_uses (client_id, key_id, version, named, day, requests, last_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (client_id, key_id, version, named, day) DO UPDATE SET requests = api_uses.requests + excluded.requests,
last_at = CASE WHEN excluded.last_at > api_uses.last_at THEN excluded.last_at ELSE api_uses.last_at END`,
			u.ClientID, u.KeyID, u.Version, flag(u.Named), micros(u.Day), u.Requests, micros(u.LastAt)); err != nil {
			return err
		}
	}
	return t.q.execLater(ctx, `DELETE FROM api_uses WHERE day < $1`, micros(now.Add(-client.KeepUse)))
}

// UsesSince implements store.UsageReader.
func (r reader) UsesSince(ctx context.Context, since time.Time) ([]client.Use, error) {
	return list(ctx, r.q, func(r rows) (u client.Use, err error) {
		var named, day, last int64
		err = r.Scan(&u.ClientID, &u.KeyID, &u.Version, &named, &day, &u.Requests, &last)
		u.Named, u.Day, u.LastAt = named != 0, fromMicros(day), fromMicros(last)
		return u, err
	}, `SELECT client_id, key_id, version, named, day, requests, last_at FROM api_uses WHERE day >= $1 ORDER BY client_id, key_id, version, named, day`, micros(since))
}

// AddDeviations implements store.UsageWriter.
func (t *tx) AddDeviations(ctx context.Context, hours []deviation.Hour, now time.Time) error {
	slices.SortFunc(hours, func(a, b deviation.Hour) int {
		return cmp.Or(strings.Compare(a.Company, b.Company), cmp.Compare(a.Kind, b.Kind), a.Start.Compare(b.Start))
	})
	for _, h := range hours {
		if err := t.q.execLater(ctx, `INSERT INTO deviation_hours (company, kind, hour, n) VALUES ($1, $2, $3, $4)
ON CONFLICT (company, kind, hour) DO UPDATE SET n = deviation_hours.n + excluded.n`, h.Company, string(h.Kind), micros(h.Start), h.N); err != nil {
			return err
		}
	}
	return t.q.execLater(ctx, `DELETE FROM deviation_hours WHERE hour < $1`, micros(now.Add(-deviation.Keep)))
}

func scanDeviation(r rows) (h deviation.Hour, err error) {
	var start int64
	err = r.Scan(&h.Company, (*string)(&h.Kind), &start, &h.N)
	h.Start = fromMicros(start)
	return h, err
}

// DeviationsSince implements store.UsageReader.
func (r reader) DeviationsSince(ctx context.Context, company string, since time.Time) ([]deviation.Hour, error) {
	return list(ctx, r.q, scanDeviation, `SELECT company, kind, hour, n FROM deviation_hours WHERE company = $1 AND hour >= $2 ORDER BY hour, kind`, company, micros(since))
}

// FirstDeviations implements store.UsageReader.
func (r reader) FirstDeviations(ctx context.Context, company string) ([]deviation.Hour, error) {
	return list(ctx, r.q, scanDeviation, `SELECT d.company, d.kind, d.hour, d.n FROM deviation_hours d
JOIN (SELECT kind, MIN(hour) AS hour FROM deviation_hours WHERE company = $1 GROUP BY kind) AS f ON f.kind = d.kind AND f.hour = d.hour
WHERE d.company = $1 ORDER BY d.kind`, company)
}
