package collect

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"samla/internal/collection"
	"samla/internal/deviation"
	"samla/internal/fact"
	"samla/internal/institution"
	"samla/internal/listing"
	"samla/internal/outbox"
	"samla/internal/product"
	"samla/internal/seal"
)

// ReportPlace is where the report of a collection is sealed, in the message that applies
// it to the accounts of its user.
func ReportPlace(id string) seal.Place {
	return seal.Place{Table: "duties", Column: "sealed", Row: id}
}

// planApply plans the message that applies a collection to the lasting accounts of its
// user. It seals, and must not run inside a transaction.
func (s *Service) planApply(ctx context.Context, c collection.Collection, r collection.Report) (outbox.Message, error) {
	now := s.Clock.Now()
	m := outbox.Message{ID: c.ID, Kind: outbox.ApplyCollection, CreatedAt: now, WakeAt: now}
	plain, err := json.Marshal(r)
	if err != nil {
		return m, fmt.Errorf("encode the report of a collection: %w", err)
	}
	m.Sealed, err = s.Vault.Seal(ctx, c.Subject(), ReportPlace(c.ID), plain)
	return m, err
}

// reporter makes the report of a crawl while its products are made.
type reporter struct {
	*crawl
	of     listing.Found
	asked  map[string]period // by account key
	report collection.Report
}

// period is what was asked for of the transactions of an account.
type period struct {
	from, until string
	bookedOnly  bool
}

func newReporter(c *crawl) *reporter {
	r := &reporter{crawl: c, of: c.found(), asked: map[string]period{}}
	r.report.Listed = !c.partial[""] && !r.of.Deviations.Incomplete() && len(c.journal.c.Filter) == 0
	for i := range r.of.Closed {
		r.report.Closed = append(r.report.Closed, identifiersOf(r.of.Closed[i].Entries, ""))
	}
	c.walk(r.addQuestion)
	return r
}

// addQuestion adds the days that a question asks for. One that was replaced by a smaller
// one was not answered. All days are asked for of what has no first or no last day.
func (r *reporter) addQuestion(n *node) {
	q := n.question
	if q.Needs != institution.NeedsTransactions || len(n.questions) == 1 && r.nodes[n.questions[0]] != nil && r.nodes[n.questions[0]].reduced > n.reduced {
		return
	}
	p, known := r.asked[q.Account]
	switch {
	case q.Onward:
	case !known:
		r.asked[q.Account] = period{q.From, q.Until, q.BookedOnly}
	default:
		p.from = min(p.from, q.From)
		if p.until = max(p.until, q.Until); q.Until == "" {
			p.until = ""
		}
		p.bookedOnly = p.bookedOnly || q.BookedOnly
		r.asked[q.Account] = p
	}
}

// add adds what is known of how well a product was read.
func (r *reporter) add(p product.Product, of *listing.Account, found deviation.Counts) {
	said := collection.ProductReport{ID: p.Common().ID}
	whole := !r.partial[""]
	if of == nil { // an institution gives a product in one piece
		said.Transactions, said.Balances = whole, whole
		r.report.Products = append(r.report.Products, said)
		return
	}
	currency := ""
	if a, isAccount := p.(*product.Psd2Account); isAccount {
		currency = a.Currency
	}
	said.Identifiers = identifiersOf(of.Entries, currency)
	read := false
	for _, e := range of.Entries {
		whole = whole && !r.partial[e.Key]
		if q, asked := r.asked[e.Key]; asked {
			switch {
			case !read:
				said.From, said.Until = q.from, q.until
			default: // what every place was asked for
				said.From = max(said.From, q.from)
			}
			said.BookedOnly = said.BookedOnly || q.bookedOnly
			read = true
		}
	}
	whole = whole && !found.Incomplete()
	said.Transactions = whole && r.places.lostOf(of, institution.NeedsTransactions) == 0 && hasHistory(p)
	said.Balances = whole && r.places.lostOf(of, institution.NeedsBalances) == 0
	r.report.Products = append(r.report.Products, said)
}

// hasHistory reports whether the transactions of an account are known.
func hasHistory(p product.Product) bool {
	a, is := p.(*product.Psd2Account)
	return is && a.Transactions != nil
}

// identifiersOf returns what entries of one account say that identifies it.
func identifiersOf(entries []fact.Account, currency string) (of collection.Identifiers) {
	add := func(to *[]string, texts ...string) {
		for _, s := range texts {
			if s != "" && !slices.Contains(*to, s) {
				*to = append(*to, s)
			}
		}
	}
	for _, e := range entries {
		add(&of.IBANs, e.IBAN)
		add(&of.Numbers, e.BBAN, e.Other, e.MSISDN)
		add(&of.Masked, e.MaskedPAN)
		add(&of.Resources, e.ID)
		add(&of.Names, e.Name, e.Product)
	}
	of.Currency = currency
	return of
}
