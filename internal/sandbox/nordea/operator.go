package nordea

import (
	"time"

	"samla/internal/sandbox/calls"
	"samla/internal/sandbox/nordea/grant"
)

// Stats are counters since the start.
type Stats struct {
	Logins          int            `json:"logins"`        // started
	EarlyPolls      int            `json:"earlyPolls"`    // polls of a login before verify_after
	Visits          int            `json:"visits"`        // redirects to the page
	Grants          int            `json:"grants"`        // authorised
	Refreshes       int            `json:"refreshes"`     // successful
	Revocations     int            `json:"revocations"`   // of known tokens
	AttendedReads   int            `json:"attendedReads"` // that do not count
	UnattendedReads int            `json:"unattendedReads"`
	AccessExceeded  int            `json:"accessExceeded"` // reads over the daily limit
	BurstExceeded   int            `json:"burstExceeded"`  // calls that the gateway refused
	Calls           map[string]int `json:"calls"`          // by kind, as in the log
}

// Stats returns the current counters.
func (b *Bank) Stats() Stats {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.stats
	s.Calls = b.calls.Counts()
	return s
}

// Calls returns the log of the calls. Their kinds are such as "GET personal/v5/accounts/*",
// with " attended" behind those that the person takes part in.
func (b *Bank) Calls() *calls.Log { return b.calls }

// GrantInfo is a grant in the operator's list. It contains no personal data.
type GrantInfo struct {
	ID        string     `json:"grantId"`
	Bank      string     `json:"bank"`
	Root      string     `json:"root"`
	Flow      grant.Flow `json:"flow"`
	Country   string     `json:"country"`
	Scopes    []string   `json:"scopes"`
	Accounts  int        `json:"accounts"`
	Cards     int        `json:"cards"`
	Signed    time.Time  `json:"signed"`
	Ends      time.Time  `json:"ends"`
	Exchanged bool       `json:"exchanged"`
	Revoked   bool       `json:"revoked"`
}

// Grants returns the grants, oldest first.
func (b *Bank) Grants() []GrantInfo {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := []GrantInfo{}
	for _, id := range b.order {
		if g := b.grants[id]; g != nil {
			list = append(list, GrantInfo{
				g.ID, b.Company, g.Root, g.Flow, g.Country, g.Scopes, len(g.Accounts), len(g.Cards),
				g.Signed, g.Ends, g.Exchanged, g.Revoked,
			})
		}
	}
	return list
}

// Revoke revokes a grant as the person would at the bank. It reports false for an unknown
// id, and returns grant.ErrState for a grant that has been revoked.
func (b *Bank) Revoke(id string) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	g := b.grants[id]
	if g == nil {
		return false, nil
	}
	next, err := g.Apply(grant.RevokeGrant{}, b.Clock.Now())
	if err != nil {
		return true, err
	}
	return true, b.save(entry{Grant: &next})
}
