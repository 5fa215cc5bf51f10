package grant

import (
	"slices"
	"time"
)

// Grant is what a person has allowed an application to read, with its tokens. It changes
// only through Apply. Its code is exchanged once; then its access tokens live until they
// expire, and its refresh tokens until the end of the grant.
type Grant struct {
	ID        string    `json:"id"`
	App       string    `json:"app"`
	Root      string    `json:"root"`
	Flow      Flow      `json:"flow"`
	Country   string    `json:"country"`
	Person    string    `json:"person"`
	Agreement string    `json:"agreement,omitempty"` // business
	Scopes    []string  `json:"scopes"`
	Accounts  []string  `json:"accounts"` // ids of version 5
	Cards     []string  `json:"cards"`
	Months    int       `json:"months"` // of transactions
	Signed    time.Time `json:"signed"`
	Ends      time.Time `json:"ends"`

	Code      string    `json:"code"`
	CodeUntil time.Time `json:"codeUntil"`
	Redirect  string    `json:"redirect,omitempty"` // redirect_uri of its request
	Exchanged bool      `json:"exchanged,omitempty"`
	Revoked   bool      `json:"revoked,omitempty"`

	Access  []Token `json:"access,omitempty"`  // oldest first
	Refresh []Token `json:"refresh,omitempty"` // oldest first
}

// Allows reports whether the grant has a scope.
func (g Grant) Allows(scope string) bool { return slices.Contains(g.Scopes, scope) }

// Flow is how a grant was signed.
type Flow string

// The flows; each has a token endpoint of its own.
const (
	Decoupled Flow = "decoupled"
	Redirect  Flow = "redirect"
)

// Token is an access token or a refresh token.
type Token struct {
	Value    string    `json:"value"`
	Until    time.Time `json:"until"` // when it expires
	Revoked  bool      `json:"revoked,omitempty"`
	Replaced time.Time `json:"replaced,omitzero"` // refresh tokens: when it was rotated
	Used     bool      `json:"used,omitempty"`    // refresh tokens
}

// maxTokens is how many tokens of each kind a grant keeps. Older ones are unknown to it.
const maxTokens = 50

// Event is something that happens to a grant: Exchange, Renew, RevokeToken or
// RevokeGrant.
type Event interface {
	apply(g Grant, now time.Time) (Grant, error)
}

// Apply returns the grant after an event, or with an error the grant unchanged: ErrCode,
// ErrToken or ErrExpired. It never changes the tokens of g.
func (g Grant) Apply(e Event, now time.Time) (Grant, error) {
	next := g
	next.Access, next.Refresh = slices.Clone(g.Access), slices.Clone(g.Refresh)
	next, err := e.apply(next, now)
	if err != nil {
		return g, err
	}
	next.Access, next.Refresh = newest(next.Access), newest(next.Refresh)
	return next, nil
}

func newest(list []Token) []Token { return list[max(0, len(list)-maxTokens):] }

// Reads returns an error if the access token does not allow reads at that time.
func (g Grant) Reads(access string, now time.Time) error {
	i := find(g.Access, access)
	switch {
	case i < 0 || g.Revoked || g.Access[i].Revoked:
		return ErrToken
	case !now.Before(g.Access[i].Until):
		return ErrExpired
	}
	return nil
}

func find(list []Token, value string) int {
	return slices.IndexFunc(list, func(t Token) bool { return t.Value == value && value != "" })
}

// Exchange exchanges the code for the first tokens.
type Exchange struct {
	Code, Access, Refresh string        // the new tokens
	Life                  time.Duration // of the access token
}

func (e Exchange) apply(g Grant, now time.Time) (Grant, error) {
	if g.Exchanged || g.Revoked || e.Code == "" || e.Code != g.Code || !now.Before(g.CodeUntil) {
		return g, ErrCode
	}
	g.Exchanged = true
	g.Access = append(g.Access, g.access(e.Access, e.Life, now))
	g.Refresh = append(g.Refresh, Token{Value: e.Refresh, Until: g.Ends})
	return g, nil
}

// access returns a new access token. It does not outlive the grant.
func (g Grant) access(value string, life time.Duration, now time.Time) Token {
	until := now.Add(life)
	if g.Ends.Before(until) {
		until = g.Ends
	}
	return Token{Value: value, Until: until}
}

// Renew is the use of a refresh token.
type Renew struct {
	Refresh    string
	NewAccess  string
	NewRefresh string        // empty: the refresh token stays the same
	Life       time.Duration // of the access token
	Grace      time.Duration // in which a rotated token works once more, unless its successor was used
}

func (e Renew) apply(g Grant, now time.Time) (Grant, error) {
	i := find(g.Refresh, e.Refresh)
	switch {
	case i < 0 || g.Revoked || g.Refresh[i].Revoked:
		return g, ErrToken
	case !now.Before(g.Refresh[i].Until):
		return g, ErrExpired
	}
	old := &g.Refresh[i]
	if !old.Replaced.IsZero() {
		// The answer to the rotation may be lost: within the grace the next token is not
		// used yet, and is replaced too.
		last := &g.Refresh[len(g.Refresh)-1]
		if i != len(g.Refresh)-2 || last.Used || now.Sub(old.Replaced) >= e.Grace {
			return g, ErrToken
		}
		last.Revoked = true
	}
	old.Used = true
	g.Access = append(g.Access, g.access(e.NewAccess, e.Life, now))
	if e.NewRefresh != "" {
		if old.Replaced.IsZero() {
			old.Replaced = now
		}
		next := Token{Value: e.NewRefresh, Until: g.Ends}
		if last := len(g.Refresh) - 1; g.Refresh[last].Revoked && last == i+1 {
			g.Refresh = append(g.Refresh[:i], *old, next) // the lost one is forgotten
		} else {
			g.Refresh = append(g.Refresh, next)
		}
	}
	return g, nil
}

// RevokeToken revokes a token: a refresh token with the whole grant, an access token alone
// (docs/reference/families.md 3.5, RFC 7009 2.1).
type RevokeToken struct{ Value string }

func (e RevokeToken) apply(g Grant, _ time.Time) (Grant, error) {
	if find(g.Refresh, e.Value) >= 0 {
		g.Revoked = true
		return g, nil
	}
	i := find(g.Access, e.Value)
	if i < 0 {
		return g, ErrToken
	}
	g.Access[i].Revoked = true
	return g, nil
}

// RevokeGrant is the end of a grant by the person, at the bank.
type RevokeGrant struct{}

func (RevokeGrant) apply(g Grant, _ time.Time) (Grant, error) {
	if g.Revoked {
		return g, ErrState
	}
	g.Revoked = true
	return g, nil
}
