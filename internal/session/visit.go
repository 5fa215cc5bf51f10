package session

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"time"
)

// The times of a visit to My permissions (docs/reference/api.md 3.7).
const (
	// VisitLinkLife is how long a link can be opened.
	VisitLinkLife = 15 * time.Minute
	// VisitIdle ends a visit in which nothing is done.
	VisitIdle = 15 * time.Minute
	// VisitLife ends every visit.
	VisitLife = 4 * time.Hour
	// ArchiveLife is how long an archive can be fetched after it was made.
	ArchiveLife = 15 * time.Minute
	// VisitKept is how long the row of a visit is kept.
	VisitKept = 24 * time.Hour
	// seenEvery is how exactly it is stored when a visit was seen last.
	seenEvery = 30 * time.Second
)

// The reasons why a link cannot be opened.
var (
	ErrLinkUsed    = errors.New("session: the link has been used")
	ErrLinkExpired = errors.New("session: the link has expired")
)

// ArchiveState is how far the archive of a visit has come.
type ArchiveState string

// The states of an archive.
const (
	NoArchive     ArchiveState = ""
	ArchiveMaking ArchiveState = "MAKING"
	ArchiveReady  ArchiveState = "READY"
	ArchiveFailed ArchiveState = "FAILED"
)

// Visit is a visit of a person to My permissions. It begins as a link that a client makes,
// which works once; who opens it is signed in with the secret of a cookie. Secrets are
// stored as hashes.
type Visit struct {
	ID        string // UUID
	ClientID  string
	UserID    string
	Link      string // hash of the secret of the link
	Language  string // that the client asked for; may be empty
	CreatedAt time.Time
	OpenBy    time.Time
	Key       string // hash of the secret of the browser; empty before the link is opened
	OpenedAt  time.Time
	SeenAt    time.Time
	EndedAt   time.Time // signed out

	Archive   ArchiveState
	ArchiveAt time.Time // when the state of the archive changed

	Person string // hash of the person who has signed in (consent.Consent.Person); empty: the visit is by a link

	Rev int64
}

// HashOfSecret returns how the secret of a link or of a browser is stored.
func HashOfSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Opened returns the visit after its link was opened by the browser with a secret of the
// hash key. Errors: ErrLinkUsed, ErrLinkExpired.
func (v Visit) Opened(key string, now time.Time) (Visit, error) {
	switch {
	case !v.OpenedAt.IsZero():
		return v, ErrLinkUsed
	case !now.Before(v.OpenBy):
		return v, ErrLinkExpired
	}
	v.Key, v.OpenedAt, v.SeenAt = key, now, now
	return v, nil
}

// Live reports whether the person is signed in at the time now.
func (v Visit) Live(now time.Time) bool {
	return v.Key != "" && !v.OpenedAt.IsZero() && v.EndedAt.IsZero() && now.Before(v.SeenAt.Add(VisitIdle)) && now.Before(v.OpenedAt.Add(VisitLife))
}

// Seen returns the visit after the person did something, and whether that is worth to be
// stored.
func (v Visit) Seen(now time.Time) (Visit, bool) {
	if now.Sub(v.SeenAt) < seenEvery {
		return v, false
	}
	v.SeenAt = now
	return v, true
}

// Ended returns the visit after the person signed out.
func (v Visit) Ended(now time.Time) Visit {
	if v.EndedAt.IsZero() {
		v.EndedAt = now
	}
	return v
}

// Asked returns the visit after an archive was asked for, and whether one has to be made:
// not while one is being made or can be fetched.
func (v Visit) Asked(now time.Time) (Visit, bool) {
	if v.Archive == ArchiveMaking || v.Fetchable(now) {
		return v, false
	}
	v.Archive, v.ArchiveAt = ArchiveMaking, now
	return v, true
}

// Made returns the visit after its archive was made, or could not be.
func (v Visit) Made(ok bool, now time.Time) Visit {
	v.Archive, v.ArchiveAt = ArchiveFailed, now
	if ok {
		v.Archive = ArchiveReady
	}
	return v
}

// Fetchable reports whether the archive can be fetched.
func (v Visit) Fetchable(now time.Time) bool {
	return v.Archive == ArchiveReady && now.Before(v.ArchiveAt.Add(ArchiveLife))
}
