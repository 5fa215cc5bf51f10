package bankid

import (
	"crypto/rand"
	"path/filepath"
	"testing"
	"time"

	"samla/internal/clock"
)

// WithFailingJournal returns a service with one order of this person and a journal whose
// writes fail.
func WithFailingJournal(t *testing.T, person string) (*Service, Order) {
	t.Helper()
	s := New(clock.NewManual(time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)), rand.Reader)
	if err := s.OpenJournal(filepath.Join(t.TempDir(), "orders")); err != nil {
		t.Fatal(err)
	}
	o, err := s.Auth(AuthRequest{Expected: person})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.journal.Close(); err != nil {
		t.Fatal(err)
	}
	return s, o
}
