package chain

import (
	"bufio"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Fault is what is wrong with an export.
type Fault string

// The faults.
const (
	Changed      Fault = "changed"
	Dropped      Fault = "dropped"
	Reordered    Fault = "reordered"
	Inserted     Fault = "inserted"
	Duplicated   Fault = "duplicated"
	CutEnd       Fault = "the end is cut off"
	CutBeginning Fault = "the beginning is cut off"
	WrongKey     Fault = "signed with another key"
	Unsigned     Fault = "the signature is wrong"
	Foreign      Fault = "belongs to somebody else, or not to this log"
	Unreadable   Fault = "cannot be read"
)

// Finding is the first fault of an export. It repeats nothing of the entries but their
// numbers.
type Finding struct {
	Line  int   // of the file, from 1
	Entry int64 // number of the entry in the log, or in the export of a user the number among the user's entries; 0: none
	Fault Fault
	Text  string
}

// Error implements error.
func (f *Finding) Error() string {
	at := fmt.Sprintf("line %d", f.Line)
	if f.Entry > 0 {
		at = fmt.Sprintf("entry %d (line %d)", f.Entry, f.Line)
	}
	return at + ": " + string(f.Fault) + ": " + f.Text
}

// Options say what an export is verified against.
type Options struct {
	Public ed25519.PublicKey
	// Kept are heads that were kept outside. The export must contain what they state.
	Kept []Signed
	// Part accepts an export that begins after the beginning of the log.
	Part bool
}

// Report says what was verified.
type Report struct {
	Format  string
	Begin   int64 // number of entries before the first one of the export
	Removed bool  // those before were removed because their time was over
	Entries int64
	Head    Head // with which the export ends
	Heads   int  // signed heads that agree, with those kept outside
	// Older counts heads kept outside that state something about removed entries, or about
	// the whole log where the export is of a user: they agree with nothing here.
	Older int
}

// maxLine is the longest line of an export, in bytes.
const maxLine = 16 << 20

// reader reads lines.
type reader struct {
	in *bufio.Reader
	n  int // of the last line
}

// next returns the next line with its line feed, io.EOF after the last, and a Finding for
// one that is too long or has no end.
func (r *reader) next() ([]byte, error) {
	var text []byte
	for {
		part, err := r.in.ReadSlice('\n')
		text = append(text, part...)
		switch {
		case err == nil && len(text) <= maxLine:
			r.n++
			return text, nil
		case errors.Is(err, io.EOF) && len(text) == 0:
			return nil, io.EOF
		case errors.Is(err, bufio.ErrBufferFull) && len(text) <= maxLine:
			continue
		case err == nil || errors.Is(err, io.EOF) || errors.Is(err, bufio.ErrBufferFull):
			r.n++
			return nil, &Finding{Line: r.n, Fault: CutEnd, Text: "the line has no end"}
		}
		return nil, err
	}
}

// Verify verifies an export. It reads it once and holds one line of it. Errors: a
// *Finding, or that of in.
func Verify(in io.Reader, o Options) (Report, error) {
	r := &reader{in: bufio.NewReaderSize(in, 64<<10)}
	text, err := r.next()
	if errors.Is(err, io.EOF) {
		return Report{}, &Finding{Line: 1, Fault: Unreadable, Text: "the file is empty"}
	}
	if err != nil {
		return Report{}, err
	}
	first, err := readFirst(text)
	if err != nil || first.Format != FormatLog && first.Format != FormatUser {
		return Report{}, &Finding{Line: 1, Fault: Unreadable, Text: "the first line is not that of an export"}
	}
	for i := range o.Kept {
		if f := checkSignature(&o.Kept[i], o.Public, 0); f != nil {
			f.Text = "a head that was kept outside: " + f.Text
			return Report{}, f
		}
	}
	if f := checkSignature(&first.Head, o.Public, 1); f != nil {
		return Report{}, f
	}
	if first.Format == FormatUser {
		return verifyUser(r, first, o)
	}
	return verifyLog(r, first, o)
}

func checkSignature(s *Signed, public ed25519.PublicKey, line int) *Finding {
	switch {
	case s.KeyID != KeyID(public):
		return &Finding{Line: line, Fault: WrongKey, Text: "a head is signed with key " + fmt.Sprintf("%.40q", s.KeyID) + ", not with the given one"}
	case !s.SignedBy(public):
		return &Finding{Line: line, Fault: Unsigned, Text: "the head is not what was signed"}
	}
	if _, ok := s.State(); !ok && len(s.Peaks) > 0 {
		return &Finding{Line: line, Fault: Unsigned, Text: "the hashes with the head are not those of its root"}
	}
	return nil
}

// logCheck is the state of verifyLog.
type logCheck struct {
	*reader
	Options
	report Report
	state  State
	end    Signed
	kept   []Signed // heads kept outside whose count is not reached yet, by their counts
	last   Row
}

func verifyLog(r *reader, first First, o Options) (Report, error) {
	c := &logCheck{reader: r, Options: o, end: first.Head}
	c.report = Report{Format: first.Format, Head: first.Head.Head}
	if first.Head.Purpose != End {
		return c.report, &Finding{Line: 1, Fault: Unsigned, Text: "the head states something else"}
	}
	if b := first.Begin; b != nil {
		if f := checkSignature(b, o.Public, 1); f != nil {
			return c.report, f
		}
		ok := false
		if c.state, ok = b.State(); !ok || b.Purpose == OfUser {
			return c.report, &Finding{Line: 1, Fault: Unreadable, Text: "the hashes of the beginning do not belong to it"}
		}
		c.report.Begin, c.report.Removed = b.Count, b.Purpose == Begin
		if b.Purpose == End && !o.Part {
			return c.report, &Finding{Line: 1, Entry: 1, Fault: CutBeginning,
				Text: fmt.Sprintf("the export begins after entry %d; give --part if that is meant", b.Count)}
		}
	}
	for _, k := range o.Kept {
		if k.Count < c.state.Count || k.Purpose == OfUser {
			c.report.Older++
			continue
		}
		c.kept = append(c.kept, k)
	}
	slices.SortStableFunc(c.kept, func(a, b Signed) int { return int(min(max(a.Count-b.Count, -1), 1)) })
	err := c.run()
	c.report.Entries = c.state.Count - c.report.Begin
	return c.report, err
}

func (c *logCheck) run() error {
	if err := c.compare(); err != nil {
		return err
	}
	for {
		text, err := c.next()
		if errors.Is(err, io.EOF) {
			return c.finish()
		}
		if err != nil {
			return err
		}
		l, err := readLine(text)
		switch {
		case err != nil || l.row != nil && l.row.Proof != nil:
			return c.finding(c.state.Count+1, Changed, "the line is not in the form of an export")
		case l.head != nil:
			err = c.head(l.head)
		default:
			err = c.entry(l.row)
		}
		if err != nil {
			return err
		}
	}
}

func (c *logCheck) finding(entry int64, f Fault, text string) error {
	return &Finding{Line: c.n, Entry: entry, Fault: f, Text: text}
}

// entry checks one entry.
func (c *logCheck) entry(row *Row) error {
	want, h := c.state.Count+1, row.Hash()
	switch {
	case row.Seq < want && row.Seq == c.last.Seq && row.Stored == c.last.Stored:
		return c.finding(row.Seq, Duplicated, "the entry is there twice")
	case row.Seq < want:
		return c.finding(row.Seq, Inserted, fmt.Sprintf("the number was there before; entry %d is expected", want))
	case row.Seq > want:
		return c.missing(want)
	case h != row.Stored:
		return c.finding(want, Changed, "the entry does not have the hash that is with it")
	case row.Prev != c.state.Hash && want == c.report.Begin+1:
		return c.finding(want, CutBeginning, "the entry does not follow the beginning of the export")
	case row.Prev != c.state.Hash:
		return c.finding(want-1, Changed, fmt.Sprintf("entry %d names another hash of the entry before it: one of the two was changed or inserted", want))
	case c.state.Count >= c.end.Count:
		return c.finding(want, Inserted, "the entry is behind the signed end")
	}
	c.last = *row
	c.state.Add(h)
	return c.compare()
}

// missing says what happened to an entry that is not in its place: it looks for it in the
// rest of the file.
func (c *logCheck) missing(seq int64) error {
	at := c.n
	for {
		text, err := c.next()
		if err != nil {
			return &Finding{Line: at, Entry: seq, Fault: Dropped, Text: "the entry is missing"}
		}
		if l, err := readLine(text); err == nil && l.row != nil && l.row.Seq == seq {
			return &Finding{Line: at, Entry: seq, Fault: Reordered, Text: fmt.Sprintf("the entry is in line %d, behind later ones", c.n)}
		}
	}
}

// head checks a head between entries.
func (c *logCheck) head(s *Signed) error {
	if f := checkSignature(s, c.Public, c.n); f != nil {
		return f
	}
	if s.Count != c.state.Count || s.Purpose != End {
		return &Finding{Line: c.n, Fault: Reordered, Text: fmt.Sprintf("the head is for %d entries and comes after entry %d", s.Count, c.state.Count)}
	}
	return c.agree(s, "a head that was signed at this entry")
}

// agree compares the entries up to here with what was signed.
func (c *logCheck) agree(s *Signed, what string) error {
	if s.Hash != c.state.Hash || s.Root != c.state.Tree.Root() {
		return c.finding(s.Count, Changed, what+" has another hash: this entry or one before it was changed, inserted or dropped, and all later hashes were made again")
	}
	c.report.Heads++
	return nil
}

// compare compares the heads for this number of entries: those kept outside and the last.
func (c *logCheck) compare() error {
	for len(c.kept) > 0 && c.kept[0].Count == c.state.Count {
		if err := c.agree(&c.kept[0], "a head that was kept outside"); err != nil {
			return err
		}
		c.kept = c.kept[1:]
	}
	if c.end.Count == c.state.Count {
		return c.agree(&c.end, "the signed end")
	}
	return nil
}

func (c *logCheck) finish() error {
	c.n++
	if c.state.Count < c.end.Count {
		return c.finding(c.state.Count+1, CutEnd, fmt.Sprintf("the signed end is after entry %d", c.end.Count))
	}
	if len(c.kept) > 0 {
		return c.finding(c.state.Count+1, CutEnd, fmt.Sprintf("a head that was kept outside is of %s and has %d entries",
			c.kept[0].At.Format(timeLayout), c.kept[0].Count))
	}
	if c.state.Count > c.end.Count || c.report.Heads == 0 {
		return c.finding(0, Unsigned, "the end is before the beginning")
	}
	return nil
}
