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
	named := &product.PersonalInformation{Name: "Anna Berg", PersonalNumber: "841209-9296"}
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
	if person := *product.Person(got[0]); person.Name != "Anna Berg" || named.PersonalNumber != "841209-9296" {
		t.Error("what the institution said of the person is lost")
	}
	r.PersonalNumber = ""
	if got, _ := normalise.Products(r, fact.Facts{Products: []product.Product{&product.Pension{}}}); *product.Person(got[0]) != nil {
		t.Error("a person is made up")
	}
}

func TestProducts_KeepsTheGivenProductsThatTheFilterNames(t *testing.T) {
	facts := fact.Facts{Products: []product.Product{
		&product.Investment{ProductNumber: "12 345-678"}, &product.Pension{ProductNumber: "999999"}, &product.Loan{LoanID: "000047433123"},
		&product.SavingsAccount{IBAN: "SE3550000000054910000003", AccountNumber: "54910000003"}, &product.PublicPension{}, &product.Pension{}}}
	for name, test := range map[string]struct {
		filter []string
		want   []int // of facts.Products
	}{
		"no filter":           {nil, []int{0, 1, 2, 3, 4, 5}},
		"a number":            {[]string{" 12345678 "}, []int{0}},
		"a loan and a number": {[]string{"000047433123", "999999"}, []int{1, 2}},
		"an IBAN":             {[]string{"se35 5000 0000 0549 1000 0003"}, []int{3}},
		"another number":      {[]string{"345678", "4711", "acc-aaaaaaaaaaaaaaaaaaaaaaaaaa"}, nil},
	} {
		r := normalise.Request{Filter: test.filter, NewID: func() string { return "id" }}
		products, deviations := normalise.Products(r, facts)
		var got []int
		for _, p := range products {
			got = append(got, slices.Index(facts.Products, p))
		}
		if !slices.Equal(got, test.want) || len(deviations) != 0 {
			t.Errorf("%s: products %v, want %v; deviations %v", name, got, test.want, deviations)
		}
	}
}

func TestProducts_LeavesOutGivenProductsThatRepeat(t *testing.T) {
	pension := func(number, name string) product.Product {
		return &product.Pension{Head: product.Head{Type: product.PrivatePension}, ProductNumber: number, ProductName: name}
	}
	other := &product.Pension{Head: product.Head{Type: product.IPSPension}, ProductNumber: "1", ProductName: "a"}
	facts := fact.Facts{Products: []product.Product{pension("1", "a"), pension("2", "a"), pension("1", "a"), pension("1", "b"), pension("1", "b"),
		pension("", "a"), pension("", "a"), other}}
	products, deviations := normalise.Products(normalise.Request{NewID: func() string { return "id" }}, facts)
	if len(products) != 6 || deviations[deviation.RepeatedProduct] != 2 || deviations.Incomplete() {
		t.Errorf("%d products, %v", len(products), deviations)
	}
}

// What a source says of another person is not written beside the number of this one.
func TestProducts_LeavesOutWhatIsSaidOfAnotherPerson(t *testing.T) {
	for said, kept := range map[string]bool{"": true, "198412099296": true, "8412099296": true, "19841209-9296": true,
		"199006022397": false, "9006022397": false} {
		of := product.PersonalInformation{PersonalNumber: said, Name: "Anna Berg"}
		facts := fact.Facts{Products: []product.Product{&product.Pension{PersonalInformation: &of}}}
		products, deviations := normalise.Products(normalise.Request{PersonalNumber: "198412099296", NewID: func() string { return "id" }}, facts)
		got := *product.Person(products[0])
		if got.PersonalNumber != "198412099296" || (got.Name != "") != kept || deviations.Incomplete() == kept {
			t.Errorf("with the number of length %d, kept %v: name %q, %v", len(said), kept, got.Name, deviations)
		}
	}
}
