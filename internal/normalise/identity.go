package normalise

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"samla/internal/plaintext"
)

// identify gives each row its public id: a hash of the account and of what the person
// sees of the payment: day, amount, text and counterparty. The institution's ids do not
// count, because they can change with each answer and with each consent; nor does the
// status. Rows that look alike are numbered within their day.
func identify(accountID string, rows []row) {
	h := newHasher(accountID)
	ids := make([]digest, len(rows))
	first := make(map[digest]int, len(rows))
	var alike map[digest][]int // the rows with an id, if there are several
	for i := range rows {
		ids[i] = h.digest(&rows[i])
		at, seen := first[ids[i]]
		if !seen {
			first[ids[i]] = i
			continue
		}
		if alike == nil {
			alike = map[digest][]int{}
		}
		if alike[ids[i]] == nil {
			alike[ids[i]] = []int{at}
		}
		alike[ids[i]] = append(alike[ids[i]], i)
	}
	for id, group := range alike {
		slices.SortStableFunc(group, func(i, j int) int { return inDay(&rows[i], &rows[j]) })
		ids[group[0]] = id
		for n, i := range group[1:] {
			sum := sha256.Sum256(strconv.AppendInt(id[:len(id):len(id)], int64(n+2), 10))
			ids[i] = digest(sum[:len(id)])
		}
	}
	const size = 2 * len(digest{})
	text := make([]byte, 0, size*len(rows))
	for i := range ids {
		text = hex.AppendEncode(text, ids[i][:])
	}
	all := string(text)
	for i := range rows {
		rows[i].id = all[i*size : (i+1)*size]
	}
}

// digest is a public id in binary.
type digest [16]byte

// inDay orders rows that look alike. A row that comes later, because it was made later
// or is still pending, does not change the numbers of the others.
func inDay(x, y *row) int {
	return cmp.Or(-cmp.Compare(rank(x), rank(y)), x.Moment.Compare(y.Moment), x.ValueDate.Compare(y.ValueDate),
		x.TransactionDate.Compare(y.TransactionDate), strings.Compare(x.Text, y.Text), strings.Compare(x.ID, y.ID),
		strings.Compare(x.EntryReference, y.EntryReference))
}

// hasher hashes what the person sees of a payment, however it is spelled.
type hasher struct {
	prefix int
	buffer []byte
}

func newHasher(accountID string) *hasher {
	return &hasher{prefix: len(accountID) + 1, buffer: append([]byte(accountID), 0)}
}

func (h *hasher) digest(r *row) digest {
	b := strconv.AppendInt(h.buffer[:h.prefix], int64(r.day), 10)
	b = append(b, 0)
	b = appendAmount(b, r)
	b = append(b, 0)
	b = plaintext.AppendFold(b, r.Text)
	b = append(b, 0)
	b = plaintext.AppendFold(b, r.counterparty)
	h.buffer = b
	sum := sha256.Sum256(b)
	return digest(sum[:len(digest{})])
}

// appendAmount appends the amount without zeros at its end, and the currency.
func appendAmount(b []byte, r *row) []byte {
	b, _ = r.amount.Value().Trim(0).AppendText(b) // it never fails
	return append(b, r.amount.Currency()...)
}
