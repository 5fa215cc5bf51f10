package collect

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"

	"samla/internal/institution"
	"samla/internal/quota"
)

// counters count the questions of an unattended collection as a bank does that counts them
// for each account or endpoint, so that none is asked which the bank would refuse. Nil
// counts nothing: the bank counts collections.
type counters struct {
	rule    quota.Rule
	key     []byte // of the hash: the bank's id of the consent, which is secret
	room    map[string]int
	reads   []quota.Read   // of the last Window, by this and earlier collections
	pending map[string]int // counted and not stored yet
}

// counters returns the counters of a collection, or nil.
func (s *Service) counters(ctx context.Context, j *journal, a institution.Access, rule quota.Rule) (*counters, error) {
	if j.c.Attended || rule.Per == quota.PerConsent {
		return nil, nil
	}
	reads, err := s.Store.UnattendedCalls(ctx, j.lineage, s.Clock.Now().Add(-quota.Window))
	return &counters{rule: rule, key: []byte(a.ConsentID), reads: reads, room: map[string]int{}, pending: map[string]int{}}, err
}

// of returns the counter of a question. It does not reveal the account.
func (c *counters) of(q institution.Question) string {
	mac := hmac.New(sha256.New, c.key)
	parts := []string{q.Account}
	if c.rule.Per == quota.PerEndpoint || q.Account == "" {
		parts = append(parts, q.Kind)
	}
	for _, part := range parts {
		mac.Write([]byte(part))
		mac.Write([]byte{0})
	}
	return hex.EncodeToString(mac.Sum(nil)[:12])
}

// take counts a question that is about to be asked, and reports whether it may be.
func (c *counters) take(q institution.Question, j *journal) bool {
	if c == nil {
		return true
	}
	counter := c.of(q)
	left, known := c.room[counter]
	if !known {
		left = c.rule.Room(j.Clock.Now(), counter, c.reads)
	}
	if left == 0 {
		c.room[counter] = 0
		return false
	}
	c.room[counter] = left - 1
	c.pending[counter]++
	return true
}

// taken returns what is counted and not stored yet.
func (c *counters) taken() map[string]int {
	if c == nil {
		return nil
	}
	return c.pending
}

// stored says that what was taken is stored.
func (c *counters) stored() {
	if c != nil {
		clear(c.pending)
	}
}

// errQuotaUsed is the error of a question that is not asked because its bank would refuse
// it.
var errQuotaUsed = &institution.Error{Kind: institution.AccessExceeded, NotSent: true, NotCounted: true}
