package ledger

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"time"

	"samla/internal/plaintext"
	"samla/internal/product"
)

// KeySize is the length of the key of an account's marks and cursors, in bytes.
const KeySize = 32

// Marker computes marks under one key. It is not safe for concurrent use.
type Marker struct {
	mac    hash.Hash
	buffer []byte
	sum    [sha256.Size]byte
}

// NewMarker returns the marker of a key.
func NewMarker(key []byte) *Marker { return &Marker{mac: hmac.New(sha256.New, key)} }

// The first byte of what is hashed is its kind, so that equal texts in different
// members have different marks.
const (
	kindForm byte = iota + 1
	kindBank
	kindAmount
	kindText
	kindName
	kindDay
	kindCursor
)

// Item returns a transaction as the ledger sees it. bankID is the institution's id of
// it; empty: unknown.
func (m *Marker) Item(t *product.Psd2Transaction, bankID string) Item {
	i := Item{Pending: t.Status != product.Booked, Day: DayOf(t)}
	m.buffer = AppendForm(append(m.buffer[:0], kindForm), t)
	m.hash()
	copy(i.Form[:], m.sum[:])
	if bankID != "" {
		m.buffer = append(append(m.buffer[:0], kindBank), bankID...)
		i.Bank = m.short()
	}
	m.buffer, _ = t.Amount.Value().Trim(0).AppendText(append(m.buffer[:0], kindAmount)) // it never fails
	m.buffer = append(m.buffer, t.Amount.Currency()...)
	i.Amount = m.short()
	i.Text, i.Name = m.folded(kindText, t.Description), m.folded(kindName, t.CounterpartyName)
	return i
}

// Day returns the mark of a day, by which rows are found without telling the day. It is
// 0 for an unknown day only.
func (m *Marker) Day(day int32) int64 {
	if day == 0 {
		return 0
	}
	m.buffer = binary.BigEndian.AppendUint32(append(m.buffer[:0], kindDay), uint32(day))
	return int64(m.short())
}

func (m *Marker) folded(kind byte, text string) uint64 {
	m.buffer = plaintext.AppendFold(append(m.buffer[:0], kind), text)
	if len(m.buffer) == 1 {
		return 0
	}
	return m.short()
}

func (m *Marker) hash() {
	m.mac.Reset()
	m.mac.Write(m.buffer)
	m.mac.Sum(m.sum[:0])
}

// short returns the first eight bytes of the digest of the buffer, never 0.
func (m *Marker) short() uint64 {
	m.hash()
	return max(1, binary.BigEndian.Uint64(m.sum[:]))
}

// formHead is how the JSON of a transaction without an account begins.
const formHead = `{"accountId":""`

// AppendForm appends what the feed keeps of a transaction: its JSON from the member
// after accountId on, beginning with a comma and ending with the brace. The account is
// left out, because it is that of the feed, also after accounts were merged.
func AppendForm(b []byte, t *product.Psd2Transaction) []byte {
	form := *t
	form.AccountID = ""
	start := len(b)
	b = form.AppendJSON(b)
	return append(b[:start], b[start+len(formHead):]...)
}

// DayOf returns the day of a transaction since 1970: the booking date, or else the day
// when it was made; 0 if neither is known.
func DayOf(t *product.Psd2Transaction) int32 {
	if at, err := time.Parse(time.DateOnly, t.BookingDate.String()); err == nil {
		return Day(at)
	}
	if t.CreatedAt.IsZero() {
		return 0
	}
	return Day(t.CreatedAt.Time())
}

// Day returns the number of days since 1970 of a time in UTC, and 0 for the zero time.
func Day(at time.Time) int32 {
	if at.IsZero() {
		return 0
	}
	return int32(at.Unix() / int64(24*time.Hour/time.Second))
}
