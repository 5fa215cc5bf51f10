package authorize

import (
	"context"
	"errors"
	"slices"
	"time"

	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/journal"
	"samla/internal/store"
)

// replacement is what becomes of a consent when the one that renews it is authorized. It
// is written before the new one: transactions that write two consents of a lineage begin
// with the older one.
type replacement struct {
	after consent.Consent
	end   *End // nil: it has ended before, and only learns what renewed it
	// unchanged: there is nothing to write.
	unchanged bool
}

// recordWithin bounds what follows a replacement and is not part of its transaction.
const recordWithin = 5 * time.Second

// errReplacedChanged says that the consent to replace was written by another writer
// after the replacement was planned.
var errReplacedChanged = errors.New("authorize: the consent to replace has changed")

// writeReplacing runs write in a transaction. If replaces is set, the transaction also
// ends the living consent of the lineage, which c renews, whatever else writes that consent at the same time:
// the person has signed, so the grant does not fail because of it.
func (s *Service) writeReplacing(ctx context.Context, c consent.Consent, replaces bool, write func(tx store.Tx, replaced consent.Consent) error) error {
	for replaces {
		r, err := s.planReplacement(ctx, c)
		if err != nil {
			return err
		}
		err = s.Store.Write(ctx, func(tx store.Tx) error {
			if err := r.write(ctx, tx); err != nil {
				return err
			}
			return write(tx, r.after)
		})
		if errors.Is(err, errReplacedChanged) && ctx.Err() == nil {
			continue
		}
		if r.end == nil {
			return err
		}
		s.recordReplaced(ctx, c.ID, err)
		if err == nil {
			r.end.Committed()
		}
		return err
	}
	return s.Store.Write(ctx, func(tx store.Tx) error { return write(tx, consent.Consent{}) })
}

// recordReplaced writes to the journal that a renewal was authorized, after its transaction
// ended with failure: the record that was written before it does not count without this one
// (journal.Settled). The outcome of a commit whose connection broke is read.
func (s *Service) recordReplaced(ctx context.Context, id consent.ID, failure error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordWithin)
	defer cancel()
	if failure != nil {
		if c, err := s.Store.Consent(ctx, id); err != nil || !c.WasAuthorized() {
			return
		}
	}
	if err := s.Journal.Record(ctx, journal.Record{Kind: journal.ConsentRenewed, ID: string(id)}); err != nil {
		s.Log.Error("the journal does not know that a renewal was authorized", "consent", id, "error", err)
	}
}

// planReplacement plans what becomes of the consent that c renews: the living one of the
// lineage.
func (s *Service) planReplacement(ctx context.Context, c consent.Consent) (*replacement, error) {
	lineage, err := s.Store.LineageConsents(ctx, c.Lineage)
	if err != nil {
		return nil, err
	}
	old, _ := consent.Living(slices.DeleteFunc(lineage, func(other consent.Consent) bool { return other.ID == c.ID }))
	e := consent.Replaced{By: c.ID}
	after, err := old.Apply(e, s.Clock.Now())
	if err != nil { // a defect; what the person has signed is worth more
		s.Log.Error("an authorized consent does not replace another one", "company", c.Company, "consent", c.ID, "renews", old.ID, "error", err)
		return &replacement{after: old, unchanged: true}, nil
	}
	if old.Status.Final() {
		return &replacement{after: after}, nil
	}
	plan := s.planSilentEnd
	if s.Institutions.Of(old.Company).Profile.OldConsent == institution.OldDeleted {
		plan = func(ctx context.Context, c consent.Consent, e consent.Event) (*End, error) {
			return s.planCertainEnd(ctx, c, e, false)
		}
	}
	end, err := plan(ctx, old, e)
	return &replacement{after: after, end: end}, err
}

// write stores the replaced consent. Errors: errReplacedChanged.
func (r *replacement) write(ctx context.Context, tx store.Tx) error {
	var err error
	switch {
	case r.end != nil:
		err = r.end.Write(ctx, tx)
	case !r.unchanged:
		_, err = tx.PutConsent(ctx, r.after)
	}
	if errors.Is(err, store.ErrConflict) {
		return errReplacedChanged
	}
	return err
}
