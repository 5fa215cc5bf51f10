package connect_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"samla/internal/collection"
	"samla/internal/company"
	"samla/internal/connect"
	"samla/internal/consent"
	"samla/internal/dialogue"
	"samla/internal/flow"
	"samla/internal/store"
)

// From the choice of a bank to data: the consent has what the link says, and the person's
// own address, and the collection begins when the page asks.
func TestFlow_ConsentIsReadWhileThePageAsks(t *testing.T) {
	b := newEnv(t)
	p := b.opens(func(r *connect.LinkRequest) { r.Terms.ValidDays, r.Terms.Transactions = 30, false })
	p.in(flow.Start)
	p.chooses(bank)
	p.in(flow.Review)
	if !slices.Equal(p.view.Ways, []connect.Way{{Kind: connect.ThisDevice, Method: "SWEDISH_MOBILE_BANKID_SAME_DEVICE", OnDevice: true},
		{Kind: connect.OtherDevice, Method: "SWEDISH_MOBILE_BANKID_OTHER_DEVICE"}}) || !p.view.Has(company.NeedsPersonalNumber) {
		t.Errorf("ways %+v, needs %q", p.view.Ways, p.view.Needs)
	}
	p.begins(connect.OtherDevice)
	p.in(flow.Opening)
	c := b.Consent(p.view.Flow.ConsentID)
	if c.UserID != b.User.ID || c.Requested.Transactions || !c.Requested.Balances || c.LoginMethod != "SWEDISH_MOBILE_BANKID_OTHER_DEVICE" ||
		c.ExpiresAt.Format(time.DateOnly) != "2026-05-01" {
		t.Errorf("%+v", c)
	}
	p.signs()
	if p.view.Flow.CollectionID != "" {
		t.Fatal("read before the page asks")
	}
	p.looks()
	p.in(flow.Reading)
	k := p.collection()
	if !k.Attended || k.ConsentID != c.ID || k.UserID != b.User.ID {
		t.Errorf("%+v", k)
	}
	p.collected(collection.Reads{}, collection.Finished{In: collection.Completed, Accounts: 1, KeepUntil: b.Clock.Now().Add(time.Hour)})
	p.looks()
	p.in(flow.Done)
	p.acts(flow.Leave{})
	p.in(flow.Ended)
}

func TestFlow_ConsentOnlyIsDoneWithoutReading(t *testing.T) {
	p := newEnv(t).opens(func(r *connect.LinkRequest) { r.Terms.ConsentOnly, r.Terms.Companies = true, []string{bank} })
	p.begins(connect.ThisDevice)
	p.signs()
	p.looks()
	p.in(flow.Done)
	if p.view.Flow.CollectionID != "" {
		t.Error("something was read")
	}
}

// Two pages hear at once that the person has signed: one collection begins.
func TestFlow_TwoPagesBeginOneCollection(t *testing.T) {
	b := newEnv(t)
	p := b.opens(func(r *connect.LinkRequest) { r.Terms.Companies = []string{bank} })
	p.begins(connect.OtherDevice)
	p.signs()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if v, err := b.View(t.Context(), p.id, p.key, visitor); err != nil || v.Flow.State != flow.Reading {
				t.Errorf("%s, %v", v.Flow.State, err)
			}
		})
	}
	all.Wait()
	running, err := b.Store.RunningCollections(t.Context(), b.User.ClientID, b.User.ID, 10)
	if err != nil || len(running) != 1 {
		t.Errorf("%d collections, %v", len(running), err)
	}
}

// A second press, also in another tab, begins nothing, and shows how it stands.
func TestFlow_SecondPressBeginsNothing(t *testing.T) {
	b := newEnv(t)
	p := b.opens(func(r *connect.LinkRequest) { r.Terms.Companies = []string{bank} })
	rev := p.rev()
	p.begins(connect.OtherDevice)
	id := p.view.Flow.ConsentID
	p.did(b.Begin(t.Context(), p.id, p.key, rev, connect.Begin{Kind: connect.OtherDevice, Typed: flow.Typed{PersonalNumber: maja}}, visitor))
	live, err := b.Store.LiveConsents(t.Context(), b.User.ClientID, b.User.ID, 10)
	if !p.view.Stale || p.view.Flow.ConsentID != id || err != nil || len(live) != 1 {
		t.Errorf("%+v, %d live, %v", p.view.Flow, len(live), err)
	}
}

// What is wrong is said, and nothing has begun. What was right stays.
func TestFlow_SaysWhatIsWrongWithWhatWasTyped(t *testing.T) {
	b := newEnv(t)
	p := b.opens(func(r *connect.LinkRequest) { r.Terms.Companies = []string{bank} })
	for text, want := range map[string]string{"": "REQUIRED", "198412099297": "INVALID"} {
		p.did(b.Begin(t.Context(), p.id, p.key, p.rev(), connect.Begin{Kind: connect.OtherDevice, Typed: flow.Typed{PersonalNumber: text}}, visitor))
		p.in(flow.Review)
		if len(p.view.Problems) != 1 || p.view.Problems[0].Pointer != connect.AtPersonalNumber || string(p.view.Problems[0].Code) != want || p.view.Typed.PersonalNumber != text {
			t.Errorf("%q: %+v", text, p.view.Problems)
		}
	}
	p.begins(connect.OtherDevice)
	p.bankSays(consent.FailedWith{Code: consent.BankError})
	p.looks()
	p.in(flow.Failed)
	p.acts(flow.Again{})
	p.in(flow.Review)
	if p.view.Typed.PersonalNumber != maja {
		t.Error("the number has to be typed again")
	}
}

// Cancel ends the consent, and tells the bank if it knows it; while data is read, it takes
// back what was signed.
func TestFlow_CancelEndsEverything(t *testing.T) {
	b := newEnv(t)
	p := b.opens(func(r *connect.LinkRequest) { r.Terms.Companies = []string{bank} })
	p.begins(connect.OtherDevice)
	p.did(b.Cancel(t.Context(), p.id, p.key, visitor))
	p.in(flow.Cancelled)
	if c := b.Consent(p.view.Flow.ConsentID); c.Status != consent.Revoked {
		t.Errorf("the consent is %s", c.Status)
	}
	p.acts(flow.Again{})
	p.begins(connect.OtherDevice)
	p.signs()
	p.looks()
	p.in(flow.Reading)
	p.did(b.Cancel(t.Context(), p.id, p.key, visitor))
	p.in(flow.Cancelled)
	if c := b.Consent(p.view.Flow.ConsentID); c.Status != consent.Revoked {
		t.Errorf("the consent is %s", c.Status)
	}
	if k := p.collection(); !k.Status.Terminal() {
		t.Errorf("the collection is %s", k.Status)
	}
	p.did(b.Cancel(t.Context(), p.id, p.key, visitor))
	p.in(flow.Cancelled)
}

// The collection of a closed page is kept going for ten minutes, and no longer.
func TestHold_KeepsAClosedPageReading(t *testing.T) {
	b := newEnv(t)
	p := b.opens(func(r *connect.LinkRequest) { r.Terms.Companies = []string{bank} })
	p.begins(connect.OtherDevice)
	p.signs()
	p.looks()
	for range 59 {
		b.Clock.Advance(10 * time.Second)
		if err := b.HoldOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if k := p.collection(); b.Clock.Now().After(k.LeaseEnds(collection.DefaultLease)) {
		t.Errorf("the lease ended: polled %v, now %v", k.PolledAt, b.Clock.Now())
	}
	for range 30 {
		b.Clock.Advance(10 * time.Second)
		if err := b.HoldOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if k := p.collection(); !b.Clock.Now().After(k.LeaseEnds(collection.DefaultLease)) {
		t.Error("held for too long")
	}
}

// A flow belongs to the browser that has its secret.
func TestFlow_BelongsToItsBrowser(t *testing.T) {
	b := newEnv(t)
	p, other := b.opens(nil), b.opens(nil)
	for _, key := range []string{"", other.key} {
		if _, err := b.View(t.Context(), p.id, key, visitor); !errors.Is(err, connect.ErrUnknown) {
			t.Errorf("view: %v", err)
		}
		if _, err := b.Cancel(t.Context(), p.id, key, visitor); !errors.Is(err, connect.ErrUnknown) {
			t.Errorf("cancel: %v", err)
		}
		if _, err := b.Choose(t.Context(), p.id, key, 0, bank, visitor); !errors.Is(err, connect.ErrUnknown) {
			t.Errorf("choose: %v", err)
		}
		if _, err := b.Begin(t.Context(), p.id, key, 0, connect.Begin{}, visitor); !errors.Is(err, connect.ErrUnknown) {
			t.Errorf("begin: %v", err)
		}
		if _, err := b.Answer(t.Context(), p.id, key, dialogue.Answer{Question: "q", Code: "1"}, visitor); !errors.Is(err, connect.ErrUnknown) {
			t.Errorf("answer: %v", err)
		}
	}
}

// Only what the link offers can be chosen.
func TestChoose_TakesWhatIsOffered(t *testing.T) {
	p := newEnv(t).opens(func(r *connect.LinkRequest) { r.Terms.Products = []flow.Product{flow.Wealth} })
	for _, id := range []string{bank, "se-x", ""} {
		if p.chooses(id); p.view.Flow.State != flow.Start || !p.view.Stale {
			t.Errorf("%q: %s", id, p.view.Flow.State)
		}
	}
	p.chooses(source)
	p.in(flow.Review)
	if kinds := []connect.WayKind{p.view.Ways[0].Kind, p.view.Ways[1].Kind, p.view.Ways[2].Kind}; len(p.view.Ways) != 3 || !slices.Equal(kinds, []connect.WayKind{connect.ThisDevice, connect.OtherDevice, connect.ByEmail}) {
		t.Errorf("%+v", p.view.Ways)
	}
}

// At a bank with a page of its own the person comes back to the flow.
func TestFlow_ReturnsFromThePageOfTheBank(t *testing.T) {
	b := newEnv(t)
	p := b.opens(func(r *connect.LinkRequest) { r.Terms.Companies = []string{page} })
	if len(p.view.Ways) != 1 || p.view.Ways[0].Kind != connect.ByPage {
		t.Fatalf("%+v", p.view.Ways)
	}
	p.begins(connect.ByPage)
	if c := b.Consent(p.view.Flow.ConsentID); c.Visit == nil || c.Visit.ReturnTo != "https://samla.example/c/"+p.id {
		t.Errorf("%+v", c.Visit)
	}
}

// A login by dialogue begins as a collection, and nothing is asked twice.
func TestFlow_LogsInByDialogue(t *testing.T) {
	b := newEnv(t)
	p := b.opens(func(r *connect.LinkRequest) { r.Terms.Companies = []string{source} })
	p.begins(connect.OtherDevice)
	p.in(flow.Opening)
	k := p.collection()
	if k.Mode != collection.Dialogue || k.UserID != b.User.ID || p.view.Flow.ConsentID != "" {
		t.Errorf("%+v", k)
	}
	p.did(b.Answer(t.Context(), p.id, p.key, dialogue.Answer{Question: "q", Code: "1"}, visitor))
	if !p.view.Stale {
		t.Error("an answer to nothing was taken")
	}
	p.collected(collection.Waits{In: collection.Login}, collection.FailedWith{In: collection.IncorrectCredentials})
	p.looks()
	p.in(flow.Failed)
	if p.view.Flow.Failure != "INCORRECT_CREDENTIALS" {
		t.Error(p.view.Flow.Failure)
	}
}

// A page that was in the background offers another way although the person has signed: a press
// ends nothing, and the flow goes on with what was signed.
func TestFlow_LatePressKeepsWhatWasSigned(t *testing.T) {
	b := newEnv(t)
	p := b.opens(func(r *connect.LinkRequest) { r.Terms.Companies = []string{bank} })
	p.begins(connect.OtherDevice)
	p.stands(flow.InApp)
	id := p.view.Flow.ConsentID
	p.signs()
	p.begins(connect.ThisDevice)
	p.in(flow.Reading)
	if c := b.Consent(id); !p.view.Stale || p.view.Flow.ConsentID != id || c.Status != consent.Authorized {
		t.Errorf("%+v, the consent is %s", p.view.Flow, c.Status)
	}
}

// One page cancels while another one begins again: nothing is left that a person could sign.
func TestFlow_CancelEndsWhatAnotherPageHasBegun(t *testing.T) {
	b := newEnv(t)
	p := b.opens(func(r *connect.LinkRequest) { r.Terms.Companies = []string{bank} })
	p.begins(connect.OtherDevice)
	p.stands(flow.QR)
	first := p.view.Flow.ConsentID
	deps := b.Service.Deps
	deps.Store = &interrupted{Store: b.Store, before: 2, by: func() { p.begins(connect.ThisDevice) }}
	p.did(connect.New(deps).Cancel(t.Context(), p.id, p.key, visitor))
	p.in(flow.Cancelled)
	live, err := b.Store.LiveConsents(t.Context(), b.User.ClientID, b.User.ID, 10)
	if err != nil || len(live) != 0 || p.view.Flow.ConsentID == first {
		t.Errorf("%d live, %v, %+v", len(live), err, p.view.Flow)
	}
}

// interrupted is a store in which something happens before a flow is read for the time before.
type interrupted struct {
	store.Store
	before, reads int
	by            func()
}

func (s *interrupted) ConnectFlow(ctx context.Context, id string) (flow.Flow, error) {
	if s.reads++; s.reads == s.before {
		s.by()
	}
	return s.Store.ConnectFlow(ctx, id)
}
