package chain

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"time"

	"samla/internal/jsontext"
)

// The formats of exports: of the whole log or a part, and of one user.
const (
	FormatLog  = "samla-audit-log-1"
	FormatUser = "samla-audit-user-1"
)

// errForm means that a line is not written as this package writes it.
var errForm = errors.New("is not in the form of an export")

// First is the first line of an export.
type First struct {
	Format string
	Begin  *Signed // nil: the log begins with its first entry, or the export is of a user
	Head   Signed  // with which the export ends
}

// AppendJSON appends the line, with its line feed.
func (f *First) AppendJSON(b []byte) []byte {
	b = append(b, `{"begin":`...)
	if f.Begin != nil {
		b = f.Begin.AppendJSON(b)
	} else {
		b = append(b, `null`...)
	}
	b = jsontext.AppendMember(b, `,"format":`, f.Format)
	b = f.Head.AppendJSON(append(b, `,"head":`...))
	return append(b, "}\n"...)
}

func readFirst(line []byte) (f First, err error) {
	var read struct {
		Begin  *Signed `json:"begin"`
		Format string  `json:"format"`
		Head   Signed  `json:"head"`
	}
	if err := json.Unmarshal(line, &read); err != nil {
		return f, errForm
	}
	f = First{Format: read.Format, Begin: read.Begin, Head: read.Head}
	return f, same(line, f.AppendJSON(nil))
}

// Row is an entry as it is stored and exported.
type Row struct {
	Link
	Stored Hash   // the hash of the entry, as stored
	Proof  []Hash // that the entry belongs to the log; only in the export of a user
}

// AppendJSON appends the row as a line, with its line feed.
func (r *Row) AppendJSON(b []byte) []byte {
	b = r.AppendCanonical(append(b, `{"entry":`...))
	b = appendHash(append(b, `,"hash":`...), r.Stored)
	if r.Proof != nil {
		b = appendHashes(append(b, `,"proof":`...), r.Proof)
	}
	return append(b, "}\n"...)
}

// line is a line after the first: an entry, or a head that was signed when the log had
// the entries before it.
type line struct {
	row  *Row
	head *Signed
}

func readLine(text []byte) (line, error) {
	var read struct {
		Entry *entryJSON `json:"entry"`
		Hash  Hash       `json:"hash"`
		Proof []Hash     `json:"proof"`
	}
	if bytes.HasPrefix(text, []byte(`{"head":`)) {
		var s Signed
		if json.Unmarshal(text, &s) != nil {
			return line{}, errForm
		}
		return line{head: &s}, same(text, append(s.AppendJSON(nil), '\n'))
	}
	if json.Unmarshal(text, &read) != nil || read.Entry == nil {
		return line{}, errForm
	}
	link, err := read.Entry.link()
	if err != nil {
		return line{}, errForm
	}
	r := &Row{Link: link, Stored: read.Hash, Proof: read.Proof}
	return line{row: r}, same(text, r.AppendJSON(nil))
}

// same reports a line that differs in any byte from what this package writes for it.
func same(got, want []byte) error {
	if !bytes.Equal(got, want) {
		return errForm
	}
	return nil
}

// entryJSON is Link as it is read.
type entryJSON struct {
	At           string  `json:"at"`
	Client       string  `json:"client"`
	Consent      string  `json:"consent"`
	Detail       string  `json:"detail"`
	DetailBase64 *string `json:"detailBase64"`
	ID           string  `json:"id"`
	Kind         string  `json:"kind"`
	Prev         Hash    `json:"prev"`
	Seq          int64   `json:"seq"`
	User         string  `json:"user"`
	UserPrev     Hash    `json:"userPrev"`
	UserSeq      int64   `json:"userSeq"`
}

func (e *entryJSON) link() (Link, error) {
	at, err := time.Parse(timeLayout, e.At)
	if err != nil {
		return Link{}, err
	}
	detail := []byte(e.Detail)
	if e.DetailBase64 != nil {
		if detail, err = base64.StdEncoding.DecodeString(*e.DetailBase64); err != nil {
			return Link{}, err
		}
	}
	return Link{Seq: e.Seq, ID: e.ID, At: at, ClientID: e.Client, UserID: e.User, ConsentID: e.Consent, Kind: e.Kind,
		Detail: detail, Prev: e.Prev, UserSeq: e.UserSeq, UserPrev: e.UserPrev}, nil
}
