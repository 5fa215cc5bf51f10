package consent

import "time"

// Tokens are what an institution has given for a consent in an exchange of OAuth 2.0
// (RFC 6749 5.1). They are secret: Tokens is stored only in what is sealed.
type Tokens struct {
	Access  string    `json:"access,omitempty"`
	Refresh string    `json:"refresh,omitempty"` // empty if the institution gave none
	Until   time.Time `json:"until,omitzero"`    // end of Access; zero = not told: it is used until it is refused
	// RefreshUntil is the end of Refresh; zero = not told.
	RefreshUntil time.Time `json:"refreshUntil,omitzero"`
}

// Given reports whether there is one.
func (t Tokens) Given() bool { return t.Access != "" || t.Refresh != "" }

// TokenMargin is how long before its end an access token is replaced. It has room for
// the clocks of the two sides and for an exchange that has begun.
const TokenMargin = time.Minute

// Stale reports whether the access token is to be replaced before it is used at the time
// now.
func (t Tokens) Stale(now time.Time) bool {
	return t.Refresh != "" && (t.Access == "" || !t.Until.IsZero() && !now.Before(t.Until.Add(-TokenMargin)))
}

// UntoldLife is how long an access token counts as good whose bank has told the life of the
// ones before it and does not tell its own.
const UntoldLife = 10 * time.Minute

// Since returns the tokens of an answer to a refresh, at the time now. If the bank told the
// life of the token before and not that of this one, it gets UntoldLife.
func (t Tokens) Since(before Tokens, now time.Time) Tokens {
	if t.Until.IsZero() && !before.Until.IsZero() {
		t.Until = now.Add(UntoldLife)
	}
	return t
}

// Replaced returns the tokens after a refresh. An answer without a refresh token keeps
// the one that was used (RFC 6749 6).
func (t Tokens) Replaced(by Tokens) Tokens {
	if by.Refresh == "" {
		by.Refresh, by.RefreshUntil = t.Refresh, t.RefreshUntil
	}
	return by
}

// Refreshing says that one worker replaces the tokens of a consent. It is stored before
// the request, so that no two workers send one at once, on any node.
type Refreshing struct {
	ID string    `json:"id"` // of the attempt
	At time.Time `json:"at"`
	// Tries is how many requests were sent with the same refresh token. A lost answer is
	// repeated once.
	Tries int `json:"tries"`
}

// RefreshLease is how long a worker that replaces tokens is waited for. After it, another
// one repeats the request.
const RefreshLease = 30 * time.Second

// MostRefreshTries is how often one refresh token is sent whose answer was lost.
const MostRefreshTries = 2

// mostAhead is how far the clock of another node may be ahead of this one's. What is stored
// with a later time was stored by a clock that has been set back since: nobody waits for it.
const mostAhead = 5 * time.Minute

// Held reports whether the worker of r is still waited for.
func (r *Refreshing) Held(now time.Time) bool {
	return r.Within(now, RefreshLease)
}

// Within reports whether the attempt of r was made in a time before now.
func (r *Refreshing) Within(now time.Time, before time.Duration) bool {
	return r != nil && now.Before(r.At.Add(before)) && !now.Before(r.At.Add(-mostAhead))
}

// Denial is that an institution has refused a token of a consent that it has given, such as
// the refresh token with invalid_grant. It may be an outage of the institution.
type Denial struct {
	At    time.Time `json:"at"` // of the first refusal
	Times int       `json:"times"`
}

// DenialConfirmedAfter is the least time between the first refusal of a refresh token and
// the one that ends the consent.
const DenialConfirmedAfter = 10 * time.Minute

// DenialForgottenAfter is how long a refusal counts that collections have met: what they read
// in between is not noted.
const DenialForgottenAfter = 7 * 24 * time.Hour

// Lately returns the denial, or nil if it is older than DenialForgottenAfter.
func (d *Denial) Lately(now time.Time) *Denial {
	if d == nil || now.Sub(d.At) > DenialForgottenAfter || now.Before(d.At.Add(-mostAhead)) {
		return nil
	}
	return d
}

// Denied returns the denial after one more refusal, and reports whether it is confirmed:
// the institution refuses the token again after DenialConfirmedAfter, and does not refuse
// those of many others.
func (d *Denial) Denied(now time.Time, outage bool) (Denial, bool) {
	if d == nil || now.Before(d.At.Add(-mostAhead)) {
		return Denial{At: now, Times: 1}, false
	}
	return Denial{At: d.At, Times: d.Times + 1}, !outage && !now.Before(d.At.Add(DenialConfirmedAfter))
}
