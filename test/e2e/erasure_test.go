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

// openVault returns a vault with the server's master key.
func (w *env) openVault(t *testing.T) *keyset.Vault {
	t.Helper()
	master, err := keyset.LoadMaster(filepath.Join(w.Dir, "master.json"), "")
	if err != nil {
		t.Fatal(err)
	}
	ring, err := keyset.OpenRing(keyset.RingConfig{Dir: filepath.Join(w.Dir, "keys"), Master: master, Clock: w.clock})
	if err != nil {
		t.Fatal(err)
	}
	return keyset.NewEpochs(ring, w.Server.Store(), w.clock)
}

// erasedUser: after a user is deleted, the user's data cannot be read, not even with the
// database and the master key, and the consents are revoked at the banks.
func erasedUser(t *testing.T, w *env) {
	p := w.person(t, sam)
	authorized := p.authorizeConsent(t, consentRequest{company: demoBank})
	waiting := p.requestConsent(t, consentRequest{company: autostartBank})
	p.awaitConsent(t, waiting, "AWAITING_AUTHORIZATION")
	collection := p.collect(t, demoBank, authorized, address, "COMPLETED")
	p.products(t, collection)
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
		{Table: "products", Column: "sealed", Row: collection}: products.Sealed,
	}
	for place, sealed := range rows {
		if _, err := w.openVault(t).Open(t.Context(), p.userID, place, sealed); err != nil {
			t.Errorf("before the deletion %s cannot be opened: %v", place.Table, err)
		}
	}

	for range 2 {
		w.backend.Do(t, "DELETE", "/users/"+p.userID, nil).WantStatus(t, http.StatusNoContent, nil)
	}
	for _, path := range []string{"/users/" + p.userID, "/consents", "/consents/" + authorized + "/status", "/collections/" + collection + "/status",
		"/collections/" + collection + "/wealth/data"} {
		p.Do(t, "GET", path, nil).WantProblem(t, fault.Unauthorized)
	}
	p.Do(t, "POST", "/collections", storedConsent(demoBank, authorized, address)).WantProblem(t, fault.Unauthorized)
	w.backend.Do(t, "GET", "/collections/"+collection+"/wealth/data", nil).WantProblem(t, fault.DataExpired)
	for place, sealed := range rows {
		if _, err := w.openVault(t).Open(t.Context(), p.userID, place, sealed); !errors.Is(err, seal.ErrKeyDestroyed) {
			t.Errorf("after the deletion %s: %v", place.Table, err)
		}
	}
	w.awaitBankStatus(t, authorized, "terminatedByTpp")
	w.awaitBankStatus(t, waiting, "terminatedByTpp")

	var again struct{ UserUUID string }
	w.backend.Do(t, "POST", "/users", map[string]string{"externalId": p.externalID}).WantStatus(t, 201, &again)
	if again.UserUUID == p.userID {
		t.Error("the new user has the id of the deleted one")
	}
	fresh := w.backend.session(t, again.UserUUID)
	var none []any
	fresh.Do(t, "GET", "/consents", nil).WantStatus(t, 200, &none)
	if len(none) > 0 {
		t.Error("the new user has the consents of the deleted one")
	}
}

// separateTenants: the data of another client or user looks as if it did not exist.
func separateTenants(t *testing.T, w *env) {
	p := w.person(t, noa)
	consent := p.authorizeConsent(t, consentRequest{company: autostartBank})
	collection := p.collect(t, autostartBank, consent, address, "COMPLETED")
	rival := client{w.Tenant(t, "rival "+t.Name()), w}
	rivalUser, _ := rival.User(t)
	neighbour, _ := w.backend.User(t)
	for name, who := range map[string]client{"another client": rival, "another client's user": rival.session(t, rivalUser), "another user": w.backend.session(t, neighbour)} {
		t.Log(name)
		for _, sub := range []string{"/status", "/wealth/data"} {
			foreign := who.Do(t, "GET", "/collections/"+collection+sub, nil)
			foreign.WantProblem(t, fault.CollectionNotFound)
			missing := who.Do(t, "GET", "/collections/"+consent+sub, nil)
			if a, b := problemMembers(t, foreign), problemMembers(t, missing); a != b {
				t.Errorf("%s for another client's id, %s for an unknown id", a, b)
			}
		}
		who.Do(t, "DELETE", "/collections/"+collection, nil).WantProblem(t, fault.CollectionNotFound)
		who.Do(t, "POST", "/collections/"+collection+"/cancel", nil).WantProblem(t, fault.CollectionNotFound)
		who.Do(t, "POST", "/collections", storedConsent(autostartBank, consent, address)).WantProblem(t, fault.ConsentNotFound)
		var list []any
		who.Do(t, "GET", "/collections", nil).WantStatus(t, 200, &list)
		if len(list) > 0 {
			t.Errorf("%s can list %d collections", name, len(list))
		}
		if who.Header.Get("Authorization") == "" {
			for _, path := range []string{"", "/consents", "/collections"} {
				who.Do(t, "GET", "/users/"+p.userID+path, nil).WantProblem(t, fault.UserNotFound)
			}
			who.Do(t, "POST", "/users/"+p.userID+"/sessions", nil).WantProblem(t, fault.UserNotFound)
			who.Do(t, "DELETE", "/users/"+p.userID, nil).WantProblem(t, fault.UserNotFound)
			continue
		}
		who.Do(t, "GET", "/consents/"+consent+"/status", nil).WantProblem(t, fault.ConsentNotFound)
		who.Do(t, "DELETE", "/consents/"+consent, nil).WantProblem(t, fault.ConsentNotFound)
	}
	if s := p.pollConsent(t, consent); s.Status != "AUTHORIZED" {
		t.Errorf("the consent became %s", s.Status)
	}
	p.products(t, collection)
}

// problemMembers returns a problem document without the members that identify the request.
func problemMembers(t *testing.T, a harness.Response) string {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal(a.Body, &members); err != nil {
		t.Fatal(err)
	}
	delete(members, "requestId")
	delete(members, "instance")
	return fmt.Sprint(a.Status, members)
}
