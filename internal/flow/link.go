package flow

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"time"
)

// MostLinkLife and LinkLife are the longest and the usual time in which a link can be
// opened.
const (
	LinkLife     = 15 * time.Minute
	MostLinkLife = 24 * time.Hour
)

// The reasons why a link cannot be opened.
var (
	ErrUsed    = errors.New("flow: the link has been used")
	ErrExpired = errors.New("flow: the link has expired")
)

// Link leads one person to the connect page, once.
type Link struct {
	ID        string // UUID
	ClientID  string
	UserID    string
	Hash      string // of the secret in its address
	Terms     Terms
	CreatedAt time.Time
	ExpiresAt time.Time
	OpenedAt  time.Time // zero: not used
	FlowID    string    // that it has become
	Sealed    []byte    // Typed: what the client knows; empty once opened
}

// HashOf returns the hash of a secret: of a link, or of a browser.
func HashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Opened returns the link after it was opened at the time now, and the flow that it becomes.
// flowID and key are the id of the flow and the hash of its browser's secret. The flow begins
// with the only company of the terms chosen. What is sealed does not come along: it names its
// place. Errors: ErrUsed, ErrExpired.
func (l Link) Opened(flowID, key string, now time.Time) (Link, Flow, error) {
	switch {
	case !l.OpenedAt.IsZero():
		return l, Flow{}, ErrUsed
	case !now.Before(l.ExpiresAt):
		return l, Flow{}, ErrExpired
	}
	f := Flow{ID: flowID, LinkID: l.ID, ClientID: l.ClientID, UserID: l.UserID, Key: key, Terms: l.Terms,
		State: Start, CreatedAt: now, StateAt: now, SeenAt: now}
	if f.fixed() {
		f.Company, f.State = l.Terms.Companies[0], Review
	}
	l.OpenedAt, l.FlowID, l.Sealed = now, flowID, nil
	return l, f, nil
}
