package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"

	"samla/internal/fault"
	"samla/internal/seal"
	"samla/internal/seal/keyset"
	"samla/internal/withdraw"
)

// vault opens what the world's server has sealed, with the same master key.
func (w *world) vault(t *testing.T) *keyset.Vault {
	t.Helper()
	master, err := keyset.LoadMaster(filepath.Join(w.dir, "master.json"), "")
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
	consent, err := store.Consent(t.Context(), authorized)
	if err != nil {
		t.Fatal(err)
	}
	products, err := store.Products(t.Context(), collection)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[seal.Place][]byte{
		withdraw.SecretPlace(authorized):                       consent.Sealed,
		{Table: "products", Column: "sealed", Row: collection}: products,
	}
	for place, sealed := range rows {
		if _, err := w.vault(t).Open(t.Context(), p.user, place, sealed); err != nil {
			t.Errorf("before the deletion %s does not open: %v", place.Table, err)
		}
	}

	for range 2 {
		w.backend.do(t, "DELETE", "/users/"+p.user, nil).is(t, http.StatusNoContent, nil)
	}
	for _, path := range []string{"/users/" + p.user, "/consents", "/consents/" + authorized + "/status", "/collections/" + collection + "/status",
		"/collections/" + collection + "/wealth/data"} {
		p.do(t, "GET", path, nil).fails(t, fault.Unauthorized)
	}
	p.do(t, "POST", "/collections", stored(demo, authorized, home)).fails(t, fault.Unauthorized)
	w.backend.do(t, "GET", "/collections/"+collection+"/wealth/data", nil).fails(t, fault.DataExpired)
	for place, sealed := range rows {
		if _, err := w.vault(t).Open(t.Context(), p.user, place, sealed); !errors.Is(err, seal.ErrForgotten) {
			t.Errorf("after the deletion %s: %v", place.Table, err)
		}
	}
	w.atBank(t, authorized, "terminatedByTpp")
	w.atBank(t, waiting, "terminatedByTpp")

	var again struct{ UserUUID string }
	w.backend.do(t, "POST", "/users", map[string]string{"externalId": p.externalID}).is(t, 201, &again)
	if again.UserUUID == p.user {
		t.Error("the old user came back")
	}
	fresh := w.backend.session(t, again.UserUUID)
	var none []any
	fresh.do(t, "GET", "/consents", nil).is(t, 200, &none)
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
	_, key, err := w.Server.Gate.CreateKey(t.Context(), "rival "+t.Name(), "rival", "")
	if err != nil {
		t.Fatal(err)
	}
	w.logs.secret("an API key", key)
	rival := client{w: w, base: p.base, header: http.Header{"Authorization-Token": {key}}}
	rivalUser, _ := rival.user(t)
	neighbour, _ := w.backend.user(t)
	for name, who := range map[string]client{"another client": rival, "another client's user": rival.session(t, rivalUser), "another user": w.backend.session(t, neighbour)} {
		t.Log(name)
		for _, sub := range []string{"/status", "/wealth/data"} {
			foreign := who.do(t, "GET", "/collections/"+collection+sub, nil)
			foreign.fails(t, fault.CollectionNotFound)
			missing := who.do(t, "GET", "/collections/"+consent+sub, nil)
			if a, b := told(t, foreign), told(t, missing); a != b {
				t.Errorf("what is foreign is told as %s, what is missing as %s", a, b)
			}
		}
		who.do(t, "DELETE", "/collections/"+collection, nil).fails(t, fault.CollectionNotFound)
		who.do(t, "POST", "/collections/"+collection+"/cancel", nil).fails(t, fault.CollectionNotFound)
		who.do(t, "POST", "/collections", stored(autostart, consent, home)).fails(t, fault.ConsentNotFound)
		var list []any
		who.do(t, "GET", "/collections", nil).is(t, 200, &list)
		if len(list) > 0 {
			t.Errorf("%s sees %d collections", name, len(list))
		}
		if who.header.Get("Authorization") == "" {
			for _, path := range []string{"", "/consents", "/collections"} {
				who.do(t, "GET", "/users/"+p.user+path, nil).fails(t, fault.UserNotFound)
			}
			who.do(t, "POST", "/users/"+p.user+"/sessions", nil).fails(t, fault.UserNotFound)
			who.do(t, "DELETE", "/users/"+p.user, nil).fails(t, fault.UserNotFound)
			continue
		}
		who.do(t, "GET", "/consents/"+consent+"/status", nil).fails(t, fault.ConsentNotFound)
		who.do(t, "DELETE", "/consents/"+consent, nil).fails(t, fault.ConsentNotFound)
	}
	if s := p.status(t, consent); s.Status != "AUTHORIZED" {
		t.Errorf("the consent is %s now", s.Status)
	}
	p.data(t, collection)
}

// told is a problem without what names the request.
func told(t *testing.T, a answer) string {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal(a.body, &members); err != nil {
		t.Fatal(err)
	}
	delete(members, "requestId")
	delete(members, "instance")
	return fmt.Sprint(a.status, members)
}
