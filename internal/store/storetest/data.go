package storetest

import (
	"testing"

	"samla/internal/collection"
	"samla/internal/store"
)

func raw(collectionID string, seq int) collection.RawAnswer {
	return collection.RawAnswer{CollectionID: collectionID, Seq: seq, Kind: "transactions", Mapping: 4,
		FetchedAt: start, Sealed: []byte{0, byte(seq), 255}}
}

func testData(_ *testing.T, f fixture) {
	k, other := f.addCollection(nil), f.addCollection(nil)
	f.write(func(tx store.Tx) error {
		if err := tx.AddRawAnswers(f.ctx, []collection.RawAnswer{raw(k.ID, 2), raw(k.ID, 0), raw(k.ID, 10), raw(k.ID, 1)}); err != nil {
			return err
		}
		if err := tx.PutProducts(f.ctx, other.ID, collection.Products{Form: 1, Sealed: []byte("kept")}); err != nil {
			return err
		}
		return tx.AddRawAnswers(f.ctx, []collection.RawAnswer{raw(other.ID, 0)})
	})
	all, err := f.s.RawAnswers(f.ctx, k.ID)
	check(f, "in the order of reading", all, err, []collection.RawAnswer{raw(k.ID, 0), raw(k.ID, 1), raw(k.ID, 2), raw(k.ID, 10)})
	size, err := f.s.RawAnswersSize(f.ctx, k.ID)
	check(f, "their size", size, err, 4*int64(len(raw(k.ID, 0).Sealed)))
	size, err = f.s.RawAnswersSize(f.ctx, newID())
	check(f, "the size of none", size, err, 0)
	f.fails(store.ErrExists, func(tx store.Tx) error {
		twice := raw(k.ID, 2)
		twice.Sealed = []byte("another")
		return tx.AddRawAnswers(f.ctx, []collection.RawAnswer{twice})
	})

	long := f.addCollection(nil)
	var many []collection.RawAnswer
	for seq := range 50 {
		many = append(many, raw(long.ID, seq))
	}
	f.write(func(tx store.Tx) error { return tx.AddRawAnswers(f.ctx, many) })
	all, err = f.s.RawAnswers(f.ctx, long.ID)
	check(f, "many at once", all, err, many)
	f.fails(store.ErrExists, func(tx store.Tx) error { return tx.AddRawAnswers(f.ctx, append(many, raw(long.ID, 50))) })
	f.write(func(tx store.Tx) error { return tx.AddRawAnswers(f.ctx, nil) })

	products, err := f.s.Products(f.ctx, k.ID)
	missing(f, "products before they are stored", products, err)
	for form, sealed := range []string{"first", "second"} {
		put := collection.Products{Form: form + 1, Sealed: []byte(sealed)}
		f.write(func(tx store.Tx) error { return tx.PutProducts(f.ctx, k.ID, put) })
		products, err = f.s.Products(f.ctx, k.ID)
		check(f, "products", products, err, put)
	}
	packed, err := f.s.PackedProducts(f.ctx, k.ID)
	missing(f, "packed products before they are stored", packed, err)
	for form, sealed := range []string{"first", "second"} {
		put := collection.Products{Form: form + 1, Sealed: []byte("packed " + sealed)}
		f.write(func(tx store.Tx) error { return tx.PutPackedProducts(f.ctx, k.ID, put) })
		packed, err = f.s.PackedProducts(f.ctx, k.ID)
		check(f, "packed products", packed, err, put)
	}
	products, err = f.s.Products(f.ctx, k.ID)
	check(f, "products beside packed ones", string(products.Sealed), err, "second")

	f.write(func(tx store.Tx) error { return tx.EraseData(f.ctx, k.ID) })
	all, err = f.s.RawAnswers(f.ctx, k.ID)
	check(f, "raws after erasing", len(all), err, 0)
	products, err = f.s.Products(f.ctx, k.ID)
	missing(f, "products after erasing", products, err)
	packed, err = f.s.PackedProducts(f.ctx, k.ID)
	missing(f, "packed products after erasing", packed, err)
	products, err = f.s.Products(f.ctx, other.ID)
	check(f, "another's products", string(products.Sealed), err, "kept")
	all, err = f.s.RawAnswers(f.ctx, other.ID)
	check(f, "another's raws", len(all), err, 1)
}
