package source

import (
	"fmt"

	"samla/internal/sandbox/journal"
)

// entry is one line of the journal: the new state of a session.
type entry struct {
	Session *session `json:"session"`
}

// OpenJournal loads the sessions of an earlier run from the file at path, and from now on
// writes each change to it before the call that made it returns. A login goes on where it
// was: it keeps its times, its tokens and the answers it has given. Call OpenJournal before
// any other method. Its errors are those of journal.Open.
func (s *Service) OpenJournal(path string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	if s.journal, err = journal.Open(path, s.replay, s.entries); err != nil {
		return fmt.Errorf("source: %w", err)
	}
	return nil
}

// Close closes the journal. Later changes are in memory only. A second Close does nothing.
func (s *Service) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	j := s.journal
	s.journal = nil
	if err := j.Close(); err != nil {
		return fmt.Errorf("source: %w", err)
	}
	return nil
}

func (s *Service) write(n *session) error {
	if err := s.journal.Write(entry{n}); err != nil {
		return fmt.Errorf("source: %w", err)
	}
	return nil
}

// entries yields the entries that restore the sessions.
func (s *Service) entries(yield func(entry) bool) {
	for e := s.order.Front(); e != nil; e = e.Next() {
		if !yield(entry{e.Value.(*session)}) {
			return
		}
	}
}

// replay applies one entry of an earlier run. It ignores sessions of institutions that are
// not offered any more, and states that their scripts do not have.
func (s *Service) replay(e entry) {
	n := e.Session
	if n == nil || n.ID == "" || n.Key == "" || n.First == nil {
		return
	}
	for _, c := range s.companies {
		if c.ID == n.Login.Institution {
			n.company = c
		}
	}
	now := s.clock.Now()
	if n.company == nil || now.Sub(n.Created) >= requestLife && n.Ended {
		return
	}
	n.script, n.used = n.company.scriptOf(n.Login), now
	if n.State.Step < 0 || n.State.Step >= len(n.script) {
		return
	}
	if earlier := s.sessions[n.ID]; earlier != nil {
		*earlier.Value.(*session) = *n
		return
	}
	s.add(n)
}
