package cases

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// check compares the outcome with what the case wants.
func (p *player) check() {
	p.Helper()
	misfits := append(p.misfits("want", p.Want), p.implicit()...)
	if len(misfits) == 0 {
		return
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%s\n  expected: %s", p.Case, p.Expect)
	for _, m := range misfits {
		fmt.Fprintf(&text, "\n  %s", m)
	}
	for i, c := range p.collections {
		fmt.Fprintf(&text, "\n  collection %d: %s %s", i, brief(c.status), brief(c.products))
	}
	fmt.Fprintf(&text, "\n  the bank received:%s", p.bank.received())
	p.Error(text.String())
}

// misfits returns what does not hold of a want, at this path.
func (p *player) misfits(path string, w want) (all []string) {
	p.Helper()
	add := func(m string) {
		if m != "" {
			all = append(all, m)
		}
	}
	if w.Consent != nil {
		at := path + ".consent"
		s := p.pollConsent(p.deadline(consentTime), func(s map[string]any) bool { return p.misfit(at, w.Consent, s) == "" })
		add(p.misfit(at, w.Consent, s))
	}
	if len(p.collections) == 0 && (w.Collection != nil || w.Products != nil) {
		add(path + ": no collection was made")
	}
	for i, c := range p.collections {
		add(p.misfit(fmt.Sprintf("%s.collection(%d)", path, i), w.Collection, c.status))
		add(p.misfit(fmt.Sprintf("%s.products(%d)", path, i), w.Products, c.products))
	}
	for _, name := range w.Same {
		add(same(path+".same", name, p.collections))
	}
	for _, ask := range slices.Sorted(maps.Keys(w.Requests)) {
		if n := p.bank.requests(ask); n > w.Requests[ask] {
			add(fmt.Sprintf("%s.requests: want at most %d of %s, got %d", path, w.Requests[ask], ask, n))
		}
	}
	add(p.misfit(path+".instructions", w.Instructions, p.instructions))
	add(p.misfit(path+".unattended", w.Unattended, p.unattended))
	return append(all, p.misfitsOfAny(path+".anyOf", w.AnyOf)...)
}

// misfitsOfAny returns nothing if one of the wants holds, and otherwise what does not hold
// of each.
func (p *player) misfitsOfAny(path string, wants []want) (all []string) {
	p.Helper()
	for i, w := range wants {
		misfits := p.misfits(fmt.Sprintf("%s[%d]", path, i), w)
		if len(misfits) == 0 {
			return nil
		}
		all = append(all, misfits...)
	}
	return all
}

// misfit compares a value with a pattern in JSON. A pattern that is not there fits.
func (p *player) misfit(path string, pattern json.RawMessage, value any) string {
	p.Helper()
	if pattern == nil {
		return ""
	}
	if m, ok := value.(map[string]any); ok && m == nil {
		value = nil
	}
	return misfit(path, p.decode(pattern), value)
}

// same reports collections whose values of a member, of products or of transactions,
// are not those of the first.
func same(path, name string, all []collection) string {
	if len(all) < 2 {
		return path + ": there are no two collections"
	}
	first := members(name, all[0].products)
	for i, c := range all[1:] {
		if got := members(name, c.products); !slices.Equal(got, first) || len(got) == 0 {
			return fmt.Sprintf("%s: %s of collection %d: want %q, got %q", path, name, i+1, first, got)
		}
	}
	return ""
}

// transactionID is the member of transactions that is compared; all others are members of
// products.
const transactionID = "transactionId"

// members returns the sorted values of a member of products or of their transactions.
func members(name string, products any) (values []string) {
	for _, p := range objects(products) {
		holders := []map[string]any{p}
		if name == transactionID {
			holders = objects(p["transactions"])
		}
		for _, o := range holders {
			values = append(values, fmt.Sprint(o[name]))
		}
	}
	slices.Sort(values)
	return values
}

func objects(list any) (all []map[string]any) {
	elements, _ := list.([]any)
	for _, e := range elements {
		if o, ok := e.(map[string]any); ok {
			all = append(all, o)
		}
	}
	return all
}

// implicit returns the violations of what must hold in every case.
func (p *player) implicit() (all []string) {
	for i, c := range p.collections {
		for _, product := range objects(c.products) {
			ids := members(transactionID, []any{product})
			if len(slices.Compact(slices.Clone(ids))) != len(ids) {
				all = append(all, fmt.Sprintf("collection %d: transactions of one product share an id: %q", i, ids))
			}
		}
	}
	p.bank.mu.Lock()
	defer p.bank.mu.Unlock()
	return append(all, p.bank.violations...)
}
