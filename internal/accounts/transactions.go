package accounts

import (
	"context"

	"samla/internal/feeds"
	"samla/internal/product"
)

// Transactions keeps the transactions of accounts with package feeds.
func Transactions(s *feeds.Service) Feed { return transactions{s} }

type transactions struct{ *feeds.Service }

// Plan implements Feed.
func (t transactions) Plan(ctx context.Context, c FeedChange) (FeedPlan, error) {
	change := feeds.Change{UserID: c.UserID, Deleted: c.Deleted}
	for _, m := range c.Moved {
		change.Moves = append(change.Moves, feeds.Move{Link: m.LinkID, From: m.From, To: m.To})
	}
	for i := range c.Readings {
		r := &c.Readings[i]
		if a, ok := r.Product.(*product.Psd2Account); ok {
			change.Readings = append(change.Readings, feeds.Reading{AccountID: r.AccountID, Link: r.LinkID, At: r.At, Late: r.Late,
				Gone: r.Gone, Transactions: a.Transactions, Whole: r.Transactions, From: r.From, Until: r.Until, BookedOnly: r.BookedOnly, Was: r.Was})
		}
	}
	p, err := t.Service.Plan(ctx, change)
	if err != nil {
		return FeedPlan{}, err
	}
	news := make(map[string]FeedNews, len(p.News))
	for id, n := range p.News {
		news[id] = FeedNews(n)
	}
	return FeedPlan{News: news, More: p.More, Write: p.Write}, nil
}
