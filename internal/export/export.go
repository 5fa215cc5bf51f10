// Package export writes products as files for other programs: JSON, CSV (RFC 4180), OFX
// 2.1.1, CAMT.053 (ISO 20022, camt.053.001.08) and Beancount. It takes the products of
// package product, writes amounts exactly as they are, and says in each file what it leaves
// out. It opens no file and knows no time of day.
package export

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"samla/internal/product"
)

// Format is a kind of file.
type Format string

// The formats.
const (
	JSON      Format = "json"      // all products, as the API returns them
	CSV       Format = "csv"       // all products, and the transactions of accounts
	OFX       Format = "ofx"       // accounts and cards: booked transactions, balances
	CAMT053   Format = "camt053"   // the same
	Beancount Format = "beancount" // the same, and what other products are worth
)

// Formats are all of them.
func Formats() []Format { return []Format{JSON, CSV, OFX, CAMT053, Beancount} }

// ErrNothing is returned if the batch has nothing that the format can hold.
var ErrNothing = errors.New("nothing of it can be written in this format")

// ErrAmount is wrapped by the error about an amount that the format cannot hold exactly.
var ErrAmount = errors.New("cannot be written exactly")

// Batch is what is written at once: the products of a collection, or lasting accounts.
type Batch struct {
	ID      string    // of the collection, or of the user: a UUID
	Company string    // its id names the files
	ReadAt  time.Time // when the balances were read
	// At says so of single accounts, by their AccountID, where it was earlier.
	At map[string]time.Time
	// Partial says that the institution could not be read wholly.
	Partial bool
	// Raw are the products in JSON: an array, as the API returns it.
	Raw json.RawMessage
	// Products are the same. The TransactionID of their transactions is what readers know
	// a transaction by.
	Products []product.Product
}

// File is a file to be written.
type File struct {
	Name    string // without a directory
	Content []byte
}

// Write returns the files of a batch, and in sentences what is not in them. Errors:
// ErrNothing, ErrAmount.
func Write(b Batch, f Format) (files []File, notes []string, err error) {
	switch f {
	case JSON:
		return writeJSON(b)
	case CSV:
		return writeCSV(b)
	case OFX:
		return writeOFX(b)
	case CAMT053:
		return writeCAMT(b)
	case Beancount:
		return writeBeancount(b)
	default:
		return nil, nil, fmt.Errorf("export: no format %q", f)
	}
}

// partialNote is said of a batch that is Partial.
const partialNote = "INCOMPLETE: the institution could not be read wholly. What is missing here may exist there."

// notes are the sentences that hold for all formats.
func (b Batch) notes() []string {
	if b.Partial {
		return []string{partialNote}
	}
	return nil
}

// name returns the name of a file: company, time of the read, and what the format adds.
func (b Batch) name(rest string) string {
	company := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return '-'
	}, strings.ToLower(b.Company))
	return company + "-" + b.ReadAt.UTC().Format("20060102T150405Z") + rest
}

// writeJSON writes the products as they are, with what is known of the batch around them.
func writeJSON(b Batch) ([]File, []string, error) {
	raw := b.Raw
	if len(raw) == 0 {
		raw = json.RawMessage("[]")
	}
	content, err := json.Marshal(struct {
		ID       string          `json:"id"`
		Company  string          `json:"company"`
		ReadAt   time.Time       `json:"readAt"`
		Complete bool            `json:"complete"`
		Products json.RawMessage `json:"products"`
	}{b.ID, b.Company, b.ReadAt.UTC(), !b.Partial, raw})
	if err != nil {
		return nil, nil, fmt.Errorf("export: the products are no JSON: %w", err)
	}
	return []File{{b.name(".json"), append(content, '\n')}}, b.notes(), nil
}

// counted returns a number with its noun: 1 loan, 2 loans.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// xmlComment returns sentences as they stand in a comment of XML, which cannot hold two hyphens.
func xmlComment(notes []string) string {
	return strings.ReplaceAll(strings.Join(notes, " "), "--", "- -")
}
