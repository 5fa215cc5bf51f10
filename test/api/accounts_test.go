package api

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"samla/internal/devserver"
	"samla/internal/fault"
)

func init() {
	newerRows = append(newerRows, row{"accounts", rowAccounts})
	bodies["mergeAccounts"] = func(*testing.T) any { return object{"with": unknownID} }
	bodies["splitAccount"] = func(*testing.T) any { return object{"linkId": unknownID} }
}

// lastingAccount is an account on the wire.
type lastingAccount struct {
	AccountID  string
	Type       string
	IBAN       string
	State      string
	FirstSeen  time.Time
	LastSeen   time.Time
	Generation int64
	Balances   []object
	Links      []accountLink

	PossibleMatches []struct{ AccountID, Strength string }
	MergedFrom      []string
}

type accountLink struct {
	LinkID   string
	Company  string
	Through  []struct{ ConsentID, FirstConsentID string }
	Evidence *struct {
		Strength string
		Agreed   []string
	}
}

// lasting returns the lasting accounts of a session's user when wanted says so.
func (c client) lasting(t *testing.T, wanted func([]lastingAccount) bool) (list []lastingAccount) {
	t.Helper()
	for deadline := time.Now().Add(pollTimeout); ; time.Sleep(20 * time.Millisecond) {
		list = nil
		if c.get(t, "/accounts", &list); wanted(list) {
			return list
		}
		if time.Now().After(deadline) {
			t.Fatalf("the accounts are %+v", list)
		}
	}
}

// collectedBy collects with a consent and returns the collection's id and its products.
func (w *env) collectedBy(t *testing.T, c client, consentID string) (id string, products []map[string]any) {
	t.Helper()
	var begun collectionStatus
	c.post(t, "/collections", requestBody(demoBank, "", attendedConsent(consentID)), &begun)
	c.finalCollection(t, begun.ID)
	return begun.ID, w.products(t, c, begun.ID)
}

func some(list []lastingAccount) bool { return len(list) > 0 }

func idsOf(list []lastingAccount) (ids []string) {
	for _, a := range list {
		ids = append(ids, a.AccountID)
	}
	return ids
}

// An account is the same one in the next collection, through another consent too, and
// outlasts the data of a collection.
func TestAccounts_LastAcrossCollections(t *testing.T) {
	onStores(t, func(t *testing.T, w *env) {
		user, session, first := w.authorizedConsent(t, w.acme)
		id, products := w.collectedBy(t, session, first.ConsentID)
		before := session.lasting(t, some)
		if len(before) != len(products) {
			t.Fatalf("%d accounts of %d products", len(before), len(products))
		}
		for _, a := range before {
			if a.State != "OPEN" || len(a.Links) != 1 || len(a.Links[0].Through) != 1 || a.Links[0].Through[0].ConsentID != first.ConsentID ||
				a.Links[0].Evidence != nil || len(a.Balances) == 0 || a.Generation < 1 {
				t.Errorf("%+v", a)
			}
		}
		w.collectedBy(t, session, first.ConsentID)
		again := session.lasting(t, func(list []lastingAccount) bool { return some(list) && list[0].LastSeen.After(before[0].LastSeen) })
		if !slices.Equal(idsOf(again), idsOf(before)) || !again[0].FirstSeen.Equal(before[0].FirstSeen) {
			t.Errorf("the next collection gives %v, not %v", idsOf(again), idsOf(before))
		}
		session.delete(t, "/collections/"+id).WantStatus(t, http.StatusNoContent, nil)
		var list []lastingAccount
		w.acme.get(t, "/users/"+user.UserUUID+"/accounts", &list)
		if !slices.Equal(idsOf(list), idsOf(before)) {
			t.Errorf("an erased collection leaves %v", idsOf(list))
		}
		_, otherPerson := w.acme.person(t)
		if otherPerson.get(t, "/accounts", &list); len(list) > 0 {
			t.Error("another user sees accounts")
		}
		otherPerson.delete(t, "/accounts/"+before[0].AccountID).WantProblem(t, fault.AccountNotFound)
		w.other.delete(t, "/accounts/"+before[0].AccountID).WantProblem(t, fault.AccountNotFound)
		w.acme.delete(t, "/users/"+user.UserUUID).WantStatus(t, http.StatusNoContent, nil)
		if w.acme.get(t, "/users/"+user.UserUUID+"/accounts", &list); len(list) > 0 {
			t.Error("an erased user has accounts")
		}
	})
}

// What a client says of accounts outlasts the next collection, and can be undone.
func TestAccounts_MergeAndSplit(t *testing.T) {
	onStores(t, func(t *testing.T, w *env) {
		_, session, made := w.authorizedConsent(t, w.acme)
		w.collectedBy(t, session, made.ConsentID)
		list := session.lasting(t, some)
		into, with := list[0], list[1]
		var merged lastingAccount
		session.Do(t, "POST", "/accounts/"+into.AccountID+"/merge", object{"with": with.AccountID}).WantStatus(t, http.StatusOK, &merged)
		if merged.AccountID != into.AccountID || len(merged.Links) != 2 || !slices.Equal(merged.MergedFrom, []string{with.AccountID}) ||
			merged.Generation <= into.Generation {
			t.Errorf("merged %+v", merged)
		}
		i := slices.IndexFunc(merged.Links, func(l accountLink) bool { return l.LinkID == with.Links[0].LinkID })
		if e := merged.Links[i].Evidence; e == nil || e.Strength != "CONFIRMED" || !slices.Contains(e.Agreed, "CLIENT") {
			t.Errorf("the evidence is %+v", e)
		}
		w.collectedBy(t, session, made.ConsentID)
		session.lasting(t, func(now []lastingAccount) bool {
			return len(now) == len(list)-1 && now[0].LastSeen.After(list[0].LastSeen) && len(now[0].Links) == 2
		})
		var both struct{ Account, Split lastingAccount }
		w.acme.Do(t, "POST", "/accounts/"+into.AccountID+"/split", object{"linkId": with.Links[0].LinkID}).WantStatus(t, http.StatusOK, &both)
		if both.Account.AccountID != into.AccountID || both.Split.AccountID != with.AccountID || both.Account.Generation <= merged.Generation {
			t.Errorf("split %+v", both)
		}
		w.collectedBy(t, session, made.ConsentID)
		session.lasting(t, func(now []lastingAccount) bool {
			return slices.Equal(idsOf(now), idsOf(list)) && now[0].LastSeen.After(both.Account.LastSeen)
		})
		session.delete(t, "/accounts/"+into.AccountID).WantStatus(t, http.StatusNoContent, nil)
		w.collectedBy(t, session, made.ConsentID)
		now := session.lasting(t, func(now []lastingAccount) bool { return len(now) == len(list) })
		if slices.Contains(idsOf(now), into.AccountID) {
			t.Error("a deleted account has come back with its id")
		}
	})
}

// rowAccounts gets the answers of the operations of accounts.
func rowAccounts(t *testing.T, w *walk, database func(*testing.T) string) {
	w = w.start(t, devserver.Config{Database: database(t)})
	user, session, made := w.authorizedConsent(t, w.acme)
	w.collectedBy(t, session, made.ConsentID)
	list := session.lasting(t, some)
	w.acme.get(t, "/users/"+user.UserUUID+"/accounts", nil)
	a, b := "/accounts/"+list[0].AccountID, list[1].AccountID
	session.Do(t, "POST", a+"/split", object{"linkId": list[0].Links[0].LinkID}).WantProblem(t, fault.AccountNotSplittable)
	session.Do(t, "POST", a+"/merge", object{"with": list[0].AccountID}).WantProblem(t, fault.AccountsNotMergeable)
	session.Do(t, "POST", a+"/merge", object{"with": unknownID}).WantProblem(t, fault.AccountNotFound)
	w.acme.Do(t, "POST", "/accounts/"+unknownID+"/split", object{"linkId": unknownID}).WantProblem(t, fault.AccountNotFound)
	session.Do(t, "POST", a+"/merge", object{"with": b}).WantStatus(t, http.StatusOK, nil)
	session.Do(t, "POST", a+"/split", object{"linkId": unknownID}).WantProblem(t, fault.AccountNotSplittable)
	session.Do(t, "POST", a+"/split", object{"linkId": list[1].Links[0].LinkID}).WantStatus(t, http.StatusOK, nil)
	session.delete(t, "/accounts/"+b).WantStatus(t, http.StatusNoContent, nil)
}
