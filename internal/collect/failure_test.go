package collect_test

import (
	"context"
	"maps"
	"strings"
	"sync"
	"testing"

	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/institution/intercept"
)

// failures are the status of the collection (docs/reference/api.md 5.7) and of the stored
// consent after each kind of error of the account list.
var failures = map[institution.ErrorKind]struct {
	status  collection.Status
	consent consent.Status
}{
	institution.Unreachable:         {collection.ThirdPartyError, consent.Authorized},
	institution.Busy:                {collection.ThirdPartyError, consent.Authorized},
	institution.Preparing:           {collection.ThirdPartyError, consent.Authorized},
	institution.AccessExceeded:      {collection.ThirdPartyError, consent.Authorized},
	institution.MalformedResponse:   {collection.ThirdPartyError, consent.Authorized},
	institution.ForeignAddress:      {collection.ThirdPartyError, consent.Authorized},
	institution.ConsentGone:         {collection.AuthenticationError, consent.Revoked},
	institution.ConsentOver:         {collection.AuthenticationError, consent.Expired},
	institution.SCARequired:         {collection.AuthenticationError, consent.Expired},
	institution.PersonRefused:       {collection.CustomerEnrollmentRequired, consent.Authorized},
	institution.NotCovered:          {collection.Failed, consent.Authorized},
	institution.Conflict:            {collection.Failed, consent.Authorized},
	institution.Refused:             {collection.Failed, consent.Authorized},
	institution.CertificateRejected: {collection.Failed, consent.Authorized},
}

func TestCollection_FailsByKindOfError(t *testing.T) {
	b := newEnv(t)
	for k, want := range failures {
		b.bank.fetches = func(context.Context, institution.Question, int) error { return kind(k) }
		b.bank.asked, b.bank.times = nil, map[institution.Question]int{}
		under := b.authorizedConsent()
		c := b.handle(b.start(b.request(under, "192.0.2.7")).ID)
		if c.Status != want.status || b.Consent(under.ID).Status != want.consent {
			t.Errorf("%s: %s, the consent %s", k, c.Status, b.Consent(under.ID).Status)
		}
		tries := 1
		if k.Transient() || k == institution.MalformedResponse {
			tries = 3
		}
		if k == institution.Preparing {
			tries = 20
		}
		if k == institution.AccessExceeded {
			tries = 2 // the other list may have its own limit
		}
		if all, _ := b.bank.count(""); all != tries {
			t.Errorf("%s: asked %d times", k, all)
		}
		if _, err := b.text(b.owner(), c.ID); err == nil {
			t.Errorf("%s: there is data", k)
		}
		if b.rawCount(c.ID) != 0 {
			t.Errorf("%s: %d answers are kept", k, b.rawCount(c.ID))
		}
	}
}

// If one question fails, the rest is returned, unless the error ends the consent.
func TestCollection_IsPartialWhenAQuestionFails(t *testing.T) {
	for k := range failures {
		for link, missing := range map[string]string{"main/2": "main", "save/balances": "save", "save/transactions": "save"} {
			b := newEnv(t)
			b.bank.fetches = func(_ context.Context, q institution.Question, _ int) error {
				if q.Link == link {
					return kind(k)
				}
				return nil
			}
			c := b.handle(b.start(b.request(b.authorizedConsent(), "192.0.2.7")).ID)
			if k == institution.ConsentGone || k == institution.ConsentOver || k == institution.CertificateRejected {
				b.wantEnded(c, failures[k].status)
				continue
			}
			b.wantEnded(c, collection.CompletedPartial)
			all := b.products(c.ID)
			p := all[missing]
			if len(all) != 3 || len(*all["card"].Transactions) != 1 {
				t.Errorf("%s of %s: %d products", k, link, len(all))
			}
			switch link {
			case "main/2": // the first page is there
				if len(*p.Transactions) != 1 {
					t.Errorf("%s of %s: %+v", k, link, p)
				}
			case "save/balances":
				if p.BookedBalance != nil || len(*p.Transactions) != 1 {
					t.Errorf("%s of %s: %+v", k, link, p)
				}
			default: // unknown is not empty
				if p.Transactions != nil || p.BookedBalance == nil {
					t.Errorf("%s of %s: %+v", k, link, p)
				}
			}
		}
	}
}

func TestCollection_IsPartialWithoutTheCards(t *testing.T) {
	b := newEnv(t)
	b.bank.fetches = func(_ context.Context, q institution.Question, _ int) error {
		if q.Kind == "cards" {
			return kind(institution.Unreachable)
		}
		return nil
	}
	c := b.handle(b.start(b.request(b.authorizedConsent(), "192.0.2.7")).ID)
	b.wantEnded(c, collection.CompletedPartial)
	if n := len(b.products(c.ID)); n != 2 {
		t.Errorf("%d products", n)
	}
}

func TestCollection_WithMalformedAnswers(t *testing.T) {
	for link, want := range map[string]collection.Status{"": collection.ThirdPartyError, "main/3": collection.CompletedPartial} {
		b := newEnv(t)
		b.bank.reads = func(q institution.Question) error {
			if q.Link == link && q.Kind != "cards" {
				return kind(institution.MalformedResponse)
			}
			return nil
		}
		b.wantEnded(b.handle(b.start(b.request(b.authorizedConsent(), "192.0.2.7")).ID), want)
	}
}

// outcomes counts ended calls by the kind of their error; "cancelled" if this server
// cancelled them.
type outcomes struct {
	mu sync.Mutex
	n  map[string]int
}

func (o *outcomes) Observe(got intercept.Outcome) {
	o.mu.Lock()
	defer o.mu.Unlock()
	kind := string(got.Kind)
	if got.Cancelled {
		kind = "cancelled"
	}
	o.n[kind]++
}

// An error that ends the collection cancels the other questions in flight. They are
// neither failures of the bank nor logged.
func TestCrawl_CancelsOtherQuestionsOnFatalError(t *testing.T) {
	for _, ip := range []string{"192.0.2.7", ""} {
		b := newEnv(t)
		b.bank.profile.Parallel = 3
		b.bank.fetches = func(ctx context.Context, q institution.Question, _ int) error {
			switch q.Link {
			case "save/balances":
				b.bank.waitFor(2) // siblings are under way
				return kind(institution.ConsentGone)
			case "main/balances", "main/transactions":
				b.bank.wait(ctx)
				return &institution.Error{Kind: institution.Unreachable, Cause: ctx.Err()}
			}
			return nil
		}
		seen := &outcomes{n: map[string]int{}}
		b.Institutions.(institution.Set)[theBank] = intercept.Wrap(b.bank.institution(), intercept.Observe(b.Clock, seen))
		b.wantEnded(b.handle(b.start(b.request(b.authorizedConsent(), ip)).ID), collection.AuthenticationError)
		delete(seen.n, "") // what succeeded before
		if want := map[string]int{"cancelled": 2, string(institution.ConsentGone): 1}; !maps.Equal(seen.n, want) {
			t.Errorf("calls failed as %v, want %v", seen.n, want)
		}
		if strings.Contains(b.logs.String(), "could not be read") {
			t.Errorf("logged %s", b.logs)
		}
	}
}
