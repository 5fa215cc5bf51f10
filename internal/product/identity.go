package product

import "reflect"

// Identity has the numbers that identify a product over time
// (docs/reference/products.md 1). A product has an IBAN, a number, both or neither.
type Identity struct {
	IBAN   string
	Number string // productNumber, accountNumber or loanId
}

// IdentityOf returns the identity of a product, as far as it is known: the members with the
// rule identity (shape.go).
func IdentityOf(p Product) (id Identity) {
	of := reflect.ValueOf(p).Elem()
	s := shapeOf(of.Type())
	for i := range s.members {
		switch m := &s.members[i]; {
		case !m.rules["identity"]:
		case m.name == "iban":
			id.IBAN = of.FieldByIndex(m.index).String()
		default:
			id.Number = of.FieldByIndex(m.index).String()
		}
	}
	return id
}
