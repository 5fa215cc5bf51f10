package normalise

import (
	"crypto/sha256"
	"slices"

	"samla/internal/deviation"
	"samla/internal/listing"
	"samla/internal/product"
	"samla/internal/psu"
)

// given returns the products that an institution gives as such, with what is ours to
// write: id, company, and the number of the person who started the collection
// (docs/reference/products.md 2 and 9). It leaves out products that the filter does not
// name, and counts those of unknown types and those that were given before.
func (r Request) given(products []product.Product, deviations *deviation.Counts) []product.Product {
	kept := make([]product.Product, 0, len(products))
	for _, p := range once(products, deviations) {
		person := product.Person(p)
		if person == nil {
			deviations.Add(deviation.OtherProduct, 1)
			continue
		}
		if !r.wants(p) {
			continue
		}
		head := p.Common()
		head.ID, head.Company, head.CompanyDisplayName = r.NewID(), r.Company.ID, r.Company.DisplayName
		if r.PersonalNumber != "" {
			*person = r.informed(*person, deviations)
		}
		kept = append(kept, p)
	}
	return kept
}

// informed returns what is said of the person who started the collection, with their number.
// What an institution says of another person is left out and counted.
func (r Request) informed(said *product.PersonalInformation, deviations *deviation.Counts) *product.PersonalInformation {
	info := product.PersonalInformation{}
	if said != nil {
		info = *said
	}
	if info.PersonalNumber != "" && !r.PersonalNumber.Is(psu.Said(info.PersonalNumber)) {
		deviations.Add(deviation.UnreadableMember, 1)
		info = product.PersonalInformation{}
	}
	info.PersonalNumber = r.PersonalNumber.Digits()
	return &info
}

// once leaves out products that were given before, such as by two pages that overlap: those
// with the same number and the same members. One without a number cannot be told apart from
// another that looks the same, so both are kept.
func once(products []product.Product, deviations *deviation.Counts) []product.Product {
	unique := make([]product.Product, 0, len(products))
	known := make(map[[sha256.Size]byte]bool, len(products)) // hashes of products as they are written
	var text []byte
	for _, p := range products {
		if product.IdentityOf(p) != (product.Identity{}) {
			var err error
			text, err = product.Append(text[:0], p)
			hash := sha256.Sum256(text)
			if err == nil && known[hash] {
				deviations.Add(deviation.RepeatedProduct, 1)
				continue
			}
			known[hash] = err == nil
		}
		unique = append(unique, p)
	}
	return unique
}

// wants reports whether the filter names the product, or there is none.
func (r Request) wants(p product.Product) bool {
	if len(r.Filter) == 0 {
		return true
	}
	of := product.IdentityOf(p)
	return slices.ContainsFunc(r.Filter, func(id string) bool { return listing.Names(of.IBAN, of.Number, id) })
}
