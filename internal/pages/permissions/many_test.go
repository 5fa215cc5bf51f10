package permissions_test

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"samla/internal/audit"
	"samla/internal/collection"
	"samla/internal/consent"
	pages "samla/internal/pages/permissions"
	"samla/internal/permissions"
	"samla/internal/quota"
	"samla/internal/store"
)

// counting counts what is asked about consents.
type counting struct {
	store.Store
	asked atomic.Int64
}

func (c *counting) Consent(ctx context.Context, id consent.ID) (consent.Consent, error) {
	c.asked.Add(1)
	return c.Store.Consent(ctx, id)
}

func (c *counting) ConsentStatus(ctx context.Context, id consent.ID) (store.ConsentView, error) {
	c.asked.Add(1)
	return c.Store.ConsentStatus(ctx, id)
}

func (c *counting) ConsentsOf(ctx context.Context, clientID, userID string, p store.Page) ([]consent.Summary, error) {
	c.asked.Add(1)
	return c.Store.ConsentsOf(ctx, clientID, userID, p)
}

func (c *counting) ConsentsByID(ctx context.Context, clientID, userID string, ids []consent.ID) ([]consent.Consent, error) {
	c.asked.Add(1)
	return c.Store.ConsentsByID(ctx, clientID, userID, ids)
}

func (c *counting) LineageConsents(ctx context.Context, id consent.ID) ([]consent.Consent, error) {
	c.asked.Add(1)
	return c.Store.LineageConsents(ctx, id)
}

func (c *counting) AuditEntries(ctx context.Context, id consent.ID) ([]audit.Entry, error) {
	c.asked.Add(1)
	return c.Store.AuditEntries(ctx, id)
}

func (c *counting) NewestEntries(ctx context.Context, ids []consent.ID, kinds []audit.Kind, each int) ([]audit.Entry, error) {
	c.asked.Add(1)
	return c.Store.NewestEntries(ctx, ids, kinds, each)
}

func (c *counting) LastReads(ctx context.Context, lineage consent.ID, in []collection.Status) ([]store.LineageRead, error) {
	c.asked.Add(1)
	return c.Store.LastReads(ctx, lineage, in)
}

func (c *counting) UnattendedSince(ctx context.Context, lineage consent.ID, since time.Time) ([]time.Time, error) {
	c.asked.Add(1)
	return c.Store.UnattendedSince(ctx, lineage, since)
}

func (c *counting) UnattendedUnder(ctx context.Context, ids []consent.ID, since time.Time) (map[consent.ID][]time.Time, error) {
	c.asked.Add(1)
	return c.Store.UnattendedUnder(ctx, ids, since)
}

func (c *counting) Installation(ctx context.Context) (store.Installation, error) {
	c.asked.Add(1)
	return c.Store.Installation(ctx)
}

func (c *counting) Schedule(ctx context.Context, lineage consent.ID) (quota.Schedule, error) {
	c.asked.Add(1)
	return c.Store.Schedule(ctx, lineage)
}

// Who has given many permissions sees them in pages, and the store is asked no more often than
// for one.
func TestList_OfManyHasPagesAndAsksNoMore(t *testing.T) {
	var counted *counting
	e := newEnvOn(t, func(s store.Store) store.Store {
		counted = &counting{Store: s}
		return counted
	})
	b := e.signedIn(t, e.User)
	asks := func(path string) (n int64, body string) {
		before := counted.asked.Load()
		status, _, body := b.do("GET", path, nil)
		if status != http.StatusOK {
			t.Fatalf("%s: %d", path, status)
		}
		return counted.asked.Load() - before, body
	}
	e.permission(e.User, 170)
	one, body := asks(pages.Path)
	if strings.Contains(body, "Show more") {
		t.Error("there is more of one")
	}
	for i := range 2*permissions.ListPage + 2 {
		e.permission(e.User, 10+i)
	}
	for range permissions.ListPage + 1 {
		c := e.permission(e.User, 100)
		e.Write(func(tx store.Tx) error {
			ended, err := c.Apply(consent.Expiry{Cause: consent.CauseBankExpired}, e.Clock.Now())
			if err == nil {
				_, err = tx.PutConsent(t.Context(), ended)
			}
			return err
		})
	}
	cards := func(body string) [2]int {
		return [2]int{strings.Count(body, `<article class="perm"`), strings.Count(body, `<li class="past"`)}
	}
	many, body := asks(pages.Path)
	if many != one || cards(body) != [2]int{permissions.ListPage, permissions.ListPage} {
		t.Errorf("asked %d times, %d for one; %v cards", many, one, cards(body))
	}
	wants(t, body, `href="/permissions?valid=1"`, `href="/permissions?ended=1"`, "1 April 2026 at 10:00, you were there")
	if _, body = asks(pages.Path + "?valid=2&ended=1"); cards(body) != [2]int{3, 1} || strings.Contains(body, "Show more") {
		t.Errorf("%v cards on the last pages", cards(body))
	}
	if _, body = asks(pages.Path + "?valid=9"); cards(body) != [2]int{0, permissions.ListPage} || strings.Contains(body, "No one may read") {
		t.Errorf("%v cards on a page that there is not", cards(body))
	}
}
