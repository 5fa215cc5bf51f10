package collect

import (
	"context"
	"errors"

	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/deviation"
	"samla/internal/institution"
	"samla/internal/product"
	"samla/internal/seal"
)

// Recorded is what is stored of a collection: the answers as they were read.
type Recorded struct {
	Collection collection.Collection
	Scope      consent.Scope
	Answers    []institution.Answer
}

// Played is what answers become with today's mapping.
type Played struct {
	Products   []product.Product
	Deviations deviation.Counts
	Unused     int // answers to questions that were not asked
	Missing    []institution.Question
}

// Recorded opens the stored answers of a collection. Errors: ErrGone, ErrNotRereadable,
// those of the store and the vault.
func (r *Rereader) Recorded(ctx context.Context, id string) (Recorded, error) {
	s := r.s
	c, err := s.Store.Collection(ctx, id)
	if err != nil {
		return Recorded{}, err
	}
	if c.DataGone(s.Clock.Now()) {
		return Recorded{}, ErrGone
	}
	under, err := s.underOf(ctx, c)
	if err != nil {
		return Recorded{}, err
	}
	all := Recorded{Collection: c, Scope: under.Scope()}
	raws, err := s.Store.RawAnswers(ctx, id)
	if err != nil {
		return all, err
	}
	for _, raw := range raws {
		plain, err := s.Vault.Open(ctx, c.Subject(), rawPlace(id, raw.Seq), raw.Sealed)
		if errors.Is(err, seal.ErrKeyDestroyed) {
			return all, ErrGone
		}
		if err != nil {
			return all, err
		}
		a, err := packed(plain).unpack()
		if err != nil {
			return all, err
		}
		all.Answers = append(all.Answers, a)
	}
	if len(all.Answers) == 0 {
		return all, ErrNotRereadable
	}
	return all, nil
}

// Play makes products of answers. Errors: ErrNotRereadable.
func (r *Rereader) Play(ctx context.Context, all Recorded) (Played, error) {
	s, c := r.s, all.Collection
	i, known := s.Institutions.Find(c.Company)
	if !known || i.Collector == nil {
		return Played{}, ErrNotRereadable
	}
	room := s.memory.open(c.Company)
	defer room.close()
	j := newJournal(s, c, collection.Secret{}, i.Collector.Mapping())
	for _, a := range all.Answers {
		p, err := pack(a)
		if err != nil {
			return Played{}, err
		}
		j.stored[a.Question] = p
		j.order = append(j.order, a.Question)
	}
	replay := replayOf(s, room, j, consent.Consent{Requested: all.Scope}, i)
	if err := replay.run(ctx); err != nil {
		var said *institution.Error
		if errors.As(err, &said) {
			return Played{}, ErrNotRereadable
		}
		return Played{}, err
	}
	m, err := replay.products(i.Company)
	return Played{Products: m.list, Deviations: replay.deviations, Unused: len(j.stored), Missing: replay.unstored}, err
}
