package connect_test

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"samla/internal/connect"
	"samla/internal/fault"
	"samla/internal/flow"
	"samla/internal/flowtest"
	"samla/internal/store"
	"samla/internal/user"
)

func TestLink_OpensOnceAndExpires(t *testing.T) {
	b := newEnv(t)
	l := b.link(func(r *connect.LinkRequest) { r.Known.PersonalNumber = "841209-9296" })
	if peeked, err := b.Peek(t.Context(), secretOf(l)); err != nil || !peeked.OpenedAt.IsZero() {
		t.Fatalf("a look: %+v, %v", peeked, err)
	}
	var opened, used atomic.Int64
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			switch _, _, err := b.Open(t.Context(), secretOf(l)); {
			case err == nil:
				opened.Add(1)
			case errors.Is(err, flow.ErrUsed):
				used.Add(1)
			}
		})
	}
	all.Wait()
	if opened.Load() != 1 || used.Load() != 5 {
		t.Errorf("%d opened it, %d were told that it is used", opened.Load(), used.Load())
	}
	late := b.link(nil)
	b.Clock.Advance(flow.LinkLife)
	if _, _, err := b.Open(t.Context(), secretOf(late)); !errors.Is(err, flow.ErrExpired) {
		t.Errorf("late: %v", err)
	}
	for _, secret := range []string{"", "x", secretOf(late)[1:] + "A", l.ID} {
		if _, _, err := b.Open(t.Context(), secret); !errors.Is(err, connect.ErrUnknown) {
			t.Errorf("%q: %v", secret, err)
		}
	}
}

// What the client knows of the person is typed already, and is not in the link any more.
func TestLink_BringsWhatTheClientKnows(t *testing.T) {
	b := newEnv(t)
	p := b.opens(func(r *connect.LinkRequest) {
		r.Known.PersonalNumber, r.Terms.Companies = "841209-9296", []string{bank}
	})
	p.in(flow.Review)
	if p.view.Typed.PersonalNumber != maja {
		t.Error("the number is not there")
	}
	l, err := b.Store.ConnectLink(t.Context(), b.User.ClientID, p.view.Flow.LinkID)
	if err != nil || l.Sealed != nil || l.FlowID != p.id {
		t.Errorf("%+v, %v", l, err)
	}
}

func TestCreateLink_RefusesWhatIsNotKnownOrRegistered(t *testing.T) {
	b := newEnv(t)
	b.Write(func(tx store.Tx) error {
		return errors.Join(tx.AddReturnURL(t.Context(), b.User.ClientID, "https://shop.example/back", flowtest.Start),
			tx.AddFrameOrigin(t.Context(), b.User.ClientID, "https://shop.example", flowtest.Start))
	})
	for name, c := range map[string]struct {
		change   func(*connect.LinkRequest)
		code     fault.Code
		pointers []string
	}{
		"good": {change: func(r *connect.LinkRequest) {
			r.Terms.Companies, r.Terms.ReturnURL, r.Terms.Origin = []string{bank, source}, "https://shop.example/back", "https://shop.example"
		}},
		"user":      {func(r *connect.LinkRequest) { r.UserID = b.IDs.New() }, fault.UserNotFound, nil},
		"client":    {func(r *connect.LinkRequest) { r.ClientID = b.IDs.New() }, fault.UserNotFound, nil},
		"companies": {func(r *connect.LinkRequest) { r.Terms.Companies = []string{bank, "se-x"} }, fault.InvalidParameter, []string{"/companies/1"}},
		"products": {func(r *connect.LinkRequest) {
			r.Terms.Companies, r.Terms.Products = []string{source}, []flow.Product{flow.Accounts}
		}, fault.InvalidParameter, []string{"/companies/0"}},
		"addresses": {func(r *connect.LinkRequest) {
			r.Terms.ReturnURL, r.Terms.Origin = "https://shop.example/", "https://shop.example:444"
		}, fault.InvalidParameter, []string{"/returnUrl", "/origin"}},
		"language":   {func(r *connect.LinkRequest) { r.Terms.Language = "xx" }, fault.InvalidParameter, []string{"/language"}},
		"the person": {func(r *connect.LinkRequest) { r.Known.PersonalNumber = "x" }, fault.InvalidParameter, []string{"/person/personalNumber"}},
	} {
		_, err := b.CreateLink(t.Context(), b.request(c.change), nil)
		var pointers []string
		if err != nil {
			for _, f := range fault.From(err).Fields {
				pointers = append(pointers, f.Pointer)
			}
		}
		if codeOf(err) != c.code || !slices.Equal(pointers, c.pointers) {
			t.Errorf("%s: %v at %q", name, err, pointers)
		}
	}
}

func TestLink_TellsTheClientHowItStands(t *testing.T) {
	b := newEnv(t)
	l := b.link(nil)
	if got, err := b.Link(t.Context(), b.User.ClientID, l.ID); err != nil || got.Flow != nil {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, err := b.Link(t.Context(), b.IDs.New(), l.ID); codeOf(err) != fault.ConnectLinkNotFound {
		t.Errorf("to another client: %v", err)
	}
	if _, _, err := b.Open(t.Context(), secretOf(l)); err != nil {
		t.Fatal(err)
	}
	got, err := b.Link(t.Context(), b.User.ClientID, l.ID)
	if err != nil || got.Flow == nil || got.Flow.State != flow.Start {
		t.Errorf("%+v, %v", got, err)
	}
	b.Clock.Advance(flow.Idle)
	if got, err = b.Link(t.Context(), b.User.ClientID, l.ID); err != nil || got.Flow.State != flow.Ended {
		t.Errorf("nobody looks: %+v, %v", got, err)
	}
}

// The links and flows of a user who is erased are gone, and none is made.
func TestEndUser_ErasesLinksAndFlows(t *testing.T) {
	b := newEnv(t)
	p, l := b.opens(nil), b.link(nil)
	if err := b.EndUser(t.Context(), b.User.ClientID, b.User.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := b.View(t.Context(), p.id, p.key, visitor); !errors.Is(err, connect.ErrUnknown) {
		t.Errorf("the flow: %v", err)
	}
	if _, err := b.Peek(t.Context(), secretOf(l)); !errors.Is(err, connect.ErrUnknown) {
		t.Errorf("the link: %v", err)
	}
	_, err := store.UpdateUser(t.Context(), b.Store, b.User.ClientID, b.User.ID, func(u user.User) (user.User, func(store.Tx) error, error) {
		u, _ = u.Anonymize(b.Clock.Now())
		return u, nil, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.CreateLink(t.Context(), b.request(nil), nil); codeOf(err) != fault.UserAnonymized {
		t.Errorf("a new link: %v", err)
	}
}
