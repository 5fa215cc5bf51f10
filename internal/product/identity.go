package product

// Identity has the numbers that identify a product over time
// (docs/reference/products.md 1). A product has an IBAN, a number, both or neither.
type Identity struct {
	IBAN   string
	Number string // productNumber, accountNumber or loanId
}

// IdentityOf returns the identity of a product, as far as it is known.
func IdentityOf(p Product) Identity {
	switch p := p.(type) {
	case *Investment:
		return Identity{Number: p.ProductNumber}
	case *Loan:
		return Identity{Number: p.LoanID}
	case *Pension:
		return Identity{Number: p.ProductNumber}
	case *Psd2Account:
		return Identity{IBAN: p.IBAN, Number: p.AccountNumber}
	case *SavingsAccount:
		return Identity{IBAN: p.IBAN, Number: p.AccountNumber}
	}
	return Identity{}
}
