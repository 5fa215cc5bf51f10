package product_test

import (
	"encoding/json"
	"testing"

	"samla/internal/product"
)

func TestIdentityOf_FindsTheNumberOfEachType(t *testing.T) {
	const all = `"productNumber":"4711","accountNumber":"4711","loanId":"4711","iban":"SE3550000000054910000003"`
	withIBAN := map[product.Type]bool{product.GeneralSavingsAccount: true, product.GeneralSavingsAccountFixedTerm: true,
		product.Psd2SavingsAccount: true, product.Psd2CheckingAccount: true, product.Psd2CreditCard: true}
	for _, kind := range product.Types {
		read, err := product.ReadAll([]byte(`[{"id":"1","type":"` + kind + `",` + all + `}]`))
		if err != nil {
			t.Fatal(err)
		}
		want := product.Identity{Number: "4711"}
		if withIBAN[product.Type(kind)] {
			want.IBAN = "SE3550000000054910000003"
		}
		if kind == string(product.PublicPensionType) {
			want = product.Identity{}
		}
		if got := product.IdentityOf(read[0]); got != want {
			t.Errorf("%s: %+v", kind, got)
		}
	}
	if got := product.IdentityOf(&product.Other{Raw: json.RawMessage(`{}`)}); got != (product.Identity{}) {
		t.Errorf("an unknown product: %+v", got)
	}
}

// A product of a new struct is found without a line of its own.
func TestPerson_IsFoundInEachType(t *testing.T) {
	for _, kind := range product.Types {
		read, err := product.ReadAll([]byte(`[{"id":"1","type":"` + kind + `","personalInformation":{"name":"Anna Berg"}}]`))
		if err != nil {
			t.Fatal(err)
		}
		if at := product.Person(read[0]); at == nil || *at == nil || (*at).Name != "Anna Berg" {
			t.Errorf("%s: %v", kind, at)
		}
	}
	if at := product.Person(&product.Other{}); at != nil {
		t.Errorf("an unknown product: %v", at)
	}
}
