package access_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"samla/internal/access"
	"samla/internal/fault"
	"samla/internal/store"
	"samla/internal/user"
)

func TestUsersBelongToTheirClient(t *testing.T) {
	n := nodes(t, 1)[0]
	u := n.person(t, "a", "customer-4711")
	if u.ClientID != "a" || u.ExternalID != "customer-4711" || !u.CreatedAt.Equal(start) || !u.UpdatedAt.Equal(start) || u.Anonymized() {
		t.Errorf("%+v", u)
	}
	if same := n.person(t, "b", "customer-4711"); same.ID == u.ID {
		t.Error("two clients share a user")
	}
	if got, err := n.users.ByID(t.Context(), "a", u.ID); err != nil || got != u {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := n.users.ByExternalID(t.Context(), "a", "customer-4711"); err != nil || got != u {
		t.Errorf("%+v, %v", got, err)
	}
	for name, err := range map[string]error{
		"by id":          second(n.users.ByID(t.Context(), "b", u.ID)),
		"by external id": second(n.users.ByExternalID(t.Context(), "c", "customer-4711")),
		"session":        second(n.users.CreateSession(t.Context(), "b", u.ID)),
		"delete":         n.users.Delete(t.Context(), "b", u.ID),
		"no id at all":   second(n.users.ByID(t.Context(), "a", "'; --")),
	} {
		if fault.CodeOf(err) != fault.UserNotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestASecondUserOfOneExternalIDIsTheFirst(t *testing.T) {
	n := nodes(t, 1)[0]
	u := n.person(t, "a", "customer-4711")
	_, err := n.users.Create(t.Context(), "a", "customer-4711", func(store.Tx, user.User) error {
		t.Error("ran for a user that was not made")
		return nil
	})
	var f *fault.Fault
	if !errors.As(err, &f) || f.Code != fault.UserExists || f.UserID != u.ID {
		t.Errorf("got %v", err)
	}
}

func TestExternalIDsAreChecked(t *testing.T) {
	n := nodes(t, 1)[0]
	for _, c := range []struct {
		id   string
		code fault.FieldCode
	}{
		{"", fault.Required}, {strings.Repeat("å", 256), fault.TooLong}, {"a\nb", fault.Invalid}, {"\xff", fault.Invalid},
	} {
		for pointer, err := range map[string]error{
			"/externalId": second(n.users.Create(t.Context(), "a", c.id, nil)),
			"?externalId": second(n.users.ByExternalID(t.Context(), "a", c.id)),
		} {
			var f *fault.Fault
			if !errors.As(err, &f) || f.Code != fault.InvalidParameter || f.Fields[0].Pointer != pointer || f.Fields[0].Code != c.code {
				t.Errorf("%q at %s: %v", c.id, pointer, err)
			}
		}
	}
	n.person(t, "a", strings.Repeat("å", 255))
}

func TestWhatAlsoRunsIsPartOfTheTransaction(t *testing.T) {
	n := nodes(t, 1)[0]
	refused := errors.New("refused")
	_, err := n.users.Create(t.Context(), "a", "customer-4711", func(tx store.Tx, u user.User) error {
		if _, err := tx.User(t.Context(), "a", u.ID); err != nil {
			t.Error(err)
		}
		return refused
	})
	if !errors.Is(err, refused) || fault.CodeOf(err) != fault.Internal {
		t.Errorf("got %v", err)
	}
	if err := second(n.users.ByExternalID(t.Context(), "a", "customer-4711")); fault.CodeOf(err) != fault.UserNotFound {
		t.Errorf("half of it is there: %v", err)
	}
}

func TestAnAnonymizedUserIsLetInNoMore(t *testing.T) {
	all := nodes(t, 2)
	here, there := all[0], all[1]
	u := here.person(t, "a", "customer-4711")
	token := here.token(t, "a", u.ID).Token
	id, f := there.Identify(withToken(token))
	if f != nil || there.CheckUser(t.Context(), id) != nil {
		t.Fatal(f)
	}
	here.clk.Advance(time.Minute)
	if err := here.users.Delete(t.Context(), "a", u.ID); err != nil {
		t.Fatal(err)
	}
	for _, n := range all {
		if got := codeOfFault(n.CheckUser(t.Context(), id)); got != fault.Unauthorized {
			t.Errorf("session: %q", got)
		}
	}
	if err := second(here.users.CreateSession(t.Context(), "a", u.ID)); fault.CodeOf(err) != fault.UserAnonymized {
		t.Errorf("new session: %v", err)
	}
	gone, err := here.users.ByID(t.Context(), "a", u.ID)
	if err != nil || gone.ExternalID != "" || !gone.AnonymizedAt.Equal(start.Add(time.Minute)) {
		t.Errorf("%+v, %v", gone, err)
	}
	if err := second(here.users.ByExternalID(t.Context(), "a", "customer-4711")); fault.CodeOf(err) != fault.UserNotFound {
		t.Errorf("still found: %v", err)
	}
	if again := here.person(t, "a", "customer-4711"); again.ID == u.ID {
		t.Error("the user came back")
	}
}

func TestCheckUser(t *testing.T) {
	n := nodes(t, 1)[0]
	u := n.person(t, "a", "customer-4711")
	for name, c := range map[string]struct {
		id   access.Identity
		want fault.Code
	}{
		"alive":          {access.Identity{Kind: access.Session, ClientID: "a", UserID: u.ID}, ""},
		"another client": {access.Identity{Kind: access.Session, ClientID: "b", UserID: u.ID}, fault.Unauthorized},
		"nobody":         {access.Identity{Kind: access.Session, ClientID: "a", UserID: "x"}, fault.Unauthorized},
		"API key":        {access.Identity{Kind: access.APIKey, ClientID: "a"}, ""},
	} {
		if got := codeOfFault(n.CheckUser(t.Context(), c.id)); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
	n.store.fail(errors.New("down"))
	if got := codeOfFault(n.CheckUser(t.Context(), access.Identity{Kind: access.Session, ClientID: "a", UserID: u.ID})); got != fault.Internal {
		t.Errorf("store down: %q", got)
	}
}
