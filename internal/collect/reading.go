package collect

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"samla/internal/clock"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/institution"
)

// tries is how often one query is asked before it counts as failed.
const tries = 3

// reading is one run over a consent's accounts: which queries are done, which
// follow from them, and what failed. All it has read can be stored and taken up
// again by another process.
type reading struct {
	*Service
	c       collection.Collection
	scope   consent.Scope
	source  institution.Source
	profile institution.Profile
	access  institution.Access
	from    time.Time // first booking date asked for

	mu      sync.Mutex
	known   map[institution.Query]institution.Answer // what earlier looks have read
	unsaved []institution.Answer
	saved   int // answers stored so far; the Seq of the next
	flushed time.Time

	accounts []account
	missing  int // queries that failed for good, rows that could not be understood
}

// account is what has been read of one account.
type account struct {
	institution.Account
	transactions []institution.Transaction
	covered      bool // transactions are covered by the consent, and the bank has told them
}

func newReading(s *Service, c collection.Collection, under consent.Consent, source institution.Source, p institution.Profile, a institution.Access) *reading {
	now := s.Clock.Now()
	return &reading{Service: s, c: c, scope: under.Scope(), source: source, profile: p, access: a,
		from: historyFrom(c, under, p, now), known: map[institution.Query]institution.Answer{}, flushed: now}
}

// signedLately is how long after the person signed a bank gives the long
// history without asking them again.
const signedLately = 15 * time.Minute

// historyFrom is the first booking date asked for: the long history right after
// the person signed, else what needs no new authentication (RTS art. 10a).
func historyFrom(c collection.Collection, under consent.Consent, p institution.Profile, now time.Time) time.Time {
	days := p.HistoryUnattended
	signed := under.SCAExpiresAt.Add(-consent.MaxSCAAge)
	if c.Attended && now.Sub(signed) < signedLately {
		days = p.HistoryAttended
	}
	// Taken from the collection's own start, so that a resumed run asks the same.
	y, m, d := c.CreatedAt.AddDate(0, 0, -days).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// run reads everything. It returns the error of a query without which there is
// nothing to show; what failed beside that is counted in missing.
func (r *reading) run(ctx context.Context) error {
	var lists [][]institution.Account
	for i, q := range r.source.Plan() {
		q.Bare = !r.scope.Balances
		a, err := r.ask(ctx, q)
		if err == nil {
			var list []institution.Account
			if list, err = r.source.ReadAccounts(a); err == nil {
				lists = append(lists, list)
			}
		}
		if err != nil && (i == 0 || ctx.Err() != nil || final(err)) {
			return err
		}
		if err != nil {
			r.miss(q, err)
		}
	}
	for _, list := range lists {
		for _, a := range list {
			if !a.Closed && wanted(a, r.scope.AccountIDs) && wanted(a, r.c.Filter) {
				r.accounts = append(r.accounts, account{Account: a})
			}
		}
	}
	return r.each(ctx)
}

// final reports whether an error means that nothing else can be read either: the
// bank said so, or it is no error of the bank's but of our own store.
func final(err error) bool {
	var said *institution.Error
	if !errors.As(err, &said) {
		return true
	}
	switch said.Kind {
	case institution.ConsentGone, institution.ConsentOver, institution.CertificateBad:
		return true
	}
	return false
}

// wanted reports whether an account is one of the ids; nil ids are all.
func wanted(a institution.Account, ids []string) bool {
	if len(ids) == 0 {
		return true
	}
	for _, id := range ids {
		id = strings.ReplaceAll(id, " ", "")
		for _, own := range []string{a.ResourceID, a.IBAN, a.BBAN, a.MaskedPAN} {
			if own != "" && strings.EqualFold(own, id) {
				return true
			}
		}
	}
	return false
}

// each reads the accounts side by side, within the bank's limit.
func (r *reading) each(ctx context.Context) error {
	if len(r.accounts) == 1 || r.profile.Parallel == 1 {
		for i := range r.accounts {
			if err := r.account(ctx, &r.accounts[i]); err != nil {
				return err
			}
		}
		return nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	slots := make(chan struct{}, r.profile.Parallel)
	for i := range r.accounts {
		slots <- struct{}{}
		wg.Add(1)
		go func() {
			defer wg.Done()
			defer func() { <-slots }()
			if err := r.account(ctx, &r.accounts[i]); err != nil {
				cancel(err)
			}
		}()
	}
	wg.Wait()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return nil
}

// account reads one account's balances and transactions, as far as the consent
// and the bank go. It returns only what ends the whole run.
func (r *reading) account(ctx context.Context, a *account) error {
	if r.scope.Balances && len(a.Balances) == 0 && a.BalancesLink != "" {
		q := institution.Query{Kind: institution.Balances, Account: a.ResourceID, Card: a.Card, Link: a.BalancesLink}
		answer, err := r.ask(ctx, q)
		if err == nil {
			a.Balances, err = r.source.ReadBalances(answer)
		}
		if err := r.missed(ctx, q, err); err != nil {
			return err
		}
	}
	if !r.scope.Transactions || a.TransactionsLink == "" {
		return nil
	}
	q := institution.Query{Kind: institution.Transactions, Account: a.ResourceID, Card: a.Card, Link: a.TransactionsLink, From: r.from}
	for asked := map[string]bool{}; q.Link != "" && !asked[q.Link]; {
		asked[q.Link] = true
		answer, err := r.ask(ctx, q)
		var page institution.TransactionPage
		if err == nil {
			page, err = r.source.ReadTransactions(answer)
		}
		if err != nil {
			return r.missed(ctx, q, err)
		}
		a.covered = true
		a.transactions = append(a.transactions, page.Transactions...)
		a.DebitPositive = a.DebitPositive || page.DebitPositive
		r.count(page.Skipped)
		q.Link, q.From = page.Next, time.Time{}
	}
	return nil
}

// missed decides whether a failed query ends the run or is a part that is
// missing.
func (r *reading) missed(ctx context.Context, q institution.Query, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil || final(err) {
		return err
	}
	r.miss(q, err)
	return nil
}

func (r *reading) miss(q institution.Query, err error) {
	r.Log.Info("a part of a collection could not be read", "company", r.c.Company, "collection", r.c.ID, "kind", q.Kind, "error", err)
	r.count(1)
}

func (r *reading) count(missing int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.missing += missing
}

// errNotPermitted says that the consent has ended while it was being read.
var errNotPermitted = errors.New("collect: the consent is over")

// permitted looks at the consent before each question to the bank: what was
// withdrawn a moment ago, here or on another node, is not read any more.
func (r *reading) permitted(ctx context.Context) error {
	under, err := r.Store.ConsentStatus(ctx, r.c.ConsentID)
	if err != nil {
		return err
	}
	if under.UserGone || under.Status != consent.Authorized || !r.Clock.Now().Before(under.ExpiresAt) {
		return errNotPermitted
	}
	return nil
}

// ask gives the answer to a query: the one that an earlier look has stored, or
// the bank's, tried again where the failure may pass.
func (r *reading) ask(ctx context.Context, q institution.Query) (institution.Answer, error) {
	r.mu.Lock()
	a, known := r.known[q]
	r.mu.Unlock()
	if known {
		return a, nil
	}
	for try := 1; ; try++ {
		if err := r.permitted(ctx); err != nil {
			return a, err
		}
		a, err := r.source.Fetch(ctx, r.access, q)
		if err == nil {
			return a, r.keep(ctx, a)
		}
		kind := institution.KindOf(err)
		if !kind.Passing() || try == tries || ctx.Err() != nil {
			return a, err
		}
		wait := clock.Backoff(try, 200*time.Millisecond, 2*time.Second)
		var said *institution.Error
		if errors.As(err, &said) && said.RetryAfter > 0 {
			wait = min(said.RetryAfter, 5*time.Second)
		}
		if clock.Sleep(ctx, r.Clock, wait) != nil {
			return a, err
		}
	}
}
