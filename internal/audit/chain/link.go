// Package chain makes the audit log provable. It links entries by hashes, hashes the
// links into a Merkle tree, signs heads of both, and writes and verifies exports. It is
// pure: what stores entries and holds the key is package auditing. The rules are in
// docs/audit.md.
package chain

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strconv"
	"time"
	"unicode/utf8"

	"samla/internal/jsontext"
)

// Hash is a SHA-256 hash. The zero Hash stands before the first entry.
type Hash [sha256.Size]byte

// String returns h in hexadecimal.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText implements encoding.TextMarshaler.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (h *Hash) UnmarshalText(text []byte) error {
	if len(text) != 2*len(h) {
		return errors.New("chain: a hash has 64 hexadecimal digits")
	}
	_, err := hex.Decode(h[:], text)
	return err
}

// Link is an entry of the audit log with its place in the chain.
type Link struct {
	Seq       int64 // 1 is the first entry of the log
	ID        string
	At        time.Time // microseconds
	ClientID  string
	UserID    string
	ConsentID string
	Kind      string
	Detail    []byte

	Prev     Hash  // of the entry before; zero for the first
	UserSeq  int64 // 1 is the first entry of this user; 0 where there is no user
	UserPrev Hash  // of the entry of the same user before; zero for the user's first
}

// timeLayout is how times are written: UTC, microseconds.
const timeLayout = "2006-01-02T15:04:05.000000Z"

// AppendCanonical appends the canonical bytes of l: a JSON object in the form of RFC 8785.
func (l *Link) AppendCanonical(b []byte) []byte {
	b = append(b, `{"at":"`...)
	b = l.At.UTC().AppendFormat(b, timeLayout)
	b = jsontext.AppendMember(b, `","client":`, l.ClientID)
	b = jsontext.AppendMember(b, `,"consent":`, l.ConsentID)
	if utf8.Valid(l.Detail) {
		b = jsontext.AppendMember(b, `,"detail":`, string(l.Detail))
	} else {
		b = jsontext.AppendMember(b, `,"detailBase64":`, base64.StdEncoding.EncodeToString(l.Detail))
	}
	b = jsontext.AppendMember(b, `,"id":`, l.ID)
	b = jsontext.AppendMember(b, `,"kind":`, l.Kind)
	b = appendHash(append(b, `,"prev":`...), l.Prev)
	b = strconv.AppendInt(append(b, `,"seq":`...), l.Seq, 10)
	b = jsontext.AppendMember(b, `,"user":`, l.UserID)
	b = appendHash(append(b, `,"userPrev":`...), l.UserPrev)
	b = strconv.AppendInt(append(b, `,"userSeq":`...), l.UserSeq, 10)
	return append(b, '}')
}

func appendHash(b []byte, h Hash) []byte {
	return append(hex.AppendEncode(append(b, '"'), h[:]), '"')
}

// The first byte of what is hashed says what it is, as in RFC 9162 2.1.1.
const (
	leafByte = 0
	nodeByte = 1
)

// Hash returns the hash of an entry: of the byte 0 and its canonical bytes.
func (l *Link) Hash() Hash {
	return sha256.Sum256(l.AppendCanonical(append(make([]byte, 0, 1024), leafByte)))
}

// UserEnd is where the chain of a user's entries ends.
type UserEnd struct {
	Count int64
	Hash  Hash
}

// State is where the chain ends.
type State struct {
	Count int64 // of all entries that were ever chained
	Hash  Hash  // of the last entry
	Tree  Tree
}

// Append gives l its place behind the end of the chain and behind the user's last entry,
// and moves both. It returns the hash of l. user is not used where l has no user.
func (s *State) Append(l *Link, user *UserEnd) Hash {
	l.Seq, l.Prev, l.UserSeq, l.UserPrev = s.Count+1, s.Hash, 0, Hash{}
	if l.UserID != "" {
		l.UserSeq, l.UserPrev = user.Count+1, user.Hash
	}
	h := l.Hash()
	if l.UserID != "" {
		*user = UserEnd{l.UserSeq, h}
	}
	s.Add(h)
	return h
}

// Add moves the end of the chain by an entry whose hash is known.
func (s *State) Add(h Hash) {
	s.Count, s.Hash = s.Count+1, h
	s.Tree.Append(h, nil)
}
