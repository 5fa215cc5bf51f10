package product_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	v20260401 "samla/internal/api/v20260401"
	"samla/internal/product"
	"samla/internal/wire/wiretest"
)

// contracted is the schema of a product as this server writes it: with the declared
// members only.
func contracted(t testing.TB) *jsonschema.Schema {
	t.Helper()
	version, err := v20260401.Contract()
	if err != nil {
		t.Fatal(err)
	}
	c, err := wiretest.Load(version)
	if err != nil {
		t.Fatal(err)
	}
	schema, err := c.WrittenSchema("/components/schemas/FinancialProduct")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func checkContracted(t *rapid.T, schema *jsonschema.Schema, written []byte) {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(written))
	if err != nil {
		t.Fatalf("%v in %s", err, written)
	}
	if err := schema.Validate(value); err != nil {
		t.Fatalf("%v\n%s", err, written)
	}
}

// What is written is valid, and is read as it was.
func TestAppend_WritesWhatIsRead(t *testing.T) {
	schema := contracted(t)
	rapid.Check(t, func(t *rapid.T) {
		p := product.AnyProduct(t, true)
		written, err := product.Append(nil, p)
		if err != nil {
			t.Fatal(err)
		}
		checkContracted(t, schema, written)
		again, err := product.Read(written)
		if err != nil {
			t.Fatalf("%v\n%s", err, written)
		}
		if !reflect.DeepEqual(p, again) {
			twice, _ := product.Append(nil, again)
			t.Fatalf("differs: %s\n%s\n%s", cmp.Diff(string(written), string(twice)), written, twice)
		}
	})
}

// What the contract does not allow is not written, whatever the product has.
func TestAppend_WritesNothingInvalid(t *testing.T) {
	schema := contracted(t)
	rapid.Check(t, func(t *rapid.T) {
		written, err := product.Append(nil, product.AnyProduct(t, false))
		if err != nil {
			t.Fatal(err)
		}
		checkContracted(t, schema, written)
		again, err := product.Read(written)
		if err != nil {
			t.Fatalf("%v\n%s", err, written)
		}
		twice, err := product.Append(nil, again)
		if err != nil || !bytes.Equal(written, twice) {
			t.Fatalf("%v\n%s\n%s", err, written, twice)
		}
	})
}

func TestAppend_RefusesTypesOfOtherStructs(t *testing.T) {
	for _, p := range []product.Product{
		&product.Investment{}, &product.Investment{Head: product.Head{Type: product.MortgageLoan}}, &product.Loan{Head: product.Head{Type: "SPACESHIP"}},
	} {
		if b, err := product.Append([]byte("x"), p); !errors.Is(err, product.ErrUnwritable) || string(b) != "x" {
			t.Errorf("%T: %s, %v", p, b, err)
		}
		if _, err := product.AppendAll(nil, []product.Product{p}); !errors.Is(err, product.ErrUnwritable) {
			t.Errorf("%T: %v", p, err)
		}
	}
}
