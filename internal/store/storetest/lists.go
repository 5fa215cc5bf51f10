package storetest

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/store"
)

// page cuts a list that is newest first as store.Page promises.
func page[T any](all []T, id func(T) string, p store.Page) []T {
	var cut []T
	for _, v := range all {
		if (p.After == "" || id(v) < p.After) && len(cut) < p.Limit {
			cut = append(cut, v)
		}
	}
	return cut
}

// drawPage draws a page that begins anywhere: at a row, at a foreign id, or at
// the start.
func drawPage(t *rapid.T, ids []string) store.Page {
	return store.Page{
		After: rapid.SampledFrom(append([]string{"", newID(), "00000000-0000-7000-8000-000000000000"}, ids...)).Draw(t, "after"),
		Limit: rapid.IntRange(1, len(ids)+2).Draw(t, "limit"),
	}
}

func testConsentPages(t *testing.T, f fixture) {
	other, otherClient := f.addUser(f.client), f.addClient()
	var all []consent.Consent
	var ids []string
	for i := range 25 {
		c := f.addConsent(func(c *consent.Consent) {
			switch i % 5 {
			case 1:
				c.UserID = other.ID
			case 2:
				c.CollectionID = newID()
			case 3:
				c.ClientID = otherClient.ID
			}
		})
		ids = append(ids, string(c.ID))
		all = append([]consent.Consent{c}, all...)
	}
	id := func(c consent.Consent) string { return string(c.ID) }
	rapid.Check(t, func(t *rapid.T) {
		p := drawPage(t, ids)
		userID := rapid.SampledFrom([]string{f.user.ID, other.ID}).Draw(t, "user")
		clientID := rapid.SampledFrom([]string{f.client.ID, otherClient.ID}).Draw(t, "client")
		mine := slices.DeleteFunc(slices.Clone(all), func(c consent.Consent) bool {
			return c.UserID != userID || c.ClientID != clientID || c.CollectionID != ""
		})
		got, err := f.s.ConsentsOf(f.ctx, clientID, userID, p)
		check(f, "page", got, err, summaries(page(mine, id, p), consent.Consent.Summary))
		if f.Failed() {
			t.Fatal("see above")
		}
	})
}

func testCollectionPages(t *testing.T, f fixture) {
	otherClient := f.addClient()
	users, otherUser := []string{f.user.ID, f.addUser(f.client).ID, ""}, f.addUser(otherClient).ID
	companies := []string{"one", "two", "three"}
	statuses := []collection.Status{collection.Running, collection.Completed, collection.Failed}
	var all []collection.Collection
	var ids []string
	for i := range 40 {
		k := f.addCollection(func(k *collection.Collection) {
			k.UserID, k.Company, k.Status = users[i%3], companies[i*7/4%3], statuses[i*5/3%3]
			if i%8 == 5 {
				k.ClientID, k.UserID = otherClient.ID, otherUser
			}
		})
		ids = append(ids, k.ID)
		all = append([]collection.Collection{k}, all...)
	}
	id := func(k collection.Collection) string { return k.ID }
	rapid.Check(t, func(t *rapid.T) {
		p := drawPage(t, ids)
		filter := store.CollectionFilter{
			ClientID: rapid.SampledFrom([]string{f.client.ID, otherClient.ID}).Draw(t, "client"),
			UserID:   rapid.SampledFrom(append(users, otherUser)).Draw(t, "user"),
			In:       rapid.SliceOfNDistinct(rapid.SampledFrom(statuses), 0, 3, rapid.ID).Draw(t, "in"),
			Latest:   rapid.Bool().Draw(t, "latest"),
		}
		got, err := f.s.CollectionsOf(f.ctx, filter, p)
		check(f, "page", got, err, summaries(page(selected(all, filter), id, p), collection.Collection.Summary))
		if f.Failed() {
			t.Fatal("see above")
		}
	})
}

// selected is the model of CollectionsOf: all is newest first.
func selected(all []collection.Collection, filter store.CollectionFilter) []collection.Collection {
	var kept []collection.Collection
	seen := map[string]bool{}
	for _, k := range all {
		if k.ClientID != filter.ClientID || (filter.UserID != "" && k.UserID != filter.UserID) ||
			(len(filter.In) > 0 && !slices.Contains(filter.In, k.Status)) || (filter.Latest && seen[k.Company]) {
			continue
		}
		seen[k.Company] = true
		kept = append(kept, k)
	}
	return kept
}

// summaries returns what a list shows of the rows.
func summaries[Row, Summary any](rows []Row, of func(Row) Summary) []Summary {
	var all []Summary
	for _, row := range rows {
		all = append(all, of(row))
	}
	return all
}
