package obie

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"

	"samla/internal/sandbox/persona"
)

const dayLength = 24 * time.Hour

// countRead counts a read without the person per resource and account, and refuses it if
// those of a rolling 24 hours are used up. Further pages do not count (docs/reference/families.md
// 4.7).
func (c *call) countRead(kind, account string) *apiError {
	if c.attended || c.DailyLimit == 0 {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.Clock.Now()
	key := c.consent.ID + "/" + kind + "/" + account
	if wait, left := c.reads.Left(key, c.DailyLimit, now); !left {
		return &apiError{status: http.StatusTooManyRequests, retryAfter: int(wait/time.Second) + 1}
	}
	c.reads.Add(key, now)
	c.write(entry{Read: &readEntry{key, now}})
	return nil
}

// firstDay is the first day of which the consent may read transactions now.
func (c *call) firstDay(now time.Time) persona.Day {
	days := c.HistoryDays
	if c.FullHistoryFor > 0 && now.Sub(c.consent.SCA) > c.FullHistoryFor {
		days = min(days, ShortHistoryDays)
	}
	return persona.DayAt(now) - persona.Day(days)
}

// partyID is an id that follows from the persona: a bank gives a person the same one before and
// after a restart, and another bank another one.
func (b *Bank) partyID(p persona.Person) string {
	sum := sha256.Sum256([]byte(b.base + "/party/" + p.Number + "/" + p.Name()))
	return hex.EncodeToString(sum[:8])
}
