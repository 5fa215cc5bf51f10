package collect

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"log/slog"
	"runtime"

	"samla/internal/clock"
	"samla/internal/collection"
	"samla/internal/institution"
	"samla/internal/product"
	"samla/internal/seal"
	"samla/internal/store"
	"samla/internal/uuid7"
)

var (
	// ErrGone means that the data of a collection is erased or expired, or its user is.
	ErrGone = errors.New("collect: the data of the collection is gone")
	// ErrNotRereadable means that the stored answers of a collection are not enough to make
	// products of.
	ErrNotRereadable = errors.New("collect: the stored answers cannot be read again")
	// ErrNotApplied means that the collection is not applied to the lasting accounts yet.
	ErrNotApplied = errors.New("collect: the collection is not applied to the accounts yet")
)

// RereaderDeps are the dependencies of a Rereader. All are required, except Memory.
type RereaderDeps struct {
	Store        store.Store
	Vault        seal.Vault
	Institutions institution.Institutions
	Clock        clock.Clock
	IDs          *uuid7.Generator
	Memory       int // bytes of answers in memory; 0 = 64 MiB
}

// Rereader makes products of the stored answers of completed collections again, with the
// mapping of this program. It calls no institution. It is safe for concurrent use.
type Rereader struct{ s *Service }

// NewRereader returns a Rereader.
func NewRereader(d RereaderDeps) *Rereader {
	return &Rereader{&Service{Deps: Deps{Store: d.Store, Vault: d.Vault, Institutions: d.Institutions, Clock: d.Clock, IDs: d.IDs,
		Log: slog.New(slog.DiscardHandler)}, // the counts of a run say what was found
		memory: newMemory(cmp.Or(d.Memory, defaultMemory)), heavy: make(chan struct{}, max(2, runtime.GOMAXPROCS(0)))}}
}

// Mapping returns the version of today's mapping for a company, and whether it is
// configured.
func (r *Rereader) Mapping(companyID string) (int, bool) {
	i, known := r.s.Institutions.Find(companyID)
	if !known || i.Collector == nil {
		return 0, false
	}
	return mappingOf(i.Collector), true
}

// Reread is a collection that was read again and is not stored yet.
type Reread struct {
	Before, After []byte // the products, JSON arrays in the newest form

	of   collection.Collection // as read
	made made
}

// Changed reports whether the products differ.
func (r *Reread) Changed() bool { return !bytes.Equal(r.Before, r.After) }

// Read reads a collection again. Errors: ErrGone, ErrNotRereadable, those of the store,
// the vault and ctx.
func (r *Rereader) Read(ctx context.Context, id string) (*Reread, error) {
	s := r.s
	c, err := s.Store.Collection(ctx, id)
	if err != nil {
		return nil, err
	}
	if c.DataGone(s.Clock.Now()) || c.Status != collection.Completed && c.Status != collection.CompletedPartial {
		return nil, ErrGone
	}
	i, known := s.Institutions.Find(c.Company)
	if !known || i.Collector == nil {
		return nil, ErrNotRereadable
	}
	old, err := s.openStored(ctx, c)
	if err != nil {
		return nil, err
	}
	room := s.memory.open(c.Company)
	defer room.close()
	again, err := s.again(ctx, room, c, i, old)
	if err != nil {
		return nil, err
	}
	text, err := product.AppendAll(nil, old) // in the form in which they are compared
	if err != nil {
		return nil, err
	}
	return &Reread{Before: text, After: again.text, of: c, made: again}, nil
}

// openStored returns the stored products of a collection.
func (s *Service) openStored(ctx context.Context, c collection.Collection) ([]product.Product, error) {
	stored, err := s.Store.Products(ctx, c.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, ErrGone
	}
	if err != nil {
		return nil, err
	}
	text, err := OpenProducts(ctx, s.Vault, c, stored)
	if errors.Is(err, seal.ErrKeyDestroyed) {
		return nil, ErrGone
	}
	if err != nil {
		return nil, err
	}
	return product.ReadAll(text)
}

// again makes the products of a collection from its stored answers. They keep the ids of
// the old ones, and the number of the person: the secret that had it is gone.
func (s *Service) again(ctx context.Context, room *room, c collection.Collection, i institution.Institution, old []product.Product) (made, error) {
	under, err := s.underOf(ctx, c)
	if err != nil {
		return made{}, err
	}
	replay, err := newReplay(ctx, s, room, c, under, i)
	if errors.Is(err, seal.ErrKeyDestroyed) {
		return made{}, ErrGone
	}
	if err != nil {
		return made{}, err
	}
	replay.person = personOf(old)
	if err := replay.run(ctx); err != nil {
		var said *institution.Error
		if errors.As(err, &said) {
			return made{}, ErrNotRereadable
		}
		return made{}, err
	}
	m, err := replay.products(i.Company)
	if err != nil {
		return made{}, err
	}
	ids := keepIDs(old, m.list)
	for n := range m.report.Products {
		said := &m.report.Products[n]
		said.ID = ids[said.ID]
		if said.Was, err = replaced(old, m.list, said.ID); err != nil {
			return made{}, err
		}
	}
	// The closed accounts and those that are not listed were told when it was read.
	m.report.Again, m.report.Listed, m.report.Closed = true, false, nil
	return m, m.write()
}

// Store stores what was read again, and that it is to be applied to the accounts of the
// user: in one transaction, if the collection is as it was read. The status and the times
// stay. Errors: ErrGone, store.ErrConflict if another writer was first, ErrNotApplied.
func (r *Rereader) Store(ctx context.Context, again *Reread) error {
	s, c := r.s, again.of
	sealed, packed, err := s.sealProducts(ctx, c, again.made)
	if err == nil {
		c.Mapping, _ = r.Mapping(c.Company)
		err = s.putAgain(ctx, again, c, func(tx store.Tx) error {
			return tx.ReplaceProducts(ctx, c.ID, sealed, packed)
		})
	}
	if errors.Is(err, seal.ErrKeyDestroyed) || errors.Is(err, store.ErrNotFound) {
		return ErrGone
	}
	return err
}

func (s *Service) putAgain(ctx context.Context, again *Reread, next collection.Collection, replace func(store.Tx) error) error {
	apply, err := s.planApply(ctx, next, again.made.report)
	if err != nil {
		return err
	}
	return s.Store.Write(ctx, func(tx store.Tx) error {
		if next.UserID != "" {
			u, err := tx.LockUser(ctx, next.ClientID, next.UserID)
			if err != nil {
				return err
			}
			if u.Anonymized() {
				return ErrGone
			}
		}
		if next.DataGone(s.Clock.Now()) {
			return ErrGone
		}
		if _, err := tx.PutCollection(ctx, next); err != nil || !again.Changed() {
			return err
		}
		if err := replace(tx); err != nil || next.UserID == "" {
			return err
		}
		err := tx.AddOutboxMessage(ctx, apply)
		if errors.Is(err, store.ErrExists) {
			return ErrNotApplied
		}
		return err
	})
}
