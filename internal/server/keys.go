package server

import (
	"context"
	"fmt"
	"path/filepath"

	"samla/internal/epochs"
	"samla/internal/journal"
	"samla/internal/seal/keyset"
	"samla/internal/uuid7"
)

// openKeys opens the key directory and returns the vault on it.
func (s *Server) openKeys(ctx context.Context) (*keyset.Vault, error) {
	p := s.parts
	ring, err := keyset.OpenRing(keyset.RingConfig{Dir: s.config.KeyDir, Master: p.Master, Reload: p.ReloadMaster,
		Interval: p.EpochInterval, Clock: p.Clock})
	if err != nil {
		return nil, err
	}
	name, err := s.store.NameInstallation(ctx, uuid7.NewGenerator(p.Clock, p.Random).New())
	if err != nil {
		return nil, fmt.Errorf("name the installation: %w", err)
	}
	if err := ring.Own(name); err != nil {
		return nil, err
	}
	i, err := s.store.Installation(ctx)
	if err != nil {
		return nil, err
	}
	if i.Restoring != "" && !s.config.restoring {
		return nil, ErrRestoring
	}
	if i.BegunAt.IsZero() {
		p.Log.Warn("backups do not forget yet: data keys are wrapped by the master key, as the release before does it",
			"remedy", "when every node runs this release: samla key epochs --begin")
	} else {
		ring.Begin()
	}
	if s.journal, err = journal.Open(JournalDir(s.config.KeyDir), p.Clock); err != nil {
		return nil, err
	}
	s.ring = ring
	s.vault = keyset.NewEpochs(ring, s.store, p.Clock)
	s.keeper = epochs.New(epochs.Deps{Store: s.store, Ring: ring, Vault: s.vault, Clock: p.Clock, Log: p.Log, Journal: s.journal, Retention: s.config.BackupRetention})
	return s.vault, nil
}

// JournalDir returns where the journal is in a key directory.
func JournalDir(keyDir string) string { return filepath.Join(keyDir, "journal") }

// journaled returns a function that writes a record of a kind to the journal.
func (s *Server) journaled(kind journal.Kind) func(context.Context, string) error {
	return func(ctx context.Context, id string) error {
		return s.journal.Record(ctx, journal.Record{Kind: kind, ID: id})
	}
}

func (s *Server) closeJournal() error {
	if s.journal == nil {
		return nil
	}
	return s.journal.Close()
}
