package storetest

import (
	"slices"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/collection"
	"samla/internal/store"
	"samla/internal/uuid7"
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

	again, small := collection.Products{Form: 3, Sealed: []byte("again")}, collection.Products{Form: 3, Sealed: []byte("packed again")}
	f.write(func(tx store.Tx) error { return tx.ReplaceProducts(f.ctx, k.ID, again, &small) })
	products, err = f.s.Products(f.ctx, k.ID)
	check(f, "replaced products", products, err, again)
	packed, err = f.s.PackedProducts(f.ctx, k.ID)
	check(f, "replaced packed products", packed, err, small)
	f.write(func(tx store.Tx) error { return tx.ReplaceProducts(f.ctx, k.ID, again, nil) })
	packed, err = f.s.PackedProducts(f.ctx, k.ID)
	missing(f, "packed products that were replaced by none", packed, err)
	f.write(func(tx store.Tx) error { return tx.PutPackedProducts(f.ctx, k.ID, small) })

	f.write(func(tx store.Tx) error { return tx.EraseData(f.ctx, k.ID) })
	f.fails(store.ErrNotFound, func(tx store.Tx) error { return tx.ReplaceProducts(f.ctx, k.ID, again, &small) })
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

func testCollectionsWithData(_ *testing.T, f fixture) {
	company := "se-" + newID()
	add := func(at time.Time, change func(*collection.Collection)) store.Mapped {
		k := f.newCollection()
		k.ID, k.Company, k.Status, k.CreatedAt = uuid7.NewGenerator(clock.NewManual(at), nil).New(), company, collection.Completed, at
		k.DataUntil, k.ErasedAt, k.Mapping = start.AddDate(0, 1, 0), time.Time{}, 7
		if change != nil {
			change(&k)
		}
		f.write(func(tx store.Tx) error { return tx.AddCollection(f.ctx, k) })
		return store.Mapped{ID: k.ID, Company: k.Company, Mapping: k.Mapping}
	}
	second := add(start.Add(time.Hour), func(k *collection.Collection) { k.Mapping, k.Status = 0, collection.CompletedPartial })
	first := add(start, nil)
	third := add(start.Add(2*time.Hour), nil)
	for _, change := range []func(*collection.Collection){
		func(k *collection.Collection) { k.Status = collection.CompletedEmpty },
		func(k *collection.Collection) { k.Status = collection.Collecting },
		func(k *collection.Collection) { k.ErasedAt = start },
		func(k *collection.Collection) { k.DataUntil = start.Add(time.Hour) },
	} {
		add(start.Add(time.Hour), change)
	}
	now := start.Add(time.Hour)
	for _, test := range []struct {
		what  string
		of    store.DataFilter
		limit int
		want  []store.Mapped
	}{
		{"all of a company", store.DataFilter{Company: company}, 10, []store.Mapped{first, second, third}},
		{"the first two", store.DataFilter{Company: company}, 2, []store.Mapped{first, second}},
		{"those after", store.DataFilter{Company: company, After: first.ID}, 10, []store.Mapped{second, third}},
		{"since", store.DataFilter{Company: company, Since: start.Add(time.Hour)}, 10, []store.Mapped{second, third}},
		{"until", store.DataFilter{Company: company, Until: start.Add(2 * time.Hour)}, 10, []store.Mapped{first, second}},
		{"after and since", store.DataFilter{Company: company, Since: start, After: second.ID}, 10, []store.Mapped{third}},
		{"of another company", store.DataFilter{Company: company + "x"}, 10, nil},
	} {
		got, err := f.s.CollectionsWithData(f.ctx, test.of, now, test.limit)
		check(f, test.what, got, err, test.want)
	}
	all, err := f.s.CollectionsWithData(f.ctx, store.DataFilter{Since: start}, now, 1000)
	if err != nil || !slices.Contains(all, second) {
		f.Errorf("any company: %d, %v", len(all), err)
	}
}
