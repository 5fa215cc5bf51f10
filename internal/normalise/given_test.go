package normalise_test

import (
	"slices"
	"strconv"
	"testing"

	"samla/internal/company"
	"samla/internal/deviation"
	"samla/internal/fact"
	"samla/internal/normalise"
	"samla/internal/product"
)

func TestProducts_WritesWhatIsOursIntoGivenProducts(t *testing.T) {
	ids := 0
	r := normalise.Request{Company: company.Company{ID: "se-a", DisplayName: "A"}, PersonalNumber: "198412099296",
		NewID: func() string { ids++; return strconv.Itoa(ids) }}
	theirs := product.Head{ID: "theirs", Type: product.ISK, Company: "other", CompanyDisplayName: "Other"}
	named := &product.PersonalInformation{Name: "Anna Berg", PersonalNumber: "1"}
	facts := fact.Facts{Products: []product.Product{
		&product.Investment{Head: theirs, PersonalInformation: named}, &product.Pension{Head: theirs}, &product.PublicPension{Head: theirs},
		&product.Loan{Head: theirs}, &product.SavingsAccount{Head: theirs}, &product.Psd2Account{Head: theirs}, &product.Other{Head: theirs}}}
	got, deviations := normalise.Products(r, facts)
	if len(got) != 6 || deviations[deviation.OtherProduct] != 1 {
		t.Fatalf("%d products, deviations %v", len(got), deviations)
	}
	var seen []string
	for _, p := range got {
		head, person := *p.Common(), *product.Person(p)
		if head.Type != product.ISK || head.Company != "se-a" || head.CompanyDisplayName != "A" || slices.Contains(seen, head.ID) ||
			person == nil || person.PersonalNumber != "198412099296" {
			t.Errorf("%v %v", head, person)
		}
		seen = append(seen, head.ID)
	}
	if person := *product.Person(got[0]); person.Name != "Anna Berg" || named.PersonalNumber != "1" {
		t.Error("what the institution said of the person is lost")
	}
	r.PersonalNumber = ""
	if got, _ := normalise.Products(r, fact.Facts{Products: []product.Product{&product.Pension{}}}); *product.Person(got[0]) != nil {
		t.Error("a person is made up")
	}
}
