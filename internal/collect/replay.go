package collect

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/dialogue"
	"samla/internal/institution"
)

// errNotStored is the error of a question without a stored answer. It may pass, so what is
// kept across collections takes the list as not read wholly.
var errNotStored = &institution.Error{Kind: institution.Unreachable}

// offline is a collector that asks nothing.
type offline struct{ institution.Collector }

// Fetch implements institution.Collector. Nothing calls it.
func (offline) Fetch(context.Context, institution.Access, institution.Question) (institution.Answer, error) {
	return institution.Answer{}, &institution.Error{Kind: institution.Refused, NotSent: true}
}

// replay is a crawl over the stored answers of a collection that has ended.
type replay struct {
	*crawl
	order []institution.Question // of the stored answers, as they were read
	// unstored are the questions without a stored answer.
	unstored []institution.Question
}

// newReplay reads the stored answers. under is the consent of the collection.
func newReplay(ctx context.Context, s *Service, r *room, c collection.Collection, under consent.Consent, i institution.Institution) (*replay, error) {
	j := newJournal(s, c, collection.Secret{}, i.Collector.Mapping())
	if err := j.load(ctx, r); err != nil {
		return nil, err
	}
	return replayOf(s, r, j, under, i), nil
}

// replayOf returns a replay of the answers of a journal.
func replayOf(s *Service, r *room, j *journal, under consent.Consent, i institution.Institution) *replay {
	c, p := j.c, &replay{order: j.order}
	scope, from := under.Scope(), offline{i.Collector}
	f := newFrontier(scope, search(c, under, i.Company), from.Start(scope, p.from()))
	f.now = s.Clock.Now()
	p.crawl = &crawl{Service: s, frontier: f, journal: j, journalID: c.ID, attended: c.Attended, created: c.CreatedAt, until: time.Time{}, from: from,
		parallel: 1, room: r}
	return p
}

// from returns the first booking date that was asked for.
func (p *replay) from() (day string) {
	for _, q := range p.order {
		switch {
		case q.From == "":
		case q.Account == "": // the questions of the start have the day for those that follow
			return q.From
		case day == "" || q.From < day:
			day = q.From
		}
	}
	return day
}

// run reads all stored answers that today's mapping asks for. It returns an error if an
// essential one is not stored.
func (p *replay) run(ctx context.Context) error {
	for !p.empty() {
		if err := ctx.Err(); err != nil {
			return err
		}
		questions, beyond := p.take(1)
		p.countSkipped(beyond)
		for _, q := range questions {
			if err := p.answered(ctx, q); err != nil {
				return err
			}
		}
	}
	return nil
}

// answered reads the stored answer to a question.
func (p *replay) answered(ctx context.Context, q institution.Question) error {
	t := task{question: q, reduced: p.nodes[q].reduced}
	o := outcome{question: q, err: errNotStored}
	if at, known := p.find(q); known {
		t.stored = p.journal.stored[at]
		delete(p.journal.stored, at)
		o.err = nil
		p.readStored(ctx, t, &o)
	} else {
		p.unstored = append(p.unstored, q)
	}
	if err := p.addOutcome(o); err != nil {
		return err
	}
	if p.cancelled {
		return errors.Join(ctx.Err(), errNotRead)
	}
	return nil
}

// find returns the stored question whose answer a question gets: the same one, or else the
// next one of the same kind about the same, because another version of the mapping may
// have asked in another way.
func (p *replay) find(q institution.Question) (institution.Question, bool) {
	if _, same := p.journal.stored[q]; same {
		return q, true
	}
	i := slices.IndexFunc(p.order, func(s institution.Question) bool {
		_, unused := p.journal.stored[s]
		return unused && s.Kind == q.Kind && s.Account == q.Account && s.Needs == q.Needs && !s.Onward && !q.Onward && p.nodes[s] == nil
	})
	if i < 0 {
		return q, false
	}
	return p.order[i], true
}

// underOf returns what permitted a collection that has ended.
func (s *Service) underOf(ctx context.Context, c collection.Collection) (consent.Consent, error) {
	if c.Mode == collection.Dialogue {
		return asIn(&dialogue.State{InAt: c.CreatedAt}), nil
	}
	under, err := s.Store.Consent(ctx, c.ConsentID)
	if err != nil {
		return under, fmt.Errorf("read the consent of collection %s: %w", c.ID, err)
	}
	return under, nil
}
