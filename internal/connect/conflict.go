package connect

import (
	"context"
	"slices"
	"time"

	"samla/internal/consent"
	"samla/internal/flow"
	"samla/internal/store"
)

// endedLately is how long ago an order may have ended that the institution may still have
// had open.
const endedLately = time.Minute

// onceMore begins an approval again that the institution has refused because another order
// of the person was open, if that was an order of before that this page has ended: the
// institution is told of its end in the background, and may have heard of the new one first.
// Any other conflict is the person's. An approval that was begun again stays as it ends.
func (s *Service) onceMore(ctx context.Context, view View, v Visitor) (View, error) {
	f := view.Flow
	if f.State != flow.Failed || f.Failure != string(consent.AuthenticationConflict) || f.ConsentID == "" {
		return view, nil
	}
	rows, err := s.Consents.List(ctx, f.ClientID, f.UserID, store.Page{Limit: formerLimit}) // the newest first
	if err != nil {
		return view, err
	}
	rows = slices.DeleteFunc(rows, func(c consent.Summary) bool { return c.Company != f.Company })
	at := slices.IndexFunc(rows, func(c consent.Summary) bool { return c.ID == f.ConsentID })
	if at < 0 || at+1 >= len(rows) || rows[at+1].Status != consent.Revoked {
		return view, nil
	}
	before, err := s.Store.ConsentStatus(ctx, rows[at+1].ID)
	if err != nil || before.WasAuthorized() || s.Clock.Now().Sub(before.RevokedAt) > endedLately {
		return view, unknown(err)
	}
	i, _ := s.Institutions.Find(f.Company)
	ways := waysOf(i)
	way := slices.IndexFunc(ways, func(w Way) bool { return w.Method == f.Method && w.OnDevice == f.OnDevice })
	again, err := s.apply(ctx, f, flow.Again{})
	if err != nil || way < 0 || again.State != flow.Review {
		return View{Flow: again}, err
	}
	return s.begin(ctx, again, again.Rev, Begin{Kind: ways[way].Kind, Method: ways[way].Method}, v)
}
