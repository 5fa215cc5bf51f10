package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"

	"samla/internal/authorize"
	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/seal"
	"samla/internal/seal/keyset"
	"samla/test/harness"
)

// vault opens what the world's server has sealed, with the same master key.
func (w *world) vault(t *testing.T) *keyset.Vault {
	t.Helper()
	master, err := keyset.LoadMaster(filepath.Join(w.Dir, "master.json"), "")
	if err != nil {
		t.Fatal(err)
	}
	v, err := keyset.New(master, w.Server.Store(), w.clock)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// forgotten: a user who is deleted cannot be read any more, not even by who has
// the database and the master key, and the banks are told.
func forgotten(t *testing.T, w *world) {
	p := w.person(t, sam)
	authorized := p.consents(t, ask{company: demo})
	waiting := p.asks(t, ask{company: autostart})
	p.awaits(t, waiting, "AWAITING_AUTHORIZATION")
	collection := p.collects(t, demo, authorized, home, "COMPLETED")
	p.data(t, collection)
	store := w.Server.Store()
	row, err := store.Consent(t.Context(), consent.ID(authorized))
	if err != nil {
		t.Fatal(err)
	}
	products, err := store.Products(t.Context(), collection)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[seal.Place][]byte{
		authorize.SecretPlace(consent.ID(authorized)):          row.Sealed,
		{Table: "products", Column: "sealed", Row: collection}: products,
	}
	for place, sealed := range rows {
		if _, err := w.vault(t).Open(t.Context(), p.user, place, sealed); err != nil {
			t.Errorf("before the deletion %s does not open: %v", place.Table, err)
		}
	}

	for range 2 {
		w.backend.Do(t, "DELETE", "/users/"+p.user, nil).Is(t, http.StatusNoContent, nil)
	}
	for _, path := range []string{"/users/" + p.user, "/consents", "/consents/" + authorized + "/status", "/collections/" + collection + "/status",
		"/collections/" + collection + "/wealth/data"} {
		p.Do(t, "GET", path, nil).Fails(t, fault.Unauthorized)
	}
	p.Do(t, "POST", "/collections", stored(demo, authorized, home)).Fails(t, fault.Unauthorized)
	w.backend.Do(t, "GET", "/collections/"+collection+"/wealth/data", nil).Fails(t, fault.DataExpired)
	for place, sealed := range rows {
		if _, err := w.vault(t).Open(t.Context(), p.user, place, sealed); !errors.Is(err, seal.ErrKeyDestroyed) {
			t.Errorf("after the deletion %s: %v", place.Table, err)
		}
	}
	w.atBank(t, authorized, "terminatedByTpp")
	w.atBank(t, waiting, "terminatedByTpp")

	var again struct{ UserUUID string }
	w.backend.Do(t, "POST", "/users", map[string]string{"externalId": p.externalID}).Is(t, 201, &again)
	if again.UserUUID == p.user {
		t.Error("the old user came back")
	}
	fresh := w.backend.session(t, again.UserUUID)
	var none []any
	fresh.Do(t, "GET", "/consents", nil).Is(t, 200, &none)
	if len(none) > 0 {
		t.Error("the new user has the old one's consents")
	}
}

// tenants: what is another client's, or another user's, looks as if it was not
// there.
func tenants(t *testing.T, w *world) {
	p := w.person(t, noa)
	consent := p.consents(t, ask{company: autostart})
	collection := p.collects(t, autostart, consent, home, "COMPLETED")
	rival := client{w.Tenant(t, "rival "+t.Name()), w}
	rivalUser, _ := rival.User(t)
	neighbour, _ := w.backend.User(t)
	for name, who := range map[string]client{"another client": rival, "another client's user": rival.session(t, rivalUser), "another user": w.backend.session(t, neighbour)} {
		t.Log(name)
		for _, sub := range []string{"/status", "/wealth/data"} {
			foreign := who.Do(t, "GET", "/collections/"+collection+sub, nil)
			foreign.Fails(t, fault.CollectionNotFound)
			missing := who.Do(t, "GET", "/collections/"+consent+sub, nil)
			if a, b := told(t, foreign), told(t, missing); a != b {
				t.Errorf("what is foreign is told as %s, what is missing as %s", a, b)
			}
		}
		who.Do(t, "DELETE", "/collections/"+collection, nil).Fails(t, fault.CollectionNotFound)
		who.Do(t, "POST", "/collections/"+collection+"/cancel", nil).Fails(t, fault.CollectionNotFound)
		who.Do(t, "POST", "/collections", stored(autostart, consent, home)).Fails(t, fault.ConsentNotFound)
		var list []any
		who.Do(t, "GET", "/collections", nil).Is(t, 200, &list)
		if len(list) > 0 {
			t.Errorf("%s sees %d collections", name, len(list))
		}
		if who.Header.Get("Authorization") == "" {
			for _, path := range []string{"", "/consents", "/collections"} {
				who.Do(t, "GET", "/users/"+p.user+path, nil).Fails(t, fault.UserNotFound)
			}
			who.Do(t, "POST", "/users/"+p.user+"/sessions", nil).Fails(t, fault.UserNotFound)
			who.Do(t, "DELETE", "/users/"+p.user, nil).Fails(t, fault.UserNotFound)
			continue
		}
		who.Do(t, "GET", "/consents/"+consent+"/status", nil).Fails(t, fault.ConsentNotFound)
		who.Do(t, "DELETE", "/consents/"+consent, nil).Fails(t, fault.ConsentNotFound)
	}
	if s := p.status(t, consent); s.Status != "AUTHORIZED" {
		t.Errorf("the consent is %s now", s.Status)
	}
	p.data(t, collection)
}

// told is a problem without what names the request.
func told(t *testing.T, a harness.Answer) string {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal(a.Body, &members); err != nil {
		t.Fatal(err)
	}
	delete(members, "requestId")
	delete(members, "instance")
	return fmt.Sprint(a.Status, members)
}
