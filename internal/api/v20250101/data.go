package v20250101

import (
	"bytes"
	"context"
	"net/http"

	"samla/internal/api"
	"samla/internal/api/collections"
	"samla/internal/collection"
	"samla/internal/fault"
	"samla/internal/gzipped"
	"samla/internal/product"
	"samla/internal/store"
)

// olderData is stored data as this version shows it. A client that has it gets 304 without
// the data being read. The view is made for each other answer: of a hundred products in a
// tenth of a millisecond (BenchmarkOlderProducts).
type olderData struct {
	api.Stored               // as version 2026-04-01 has it, with public pensions
	large      chan struct{} // a place for each view of data that is too large to hold
}

// largeViews is how many views of large data are made at the same time: each takes several
// times the bytes of the data.
const largeViews = 2

// Tag returns another text than that of the newer form.
func (d olderData) Tag() string { return d.Stored.Tag() + "." + Version }

// Packed returns the products in gzip.
func (d olderData) Packed(ctx context.Context) (packed []byte, err error) {
	err = d.of(ctx, dataTypes, func(list []byte) error {
		packed = gzipped.Compress(list)
		return nil
	})
	return packed, err
}

// Plain returns the products, or nil if they are too large to hold.
func (d olderData) Plain(ctx context.Context) ([]byte, error) {
	stored, err := d.Stored.Plain(ctx)
	if err != nil || stored == nil {
		return nil, err
	}
	return olderProducts(stored, dataTypes)
}

// of calls use with the products of some types. Faults: Unavailable if ctx ends while others
// read large data.
func (d olderData) of(ctx context.Context, types []product.Type, use func(list []byte) error) error {
	stored, err := d.Stored.Plain(ctx)
	if err != nil {
		return err
	}
	if stored == nil { // it is too large for the cache
		select {
		case d.large <- struct{}{}:
			defer func() { <-d.large }()
		case <-ctx.Done():
			return fault.New(fault.Unavailable)
		}
		packed, err := d.Stored.Packed(ctx)
		if err != nil {
			return err
		}
		if stored, err = gzipped.Plain(packed); err != nil {
			return err
		}
	}
	list, err := olderProducts(stored, types)
	if err != nil {
		return err
	}
	return use(list)
}

func (o *operations) data(c *api.Call) error {
	data, err := o.shared.Data(c)
	if err != nil {
		return err
	}
	return c.WriteStored(olderData{data, o.large})
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
		var first []byte
		err = olderData{data, o.large}.of(c.Context(), pensionTypes, func(list []byte) (err error) {
			first, err = firstElement(list)
			first = bytes.Clone(first) // not with what is around it
			return err
		})
		switch {
		case fault.CodeOf(err) == fault.DataExpired: // erased meanwhile
		case err != nil:
			return err
		case first != nil:
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
