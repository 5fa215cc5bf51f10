package v20250101

import (
	"context"
	"net/http"

	"samla/internal/api"
	"samla/internal/api/collections"
	"samla/internal/collect"
	"samla/internal/collection"
	"samla/internal/fault"
	"samla/internal/gzipped"
	"samla/internal/product"
	"samla/internal/store"
)

// olderData is stored data as this version shows it. A client that has it gets 304 without
// the data being read. The view is made for each other answer: of a hundred products in a
// tenth of a millisecond (BenchmarkOlderProducts).
type olderData struct{ collect.Data }

// Tag returns another text than that of the newer form.
func (d olderData) Tag() string { return d.Data.Tag() + "." + Version }

// Packed returns the products in gzip.
func (d olderData) Packed(ctx context.Context) ([]byte, error) {
	plain, err := d.Plain(ctx)
	if err != nil {
		return nil, err
	}
	return gzipped.Compress(plain), nil
}

// Plain returns the products.
func (d olderData) Plain(ctx context.Context) ([]byte, error) { return d.of(ctx, dataTypes) }

// of returns the products of some types.
func (d olderData) of(ctx context.Context, types []product.Type) ([]byte, error) {
	stored, err := d.Data.Plain(ctx)
	if err != nil {
		return nil, err
	}
	if stored == nil { // it is too large for the cache
		packed, err := d.Data.Packed(ctx)
		if err != nil {
			return nil, err
		}
		if stored, err = gzipped.Plain(packed); err != nil {
			return nil, err
		}
	}
	return olderProducts(stored, types)
}

func (o *operations) data(c *api.Call) error {
	data, err := o.shared.Data(c)
	if err != nil {
		return err
	}
	return c.WriteStored(olderData{data})
}

// mostCompanies is more than the companies of an installation at which one person has
// collected.
const mostCompanies = 200

// publicPension answers with the public pension of the session's user. Nothing is
// collected: it is the newest that a completed collection of the user has, among the newest
// collections of each company. Faults: PublicPensionNotFound.
func (o *operations) publicPension(c *api.Call) error {
	of := collections.OwnerOf(c)
	completed := []collection.Status{collection.Completed, collection.CompletedPartial}
	newest, err := o.Collections.List(c.Context(), of, completed, true, store.Page{Limit: mostCompanies})
	if err != nil {
		return err
	}
	for _, row := range newest {
		data, err := o.Collections.Data(c.Context(), of, row.ID)
		if fault.CodeOf(err) == fault.DataExpired {
			continue
		}
		if err != nil {
			return err
		}
		list, err := olderData{data}.of(c.Context(), pensionTypes)
		if fault.CodeOf(err) == fault.DataExpired {
			continue // erased meanwhile
		}
		if err != nil {
			return err
		}
		if first, err := firstElement(list); err != nil || first != nil {
			if err != nil {
				return err
			}
			return c.Write(http.StatusOK, first)
		}
	}
	return fault.New(fault.PublicPensionNotFound)
}

// firstElement returns the first element of an array, or nil if it has none.
func firstElement(list []byte) ([]byte, error) {
	s := scanner{text: list}
	var first []byte
	err := s.elements(func() error {
		element, err := s.value()
		if first == nil {
			first = element
		}
		return err
	})
	return first, err
}
