package aspsp

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// entry is one line of a journal or snapshot: the newest line about a thing is
// its state.
type entry struct {
	Consent       *Consent       `json:"consent,omitempty"`
	Authorisation *Authorisation `json:"authorisation,omitempty"`
	Read          *readEntry     `json:"read,omitempty"`
}

// readEntry is an unattended read that counts (limits.go).
type readEntry struct {
	Key string    `json:"key"`
	At  time.Time `json:"at"`
}

// journal appends entries to a file. Each line is handed to the operating
// system before write returns, so that a killed process loses nothing it has
// answered for; a machine that loses power may lose the last seconds. A nil
// journal writes nothing.
type journal struct {
	file *os.File
	err  error // the first failure; later lines are not written
}

func (j *journal) write(e entry) {
	if j == nil || j.err != nil {
		return
	}
	line, err := json.Marshal(e)
	if err == nil {
		_, err = j.file.Write(append(line, '\n'))
	}
	j.err = err
}

// failed is the error that stopped the journal, or nil.
func (j *journal) failed() error {
	if j == nil {
		return nil
	}
	return j.err
}

func (j *journal) close() error {
	if j == nil {
		return nil
	}
	if err := errors.Join(j.err, j.file.Sync(), j.file.Close()); err != nil {
		return fmt.Errorf("aspsp: journal: %w", err)
	}
	return nil
}

// openJournal takes up what the file holds, replaces the file by a snapshot of
// it (so that it does not grow over restarts) and goes on appending there.
func (b *Bank) openJournal() error {
	old, err := os.Open(b.Journal)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return fmt.Errorf("aspsp: journal: %w", err)
	default:
		err = b.Restore(old)
		_ = old.Close()
		if err != nil {
			return err
		}
	}
	temp, err := os.CreateTemp(filepath.Dir(b.Journal), ".journal-*")
	if err != nil {
		return fmt.Errorf("aspsp: journal: %w", err)
	}
	err = errors.Join(b.Snapshot(temp), temp.Sync(), os.Rename(temp.Name(), b.Journal))
	if err != nil {
		_ = temp.Close()
		_ = os.Remove(temp.Name())
		return fmt.Errorf("aspsp: journal: %w", err)
	}
	b.journal = &journal{file: temp}
	return nil
}

// Snapshot writes the bank's state, one JSON object a line. It holds test
// persons' numbers and belongs nowhere but into a file of the sandbox.
func (b *Bank) Snapshot(w io.Writer) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := bufio.NewWriter(w)
	enc := json.NewEncoder(out)
	var err error
	put := func(e entry) { err = errors.Join(err, enc.Encode(e)) }
	for _, id := range b.order {
		h := b.consents[id]
		put(entry{Consent: &h.Consent})
		for _, a := range h.authorisations {
			put(entry{Authorisation: a})
		}
	}
	for key, times := range b.reads {
		for _, at := range times {
			if b.Clock.Now().Sub(at) < day {
				put(entry{Read: &readEntry{key, at}})
			}
		}
	}
	if err = errors.Join(err, out.Flush()); err != nil {
		return fmt.Errorf("aspsp: snapshot: %w", err)
	}
	return nil
}

// Restore takes up a snapshot or journal, on top of what is there. A last line
// that was cut off by a kill is passed over; any other line that cannot be read
// is an error.
func (b *Bank) Restore(r io.Reader) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	in := bufio.NewReader(r)
	for {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil // what is left has no line end: it was never acknowledged
		}
		if err != nil {
			return fmt.Errorf("aspsp: restore: %w", err)
		}
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			return fmt.Errorf("aspsp: restore: %w", err)
		}
		b.take(e)
	}
}

func (b *Bank) take(e entry) {
	switch {
	case e.Consent != nil:
		h := b.consents[e.Consent.ID]
		if h == nil {
			h = &held{}
			b.consents[e.Consent.ID] = h
			b.order = append(b.order, e.Consent.ID)
			b.byRequest[requestKey(e.Consent.TPP, e.Consent.RequestID)] = e.Consent.ID
		}
		h.Consent = *e.Consent
		if h.Status == Valid && h.Recurring {
			b.recurring[requestKey(h.TPP, h.Signer)] = h
		}
	case e.Authorisation != nil:
		h := b.consents[e.Authorisation.ConsentID]
		if h == nil {
			return
		}
		same := func(a *Authorisation) bool { return a.ID == e.Authorisation.ID }
		if i := slices.IndexFunc(h.authorisations, same); i >= 0 {
			*h.authorisations[i] = *e.Authorisation
		} else {
			h.authorisations = append(h.authorisations, e.Authorisation)
		}
	case e.Read != nil:
		b.reads[e.Read.Key] = append(b.reads[e.Read.Key], e.Read.At)
	}
}
