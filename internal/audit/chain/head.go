package chain

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"time"

	"samla/internal/jsontext"
)

// Purpose says what a signed head states.
type Purpose string

// The purposes.
const (
	// End: the log had Count entries at the time At, and these hashes.
	End Purpose = "HEAD"
	// Begin: the first Count entries were removed, because their time was over.
	Begin Purpose = "BEGIN"
	// OfUser: as End, and the user had UserCount entries then, of which UserRemoved were
	// removed because their time was over.
	OfUser Purpose = "USER"
)

// Head states where the log ended at a time.
type Head struct {
	At      time.Time
	Count   int64
	Hash    Hash // of the last entry
	KeyID   string
	Purpose Purpose
	Root    Hash // of the Merkle tree over the hashes of the entries

	User        string // only OfUser
	UserCount   int64
	UserHash    Hash
	UserRemoved int64
}

// appendCanonical appends a JSON object in the form of RFC 8785.
func (h *Head) appendCanonical(b []byte) []byte {
	b = append(b, `{"at":"`...)
	b = h.At.UTC().AppendFormat(b, timeLayout)
	b = strconv.AppendInt(append(b, `","count":`...), h.Count, 10)
	b = appendHash(append(b, `,"hash":`...), h.Hash)
	b = jsontext.AppendMember(b, `,"key":`, h.KeyID)
	b = jsontext.AppendMember(b, `,"purpose":`, string(h.Purpose))
	b = appendHash(append(b, `,"root":`...), h.Root)
	if h.Purpose == OfUser {
		b = jsontext.AppendMember(b, `,"user":`, h.User)
		b = strconv.AppendInt(append(b, `,"userCount":`...), h.UserCount, 10)
		b = appendHash(append(b, `,"userHash":`...), h.UserHash)
		b = strconv.AppendInt(append(b, `,"userRemoved":`...), h.UserRemoved, 10)
	}
	return append(b, '}')
}

// domain stands before what is signed, so that the signature is good for nothing else.
const domain = "samla audit head 1\n"

// Signed is a signed head. Peaks are those of the tree, where somebody goes on from the
// head; they are not signed, but make Root.
type Signed struct {
	Head
	Peaks     []Hash
	Signature []byte
}

// KeyID returns the id of a key: the first 16 bytes of the SHA-256 of its 32 bytes, in
// hexadecimal.
func KeyID(public ed25519.PublicKey) string {
	sum := sha256.Sum256(public)
	return hex.EncodeToString(sum[:16])
}

// Sign signs a head of the state s. It sets all members of h that s and the key have.
func Sign(key ed25519.PrivateKey, s State, h Head) Signed {
	h.Count, h.Hash, h.Root = s.Count, s.Hash, s.Tree.Root()
	h.KeyID = KeyID(key.Public().(ed25519.PublicKey))
	return Signed{h, append([]Hash{}, s.Tree.Peaks...), ed25519.Sign(key, h.appendCanonical([]byte(domain)))}
}

// SignedBy reports whether the head was signed with the key.
func (s *Signed) SignedBy(public ed25519.PublicKey) bool {
	return s.KeyID == KeyID(public) && ed25519.Verify(public, s.appendCanonical([]byte(domain)), s.Signature)
}

// State returns the state to go on from. It reports false if the peaks do not make the
// root.
func (s *Signed) State() (State, bool) {
	st := State{Count: s.Count, Hash: s.Hash, Tree: Tree{Size: s.Count, Peaks: append([]Hash{}, s.Peaks...)}}
	return st, st.Tree.Valid() && st.Tree.Root() == s.Root
}

// AppendJSON appends s as one JSON object, in the form of RFC 8785.
func (s *Signed) AppendJSON(b []byte) []byte {
	b = s.appendCanonical(append(b, `{"head":`...))
	b = appendHashes(append(b, `,"peaks":`...), s.Peaks)
	b = append(b, `,"signature":"`...)
	b = base64.StdEncoding.AppendEncode(b, s.Signature)
	return append(b, `"}`...)
}

func appendHashes(b []byte, all []Hash) []byte {
	b = append(b, '[')
	for i, h := range all {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendHash(b, h)
	}
	return append(b, ']')
}

// headJSON is Head as it is read.
type headJSON struct {
	At          string  `json:"at"`
	Count       int64   `json:"count"`
	Hash        Hash    `json:"hash"`
	Key         string  `json:"key"`
	Purpose     Purpose `json:"purpose"`
	Root        Hash    `json:"root"`
	User        string  `json:"user"`
	UserCount   int64   `json:"userCount"`
	UserHash    Hash    `json:"userHash"`
	UserRemoved int64   `json:"userRemoved"`
}

// UnmarshalJSON implements json.Unmarshaler. The signature is not verified.
func (s *Signed) UnmarshalJSON(text []byte) error {
	var read struct {
		Head      headJSON `json:"head"`
		Peaks     []Hash   `json:"peaks"`
		Signature []byte   `json:"signature"`
	}
	if err := json.Unmarshal(text, &read); err != nil {
		return err
	}
	at, err := time.Parse(timeLayout, read.Head.At)
	if err != nil {
		return errForm
	}
	h := read.Head
	*s = Signed{Head{at, h.Count, h.Hash, h.Key, h.Purpose, h.Root, h.User, h.UserCount, h.UserHash, h.UserRemoved}, read.Peaks, read.Signature}
	return nil
}
