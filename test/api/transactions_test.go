package api

import (
	"net/http"
	"testing"
	"time"

	"samla/internal/devserver"
	"samla/internal/fault"
	"samla/internal/ledger"
	"samla/internal/store"
)

// transactionPage is an answer of GET /accounts/{id}/transactions.
type transactionPage struct {
	Generation int64            `json:"generation"`
	Added      []map[string]any `json:"added"`
	Modified   []map[string]any `json:"modified"`
	Removed    []string         `json:"removed"`
	NextCursor string           `json:"nextCursor"`
	HasMore    bool             `json:"hasMore"`
}

// followed is a copy of an account's transactions, by id.
type followed struct {
	rows   map[string]map[string]any
	cursor string
}

// follow reads an account's transactions in pages of 7 until there are no more.
func (c client) follow(t *testing.T, path string, f *followed) {
	t.Helper()
	for more := true; more; {
		query := "?limit=7"
		if f.cursor != "" {
			query += "&cursor=" + f.cursor
		}
		var page transactionPage
		c.get(t, path+query, &page)
		if f.rows == nil {
			f.rows = map[string]map[string]any{}
		}
		for _, row := range append(page.Added, page.Modified...) {
			f.rows[row["id"].(string)] = row
		}
		for _, id := range page.Removed {
			delete(f.rows, id)
		}
		if n := len(page.Added) + len(page.Modified) + len(page.Removed); n > 7 || page.HasMore && n < 7 {
			t.Errorf("%d rows in a page", n)
		}
		f.cursor, more = page.NextCursor, page.HasMore
	}
}

// accountNews is the body of the event ACCOUNT_UPDATED.
type accountNews struct {
	AccountID  string `json:"accountId"`
	Generation int64  `json:"generation"`
	Added      int    `json:"added"`
}

// accountWithNews waits for an event that tells of new transactions.
func (c client) accountWithNews(t *testing.T) (news accountNews, path string) {
	t.Helper()
	type page struct {
		Events []struct {
			Body accountNews `json:"body"`
		} `json:"events"`
	}
	poll(t, c, "/events?type=ACCOUNT_UPDATED", func(p page) bool {
		for _, e := range p.Events {
			if e.Body.Added > 0 {
				news = e.Body
			}
		}
		return news.Added > 0
	})
	return news, "/accounts/" + news.AccountID + "/transactions"
}

// collected is a user with a collection that was applied.
func (w *env) collected(t *testing.T) (userObject, client, consentObject) {
	t.Helper()
	user, session, signed := w.authorizedConsent(t, w.acme)
	session.collect(t, signed)
	return user, session, signed
}

func (c client) collect(t *testing.T, signed consentObject) collectionStatus {
	t.Helper()
	var begun collectionStatus
	c.post(t, "/collections", requestBody(demoBank, "", attendedConsent(signed.ConsentID)), &begun)
	return c.finalCollection(t, begun.ID)
}

func TestTransactions_AreThoseOfTheProducts(t *testing.T) {
	onStores(t, func(t *testing.T, w *env) {
		w.registerSecrets()
		user, session, signed := w.collected(t)
		news, path := w.acme.accountWithNews(t)
		var f, again followed
		w.acme.follow(t, path, &f)
		session.follow(t, path, &again)
		if len(f.rows) != news.Added || len(again.rows) != news.Added {
			t.Fatalf("%d rows with the key and %d with the session, the event tells of %d", len(f.rows), len(again.rows), news.Added)
		}
		found := false
		for _, p := range w.products(t, session, session.collect(t, signed).ID) {
			rows, _ := p["transactions"].([]any)
			for _, r := range rows {
				for _, row := range f.rows {
					found = found || row["transactionId"] == r.(map[string]any)["transactionId"]
				}
			}
		}
		if !found {
			t.Error("the products have none of the transactions")
		}
		for id, row := range f.rows {
			if row["accountId"] != news.AccountID || row["id"] != id {
				t.Errorf("%v", row)
			}
		}

		_, otherPerson := w.acme.person(t)
		for _, c := range []client{otherPerson, w.other} {
			c.Do(t, "GET", path, nil).WantProblem(t, fault.AccountNotFound)
			c.Do(t, "GET", path+"?cursor="+f.cursor, nil).WantProblem(t, fault.AccountNotFound)
		}
		for _, query := range []string{"?cursor=x", "?cursor=", "?limit=0", "?limit=1001", "?limit=x"} {
			session.Do(t, "GET", path+query, nil).WantProblem(t, fault.InvalidParameter)
		}
		w.acme.delete(t, "/users/"+user.UserUUID).WantStatus(t, http.StatusNoContent, nil)
		w.acme.Do(t, "GET", path, nil).WantProblem(t, fault.AccountNotFound)
	})
}

// expireCursor makes the newest cursor of an account too old: a row that it has not seen
// was removed, and was swept.
func (w *env) expireCursor(t *testing.T, accountID string) {
	t.Helper()
	err := w.Server.Store().Write(t.Context(), func(tx store.Tx) error {
		h, err := tx.Feed(t.Context(), accountID)
		if err != nil {
			return err
		}
		h.Pos++
		gone := store.FeedRow{Row: ledger.Row{ID: unknownID, Removed: true}, Pos: h.Pos, RemovedAt: time.UnixMicro(1)}
		if err := tx.PutFeed(t.Context(), h, []store.FeedRow{gone}); err != nil {
			return err
		}
		_, err = tx.SweepFeeds(t.Context(), time.UnixMicro(2), 10)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// rowTransactions gets the answers of GET /accounts/{id}/transactions.
func rowTransactions(t *testing.T, w *walk, database func(*testing.T) string) {
	w = w.start(t, devserver.Config{Database: database(t)})
	w.collected(t)
	news, path := w.acme.accountWithNews(t)
	var f followed
	w.acme.follow(t, path, &f)
	w.acme.Do(t, "GET", path+"?cursor=x", nil).WantProblem(t, fault.InvalidParameter)
	w.acme.Do(t, "GET", "/accounts/"+unknownID+"/transactions", nil).WantProblem(t, fault.AccountNotFound)
	w.expireCursor(t, news.AccountID)
	w.acme.Do(t, "GET", path+"?cursor="+f.cursor, nil).WantProblem(t, fault.CursorExpired)
	f = followed{}
	w.acme.follow(t, path, &f)
	if err := w.Server.Store().Write(t.Context(), func(tx store.Tx) error { return tx.RestartFeeds(t.Context(), time.Now()) }); err != nil {
		t.Fatal(err)
	}
	w.acme.Do(t, "GET", path+"?cursor="+f.cursor, nil).WantProblem(t, fault.FeedRestarted)
}
