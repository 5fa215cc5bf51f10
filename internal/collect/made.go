package collect

import (
	"context"
	"slices"

	"samla/internal/collection"
	"samla/internal/company"
	"samla/internal/deviation"
	"samla/internal/gzipped"
	"samla/internal/institution"
	"samla/internal/normalise"
	"samla/internal/product"
)

// smallData is the size up to which data is not stored compressed too: it is compressed
// faster than a second row is written, and most data is read rarely.
const smallData = 8 << 10

// mappingOf returns the version of the mapping from answers to products: that of the
// family's Read, and that of package normalise. It is never 0.
func mappingOf(from institution.Collector) int { return from.Mapping()*1000 + normalise.Version }

// made is what the answers of a collection have become.
type made struct {
	list     []product.Product
	text     []byte // of the products, a JSON array
	report   collection.Report
	accounts int // how many were read
}

// products converts the facts of a crawl to products. It counts the deviations.
func (c *crawl) products(of company.Company) (made, error) {
	found, said := c.found(), newReporter(c)
	products, deviations := normalise.Products(normalise.Request{Company: of, Accounts: found.Accounts,
		Scope: c.scope, Filter: c.journal.c.Filter, PersonalNumber: c.person, NewID: c.IDs.New, Each: said.add}, c.facts())
	c.deviations.Merge(found.Deviations)
	c.deviations.Merge(deviations)
	c.deviations.Add(deviation.Unanswered, c.lost(found.Accounts))
	m := made{list: products, report: said.report, accounts: len(found.Accounts)}
	return m, m.write()
}

// write makes the text of the products.
func (m *made) write() (err error) {
	m.text, err = product.AppendAll(nil, m.list)
	return err
}

// sealProducts seals products as they are stored: as text, and in gzip unless packed is nil.
func (s *Service) sealProducts(ctx context.Context, c collection.Collection, m made) (plain collection.Products, packed *collection.Products, err error) {
	plain.Form = product.Form
	if plain.Sealed, err = s.Vault.Seal(ctx, c.Subject(), productsPlace(c.ID), m.text); err != nil {
		return plain, nil, err
	}
	// Where a public pension is stored, what is served depends on the version.
	public := slices.ContainsFunc(m.list, func(p product.Product) bool { return p.Common().Type == product.PublicPensionType })
	if len(m.text) <= smallData || public {
		return plain, nil, nil
	}
	packed = &collection.Products{Form: product.Form}
	packed.Sealed, err = s.Vault.Seal(ctx, c.Subject(), packedPlace(c.ID), gzipped.Compress(m.text))
	return plain, packed, err
}
