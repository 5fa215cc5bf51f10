package export

import (
	"samla/internal/money"
	"samla/internal/product"
)

// value is what all products have in common: a name, a number, and what they are worth.
type value struct {
	accountID, name, number, iban, bic string
	value, available                   *money.Amount // nil: unknown
	debt                               bool          // value is a debt
}

func (v value) currency() string {
	for _, a := range []*money.Amount{v.value, v.available} {
		if a != nil {
			return a.Currency()
		}
	}
	return ""
}

// valueOf returns what is known of a product. A type that is not known has nothing.
func valueOf(p product.Product) value {
	switch p := p.(type) {
	case *product.Psd2Account:
		s := newStatement(p)
		return value{accountID: p.AccountID, name: p.AccountName, number: p.AccountNumber, iban: p.IBAN, bic: p.BIC,
			value: s.balance(p.BookedBalance), available: s.balance(p.AvailableBalance)}
	case *product.SavingsAccount:
		return value{name: p.AccountName, number: p.AccountNumber, iban: p.IBAN, bic: p.BIC, value: p.CurrentValue}
	case *product.Investment:
		return value{name: p.ProductName, number: p.ProductNumber, value: worth(p.FinancialInformation)}
	case *product.Pension:
		return value{name: p.ProductName, number: p.ProductNumber, value: worth(p.FinancialInformation)}
	case *product.Loan:
		v := value{name: p.FinancedObject, number: p.LoanID, debt: true}
		if p.LoanDetails != nil {
			v.value = p.LoanDetails.Balance
		}
		return v
	default:
		return value{}
	}
}

func worth(f *product.FinancialInformation) *money.Amount {
	if f == nil {
		return nil
	}
	return f.CurrentValue
}
