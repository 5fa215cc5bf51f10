package collect

import (
	"context"
	"errors"
	"strconv"

	"samla/internal/audit"
	"samla/internal/collection"
	"samla/internal/fault"
	"samla/internal/gzipped"
	"samla/internal/product"
	"samla/internal/seal"
	"samla/internal/store"
)

func notFound(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return fault.New(fault.CollectionNotFound)
	}
	return err
}

func productsPlace(id string) seal.Place {
	return seal.Place{Table: "products", Column: "sealed", Row: id}
}

func packedPlace(id string) seal.Place {
	return seal.Place{Table: "packed_products", Column: "sealed", Row: id}
}

// Data is the data of a collection that its owner may read now: its products, a JSON
// array (docs/reference/api.md 5.9). It changes only when the collection is read again from
// its stored answers (Rereader), which gives the collection another Rev.
type Data struct {
	service  *Service
	of       collection.Collection
	served   bool
	by       Owner
	recorded *bool // the access is in the audit log
}

// Served returns the data without public pensions, which version 2026-04-01 does not
// serve (docs/reference/products.md 8.5).
func (d Data) Served() Data {
	d.served = true
	return d
}

// Data returns the data of a collection. The products of an erased user are expired at
// once, also where this node has the user's data key in memory and the products are
// not deleted yet. Faults: CollectionNotFound, CollectionNotFinished, CollectionFailed,
// DataExpired.
func (s *Service) Data(ctx context.Context, o Owner, id string) (Data, error) {
	view, err := s.Store.CollectionStatus(ctx, id)
	if err != nil {
		return Data{}, notFound(err)
	}
	c := view.Collection
	if !o.owns(c) {
		return Data{}, fault.New(fault.CollectionNotFound)
	}
	switch {
	case !c.Status.Terminal():
		return Data{}, fault.New(fault.CollectionNotFinished)
	case c.Status.Class() != collection.Success:
		return Data{}, fault.Detailed(fault.CollectionFailed, "The collection ended as "+string(c.Status)+".")
	case view.UserAnonymized, c.DataGone(s.Clock.Now()):
		return Data{}, fault.New(fault.DataExpired)
	}
	return Data{service: s, of: c, by: o, recorded: new(bool)}, nil
}

// Tag returns a text that is the same as long as the data is.
func (d Data) Tag() string {
	return d.of.ID + "." + strconv.Itoa(product.Form) + "." + strconv.FormatInt(d.of.Rev, 36)
}

// record writes to the audit log that the caller gets the data, once: nobody gets it
// without an entry that is on disk. Fault: Unavailable.
func (d Data) record(ctx context.Context) error {
	if *d.recorded {
		return nil
	}
	s, c := d.service, d.of
	e := audit.Access{ClientID: d.by.ClientID, KeyID: d.by.KeyID, UserID: c.UserID, ConsentID: c.ConsentID, CollectionID: c.ID,
		AccountIDs: c.Filter, Route: d.by.Route, Basis: audit.BasisOf(c)}.Entry(s.IDs, s.Clock.Now())
	if err := s.Access.RecordAccess(ctx, e); err != nil {
		s.Log.Error("a read of data could not be recorded in the audit log and was refused", "collection", c.ID, "error", err)
		return fault.New(fault.Unavailable)
	}
	*d.recorded = true
	return nil
}

// Packed returns the data in gzip, after the access is recorded. The caller must not
// change it. Faults: DataExpired, Unavailable.
func (d Data) Packed(ctx context.Context) ([]byte, error) {
	text, err := d.packed(ctx)
	if err != nil {
		return nil, err
	}
	return text, d.record(ctx)
}

func (d Data) packed(ctx context.Context) ([]byte, error) {
	s, id := d.service, d.of.ID
	if d.of.Status == collection.CompletedEmpty {
		return gzipped.Compress([]byte("[]")), nil
	}
	key := answerKey{id, d.of.Rev, true, d.served}
	if text, known := s.answers.Peek(key); known {
		return text, nil
	}
	var text []byte
	stored, err := s.Store.PackedProducts(ctx, id)
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && stored.Form != product.Form:
		text, err = d.pack(ctx)
	case err == nil:
		text, err = d.open(ctx, packedPlace(id), stored.Sealed)
	}
	if err == nil {
		s.answers.put(key, text)
	}
	return text, err
}

// Plain returns the data as text, after the access is recorded, or nil if it is too large
// to hold: the caller then decompresses what Packed returns. The caller must not change
// it. Faults: DataExpired, Unavailable.
func (d Data) Plain(ctx context.Context) ([]byte, error) {
	text, err := d.plain(ctx)
	if err != nil || text == nil {
		return nil, err
	}
	return text, d.record(ctx)
}

func (d Data) plain(ctx context.Context) ([]byte, error) {
	s, id := d.service, d.of.ID
	key := answerKey{id, d.of.Rev, false, d.served}
	if text, known := s.answers.Peek(key); known {
		return text, nil
	}
	packed, err := d.packed(ctx)
	if err != nil {
		return nil, err
	}
	if size, err := gzipped.Size(packed); err != nil || size > largestAnswer {
		return nil, err
	}
	text, err := gzipped.Plain(packed)
	if err == nil {
		s.answers.put(key, text)
	}
	return text, err
}

// pack compresses products that are not stored so: those that are small, that the release
// before has stored, that have another form, or among which is a public pension.
func (d Data) pack(ctx context.Context) ([]byte, error) {
	stored, err := d.service.Store.Products(ctx, d.of.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, fault.New(fault.DataExpired)
	}
	if err != nil {
		return nil, err
	}
	plain, err := OpenProducts(ctx, d.service.Vault, d.of, stored)
	if errors.Is(err, seal.ErrKeyDestroyed) {
		return nil, fault.New(fault.DataExpired)
	}
	if err != nil {
		return nil, err
	}
	if d.served {
		if plain, err = product.Without(plain, product.PublicPensionType); err != nil {
			return nil, err
		}
	}
	return gzipped.Compress(plain), nil
}

// OpenProducts opens the stored products of a collection, a JSON array in the newest form.
// Errors: those of the vault and of product.Canonical.
func OpenProducts(ctx context.Context, v seal.Vault, c collection.Collection, stored collection.Products) ([]byte, error) {
	plain, err := v.Open(ctx, c.Subject(), productsPlace(c.ID), stored.Sealed)
	if err != nil {
		return nil, err
	}
	return product.Canonical(stored.Form, plain)
}

func (d Data) open(ctx context.Context, at seal.Place, sealed []byte) ([]byte, error) {
	text, err := d.service.Vault.Open(ctx, d.of.Subject(), at, sealed)
	if errors.Is(err, seal.ErrKeyDestroyed) {
		return nil, fault.New(fault.DataExpired)
	}
	return text, err
}
