package collect

import (
	"encoding/json"
	"slices"

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

// replaced returns the account with an id as it was, with those of its transactions only
// that it has not any more in the same form; nil if there are none.
func replaced(old, again []product.Product, id string) (json.RawMessage, error) {
	was, now := accountOf(old, id), accountOf(again, id)
	if was == nil || now == nil {
		return nil, nil
	}
	forms := make(map[string]bool, len(now.Transactions))
	for i := range now.Transactions {
		forms[string(now.Transactions[i].AppendJSON(nil))] = true
	}
	only := *was
	only.Transactions = slices.DeleteFunc(slices.Clone(was.Transactions), func(t product.Psd2Transaction) bool {
		return forms[string(t.AppendJSON(nil))]
	})
	if len(only.Transactions) == 0 {
		return nil, nil
	}
	return product.Append(nil, &only)
}

func accountOf(products []product.Product, id string) *product.Psd2Account {
	for _, p := range products {
		if a, is := p.(*product.Psd2Account); is && a.ID == id {
			return a
		}
	}
	return nil
}
