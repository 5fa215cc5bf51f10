package feeds

import (
	"context"
	"errors"

	"samla/internal/store"
)

// WriteAtMost sets how many rows one plan writes.
func (s *Service) WriteAtMost(n int) { s.most = n }

// PageOf reads a page of a feed whose account is not stored.
func (s *Service) PageOf(ctx context.Context, accountID, cursor string, limit int) (Page, error) {
	stored, err := s.Store.Feed(ctx, accountID)
	if errors.Is(err, store.ErrNotFound) {
		stored, err = store.FeedHead{AccountID: accountID}, nil
	}
	if err != nil {
		return Page{}, err
	}
	return s.page(ctx, stored, cursor, limit)
}
