package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"samla/internal/accounts"
	"samla/internal/audit"
	"samla/internal/authorize"
	"samla/internal/backup"
	"samla/internal/collect"
	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/institution"
	"samla/internal/journal"
	"samla/internal/operators"
	"samla/internal/outbox"
	"samla/internal/seal/keyset"
	"samla/internal/store"
	"samla/internal/store/sqlstore"
	"samla/internal/uuid7"
)

// ErrRestoring means that a restore of the database has begun and is not finished.
var ErrRestoring = errors.New("a restore of this database is not finished: run samla restore with the same file again")

// journalMargin is how long before a backup the journal is applied from: an effect may be
// in the journal before its transaction is committed, and clocks differ.
const journalMargin = time.Hour

// Restored says what a restore has done.
type Restored struct {
	backup.Manifest
	Users      int `json:"usersErased"`
	Consents   int `json:"consentsEnded"`
	Keys       int `json:"apiKeysRevoked"`
	Data       int `json:"dataErased"` // collections and lasting accounts
	Endpoints  int `json:"endpointsEnded"`
	Operators  int `json:"operatorsChanged"` // removed, given a role, or without a way to sign in
	InFlight   int `json:"inFlightEnded"`    // consents and collections that went on at the time of the backup
	NotToldYet int `json:"banksToTell"`      // consents whose end the bank is told after the start
	// Tokens counts, by company, the consents that go on and hold a refresh token. A bank
	// that replaces refresh tokens may have replaced it since the backup.
	Tokens map[string]int `json:"withRefreshTokens,omitempty"`
}

// Restore fills a new database from a backup, and applies again what the journal says was
// decided since (docs/operate-backup.md). It calls no institution. The file is verified
// before anything is written, and loaded in one transaction; the steps after it can be
// repeated: if Restore is interrupted, call it again with the same file. A server does
// not start before it is finished. Errors: those of backup.Open and sqlstore.Load.
func Restore(ctx context.Context, c Config, p Parts, path string) (r Restored, err error) {
	c, p = c.withDefaults(), p.withDefaults()
	ring, err := keyset.OpenRing(keyset.RingConfig{Dir: c.KeyDir, Master: p.Master, Reload: p.ReloadMaster, Interval: p.EpochInterval, Clock: p.Clock})
	if err != nil {
		return r, err
	}
	if r.Manifest, err = backup.Verify(path, ring); err != nil {
		return r, err
	}
	if err := loadOnce(ctx, c, p, path, ring, r.Manifest); err != nil {
		return r, err
	}
	c.restoring, p.Institutions = true, institution.Set{}
	s, err := New(ctx, c, p)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, s.closeJournal(), s.store.Close()) }()
	return r, s.catchUp(ctx, &r)
}

// loadOnce loads the backup, unless an interrupted call has done so.
func loadOnce(ctx context.Context, c Config, p Parts, path string, ring *keyset.Ring, m backup.Manifest) error {
	f, err := backup.Open(path, ring)
	if err != nil {
		return err
	}
	defer f.Close()
	config := sqlstore.Config{DSN: c.Database, Exclusive: true, Logger: p.Log}
	err = sqlstore.Load(ctx, config, sqlstore.LoadConfig{Schema: m.Schema, Backup: m.ID, At: m.At.UnixMicro()}, f.Reader())
	if !errors.Is(err, sqlstore.ErrNotEmpty) {
		return err
	}
	db, openErr := sqlstore.Open(ctx, config)
	if openErr != nil {
		return openErr
	}
	i, readErr := db.Installation(ctx)
	if readErr = errors.Join(readErr, db.Close()); readErr != nil {
		return readErr
	}
	if i.Restoring != m.ID {
		return err
	}
	return nil
}

// catchUp takes every step after the load.
func (s *Server) catchUp(ctx context.Context, r *Restored) error {
	if err := s.unmarkEpochs(); err != nil {
		return err
	}
	records, err := journal.Read(JournalDir(s.config.KeyDir), r.At.Add(-journalMargin))
	if err != nil {
		return err
	}
	records = journal.Settled(records)
	operators.RestoreFirst(records)
	if s.operators, err = operators.New(operators.Deps{Store: s.store, Vault: s.vault, Clock: s.parts.Clock, IDs: uuid7.NewGenerator(s.parts.Clock, s.parts.Random),
		URL: s.ConsoleURL, Random: s.parts.Random, Log: s.parts.Log}); err != nil {
		return err
	}
	if err := s.apply(ctx, records, r); err != nil {
		return err
	}
	if err := s.endInFlight(ctx, r); err != nil {
		return err
	}
	if err := s.settleOutbox(ctx, records, r); err != nil {
		return err
	}
	if err := s.countTokens(ctx, r); err != nil {
		return err
	}
	if err := s.store.EndSessions(ctx); err != nil {
		return err
	}
	// Heads that were kept since the backup do not fit the log: this entry says why.
	entry := audit.OfCommand(uuid7.NewGenerator(s.parts.Clock, s.parts.Random), "restore",
		map[string]string{"backupAt": r.At.UTC().Format(time.RFC3339)}, s.parts.Clock.Now())
	if err := s.store.RecordAccess(ctx, entry); err != nil {
		return err
	}
	return s.store.FinishRestore(ctx, s.parts.Clock.Now())
}

// unmarkEpochs forgets which epoch keys were unused: the restored database may need them
// until its data keys are wrapped again.
func (s *Server) unmarkEpochs() error {
	ids, err := s.ring.IDs()
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := s.ring.SetUnused(id, time.Time{}); err != nil {
			return err
		}
	}
	return nil
}

// unknown are the faults for what is not in the database.
var unknown = []fault.Code{fault.UserNotFound, fault.CollectionNotFound, fault.AccountNotFound}

// apply applies the records of the journal. What the database does not know was made
// after the backup, and is gone.
func (s *Server) apply(ctx context.Context, records []journal.Record, r *Restored) error {
	type counted struct {
		count *int
		id    string
	}
	seen := map[counted]bool{} // a decision that was repeated is one: also that of an earlier restore
	for _, of := range records {
		count, err := s.applyOne(ctx, of, r)
		switch {
		case errors.Is(err, store.ErrNotFound), slices.Contains(unknown, fault.CodeOf(err)):
		case err != nil:
			return fmt.Errorf("apply %s %s of the journal: %w", of.Kind, of.ID, err)
		case count != nil && !seen[counted{count, of.ID}]:
			seen[counted{count, of.ID}] = true
			*count++
		}
	}
	return nil
}

func (s *Server) applyOne(ctx context.Context, of journal.Record, r *Restored) (count *int, err error) {
	switch of.Kind {
	case journal.UserErased:
		u, err := s.store.User(ctx, of.Client, of.ID)
		if err == nil && !u.Anonymized() {
			count = &r.Users
		}
		return count, s.people.Erase(ctx, of.Client, of.ID)
	case journal.ConsentEnded:
		ended, err := s.endConsent(ctx, consent.ID(of.ID), consent.Cause(of.Detail))
		if ended {
			count = &r.Consents
		}
		return count, err
	case journal.ConsentReplaced:
		ended, err := s.endConsent(ctx, consent.ID(of.ID), consent.CauseRenewed)
		if ended {
			count = &r.Consents
		}
		return count, err
	case journal.KeyRevoked:
		return &r.Keys, s.Authn.RevokeKey(ctx, of.ID)
	case journal.CollectionErased:
		return &r.Data, s.fetching.Erase(ctx, collect.Owner{ClientID: of.Client}, of.ID)
	case journal.AccountErased:
		return &r.Data, s.accounts.EraseLink(ctx, accounts.Owner{ClientID: of.Client, UserID: of.Detail}, of.ID)
	case journal.EndpointDeleted:
		return &r.Endpoints, s.hooks.DeleteRestored(ctx, of.ID)
	case journal.SecretRotated:
		return &r.Endpoints, s.hooks.PauseRestored(ctx, of.ID)
	case journal.OperatorRemoved, journal.OperatorRole, journal.OperatorWays:
		changed, err := s.operators.Restored(ctx, of, r.At)
		if changed {
			count = &r.Operators
		}
		return count, err
	}
	return nil, nil // a record of a kind that only settleOutbox needs
}

// endConsent ends a consent with its cause, however far it is in the restored database. It
// reports whether the consent had not ended.
func (s *Server) endConsent(ctx context.Context, id consent.ID, cause consent.Cause) (bool, error) {
	c, err := s.store.Consent(ctx, id)
	if err != nil || c.Status.Final() {
		return false, err
	}
	for _, e := range []consent.Event{consent.Revocation{Cause: cause}, consent.Expiry{Cause: cause},
		consent.FailedWith{Code: consent.InternalError}, consent.Revocation{Cause: consent.CauseUser}} {
		var illegal *consent.IllegalError
		if _, err = s.consents.End(ctx, id, e); !errors.As(err, &illegal) {
			return err == nil, err
		}
	}
	return false, err
}

// endInFlight ends what was going on at the time of the backup: what was sent to an
// institution since is not known, and nothing is sent twice.
func (s *Server) endInFlight(ctx context.Context, r *Restored) error {
	collections, consents, err := s.store.InFlight(ctx)
	if err != nil {
		return err
	}
	for _, id := range collections {
		if err := s.fetching.GiveUp(ctx, id); err != nil {
			return err
		}
	}
	for _, id := range consents {
		if _, err := s.consents.End(ctx, id, consent.FailedWith{Code: consent.InternalError}); err != nil {
			return err
		}
	}
	r.InFlight = len(collections) + len(consents)
	return nil
}

// countTokens counts the consents that hold a refresh token.
func (s *Server) countTokens(ctx context.Context, r *Restored) error {
	for after := consent.ID(""); ; {
		some, err := s.store.RestoredConsents(ctx, after)
		if err != nil || len(some) == 0 {
			return err
		}
		for _, c := range some {
			has, err := s.consents.HasRefreshToken(ctx, c)
			if err != nil {
				return err
			}
			if has {
				if r.Tokens == nil {
					r.Tokens = map[string]int{}
				}
				r.Tokens[c.Company]++
			}
			after = c.ID
		}
	}
}

// settleOutbox deletes the messages to institutions that were delivered since the backup,
// and those that would repeat an opening or a login first. What is left was never told.
func (s *Server) settleOutbox(ctx context.Context, records []journal.Record, r *Restored) error {
	told := map[consent.ID]bool{}
	for _, of := range records {
		if of.Kind == journal.ConsentTold {
			told[consent.ID(of.ID)] = true
		}
	}
	logins, err := s.store.OutboxMessages(ctx, outbox.EndLogin)
	if err != nil {
		return err
	}
	revocations, err := s.store.OutboxMessages(ctx, outbox.RevokeConsent)
	if err != nil {
		return err
	}
	drop := logins
	for _, m := range revocations {
		payload, err := authorize.OpenRevocation(ctx, s.vault, m)
		if err != nil {
			return err
		}
		if told[m.ConsentID] || payload.PSU != nil {
			drop = append(drop, m)
		} else {
			r.NotToldYet++
		}
	}
	for _, m := range drop {
		err := s.store.Write(ctx, func(tx store.Tx) error { return tx.DeleteOutboxMessage(ctx, m.ID) })
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	return nil
}
