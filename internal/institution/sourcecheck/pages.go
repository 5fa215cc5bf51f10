package sourcecheck

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"samla/internal/institution/source"
)

// read is what the pages of the person have had so far.
type read struct{ bytes, products, accounts, transactions int }

// add adds a page, and returns the limits that the pages have exceeded with it
// (docs/source-protocol/README.md, Limits).
func (s *read) add(body []byte, page source.Page) (exceeded []string) {
	before := *s
	s.bytes += len(body)
	s.products += len(page.Facts.Products)
	s.accounts += len(page.Facts.Accounts)
	for _, h := range page.Facts.Histories {
		s.transactions += len(h.Transactions)
	}
	for _, l := range []struct {
		before, now, most int
		of                string
	}{
		{before.bytes, s.bytes, source.MaxBytes, "bytes"}, {before.products, s.products, source.MaxProducts, "products"},
		{before.accounts, s.accounts, source.MaxAccounts, "accounts"}, {before.transactions, s.transactions, source.MaxTransactions, "transactions"},
	} {
		if l.now > l.most && l.before <= l.most {
			exceeded = append(exceeded, fmt.Sprintf("all pages have more than %d %s", l.most, l.of))
		}
	}
	return exceeded
}

func (r *run) pageCall(cursor *string) call {
	return call{method: http.MethodPost, path: "/v1/sessions/" + r.session + "/pages", requestID: newID(), body: map[string]any{"cursor": cursor}}
}

// pages reads all pages.
func (r *run) pages() {
	if turn, ok := r.turn(); !ok || turn.In == nil {
		r.fail("in", "the turn after IN is another one")
	}
	var cursor *string
	seen := map[string]bool{}
	var all read
	for n := 1; ; n++ {
		c := r.pageCall(cursor)
		a := r.do(c)
		what := fmt.Sprintf("page %d", n)
		if !r.want("pages", what, a, http.StatusOK, "") {
			return
		}
		r.repeatable(what, c, cursor, a)
		page, faults := source.ReadPage(a.body, r.Clock.Now())
		for _, f := range faults {
			r.fail("pages", "%s: %s", what, f.Error())
		}
		if len(faults) > 0 {
			return
		}
		if source.HasTooMany(a.body) {
			r.fail("sizes", "%s: its lists have too many elements", what)
		}
		for _, limit := range all.add(a.body, page) {
			r.fail("sizes", "%s: %s", what, limit)
		}
		r.content(what, page, a.body)
		r.clean("a cursor", page.Next)
		switch {
		case page.Next == "":
			return
		case seen[page.Next]:
			r.fail("pages", "%s: its next page was read before", what)
			return
		case n == source.MaxPages:
			r.fail("sizes", "there are more than %d pages", n)
			return
		}
		seen[page.Next] = true
		cursor = &page.Next
	}
}

// repeatable asks for a page again: as a repeated request, and as a new one.
func (r *run) repeatable(what string, c call, cursor *string, first answer) {
	if again := r.do(c); again.status != first.status || !sameJSON(first.body, again.body) {
		r.fail("request-ids", "%s: a repeated request is answered differently (status %d)", what, again.status)
	}
	if again := r.do(r.pageCall(cursor)); again.status != first.status || !sameJSON(first.body, again.body) {
		r.fail("cursors", "%s: another request for it is answered differently (status %d)", what, again.status)
	}
	r.pass("cursors")
}

// content checks what a page has.
func (r *run) content(what string, page source.Page, body []byte) {
	for _, p := range page.Problems {
		r.fail("products", "%s: %s: %s (%s)", what, p.Pointer, p.What, p.Kind)
	}
	for _, p := range page.Facts.Products {
		if kind := string(p.Common().Type); !slices.Contains(r.offer.Products, kind) {
			r.fail("products", "%s: a product of type %s, which the institution does not list", what, kind)
		}
	}
	var in struct {
		Missing []struct {
			What   string `json:"what"`
			Reason string `json:"reason"`
		} `json:"missing"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		r.fail("products", "%s: /missing must be a list of what and reason", what)
	}
	for i, m := range in.Missing {
		if m.What == "" || m.Reason == "" {
			r.fail("products", "%s: /missing/%d must have what and reason", what, i)
		}
		r.clean("what is missing", m.What+" "+m.Reason)
	}
	r.pass("products")
}

// end ends the session.
func (r *run) end() {
	if r.session == "" {
		return
	}
	r.want("end", "DELETE", r.remove(r.session), http.StatusNoContent, "")
	r.gone("end", r.session, "a session that has ended")
}
