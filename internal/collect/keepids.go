package collect

import (
	"samla/internal/product"
	"samla/internal/psu"
)

// identityOf returns what a product keeps when it is made again.
func identityOf(p product.Product) any {
	if a, is := p.(*product.Psd2Account); is {
		return "account/" + a.AccountID
	}
	return struct {
		product.Identity
		product.Type
	}{product.IdentityOf(p), p.Common().Type}
}

// keepIDs gives products the ids that they had: those of the same account or number, and
// then those of the same type, in their order. It returns the ids by those that the
// products had been given.
func keepIDs(old, again []product.Product) map[string]string {
	ids, done, used := make(map[string]string, len(again)), make([]bool, len(again)), map[string]bool{}
	for _, key := range []func(product.Product) any{identityOf, func(p product.Product) any { return p.Common().Type }} {
		known := map[any][]string{}
		for _, p := range old {
			if id := p.Common().ID; !used[id] {
				known[key(p)] = append(known[key(p)], id)
			}
		}
		for i, p := range again {
			of := key(p)
			if done[i] || len(known[of]) == 0 {
				continue
			}
			head := p.Common()
			ids[head.ID] = known[of][0]
			head.ID, known[of] = known[of][0], known[of][1:]
			done[i], used[head.ID] = true, true
		}
	}
	for i, p := range again {
		if !done[i] {
			ids[p.Common().ID] = p.Common().ID
		}
	}
	return ids
}

// personOf returns the number of the person who started the collection, if each of its
// products that can say has the same.
func personOf(products []product.Product) psu.Number {
	number := ""
	for i, p := range products {
		info := product.Person(p)
		if info == nil {
			continue
		}
		said := ""
		if *info != nil {
			said = (*info).PersonalNumber
		}
		if i > 0 && said != number {
			return ""
		}
		number = said
	}
	return psu.Number(number)
}
