package api

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"samla/internal/collection"
	"samla/internal/fault"
	"samla/test/harness"
)

func TestLists_ArePaged(t *testing.T) {
	onStores(t, func(t *testing.T, w *env) {
		w.registerSecrets()
		user, session := w.acme.person(t)
		var consents, collections []string
		for range 7 {
			var c consentObject
			session.post(t, "/consents", requestBody(demoBank, otherDevice, scopeParameter()), &c)
			consents = append(consents, c.ConsentID)
			var k collectionStatus
			session.post(t, "/collections", requestBody(demoBank, otherDevice, scopeParameter()), &k)
			collections = append(collections, k.ID)
		}
		slices.Reverse(consents) // newest first
		slices.Reverse(collections)
		of := "/users/" + user.UserUUID
		for _, list := range []struct {
			client
			path string
			want []string
		}{
			{session, "/consents", consents}, {w.acme, of + "/consents", consents},
			{session, "/collections", collections}, {w.acme, "/collections", collections}, {w.acme, of + "/collections", collections},
			{w.acme, of + "/collections?statusIn=RUNNING&statusIn=" + statusesExceptSuccess(), collections},
		} {
			for _, limit := range []int{1, 3, 7, 8, 200} {
				at := list.path + map[bool]string{true: "&", false: "?"}[strings.Contains(list.path, "?")] + "limit=" + strconv.Itoa(limit)
				var got []string
				for pages := 0; at != ""; pages++ {
					var page []struct{ ConsentID, CollectionID string }
					a := list.get(t, at, &page)
					if len(page) > limit || pages > 7 {
						t.Fatalf("%s: page %d of %d rows", at, pages, len(page))
					}
					for _, row := range page {
						got = append(got, row.ConsentID+row.CollectionID)
					}
					at = nextPage(t, a)
				}
				if !slices.Equal(got, list.want) {
					t.Errorf("%s by %d: %v, want %v", list.path, limit, got, list.want)
				}
			}
		}
		for _, path := range []string{"/consents", "/collections"} {
			for query, pointer := range map[string]string{
				"limit=0": "?limit", "limit=201": "?limit", "limit=-1": "?limit", "limit=1.0": "?limit", "limit=x": "?limit", "limit=99999999999": "?limit",
				"limit=1&limit=2": "?limit", "cursor=x": "?cursor", "cursor=": "?cursor", "cursor=" + url.QueryEscape("MDE5N2IxZjA="): "?cursor",
				"cursor=" + unknownID: "?cursor", "limit=1%": "?limit", "a=1&limit=%zz": "?limit", "a;b=1": "?a;b", "%zz=1": "?",
			} {
				p := session.Do(t, "GET", path+"?"+query, nil).WantProblem(t, fault.InvalidParameter)
				if len(p.Errors) != 1 || p.Errors[0].Pointer != pointer {
					t.Errorf("%s?%s: %+v", path, query, p.Errors)
				}
			}
		}
	})
}

// nextPage returns the path of the next page, or "" if there is none.
func nextPage(t *testing.T, a harness.Response) string {
	t.Helper()
	link := a.Header.Get("Link")
	if link == "" {
		return ""
	}
	at, rel, ok := strings.Cut(link, ">; ")
	if !ok || rel != `rel="next"` || !strings.HasPrefix(at, "</") {
		t.Fatalf("Link %q", link)
	}
	return at[1:]
}

// statusesExceptSuccess lists every status except the successful ones. Many concurrent
// authorizations of one person can end in several of them.
func statusesExceptSuccess() string {
	var list []string
	for _, s := range collection.Statuses() {
		if s.Class() != collection.Success {
			list = append(list, string(s))
		}
	}
	return strings.Join(list, ",")
}
