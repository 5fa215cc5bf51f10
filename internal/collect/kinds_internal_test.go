package collect

import (
	"testing"

	"samla/internal/product"
)

func TestKindsOf_CountsEachKind(t *testing.T) {
	account := func(of product.Type, transactions int) product.Product {
		return &product.Psd2Account{Head: product.Head{Type: of}, Transactions: make([]product.Psd2Transaction, transactions)}
	}
	got := kindsOf([]product.Product{account(product.Psd2CheckingAccount, 2), account(product.Psd2CreditCard, 3), account(product.Psd2SavingsAccount, 0), &product.SavingsAccount{},
		&product.Investment{}, &product.Pension{}, &product.Loan{}, &product.Loan{}, &product.PublicPension{}, &product.Other{}})
	if want := (Kinds{Accounts: 3, Cards: 1, Transactions: 5, Holdings: 1, Pensions: 1, Loans: 2, Other: 1}); got != want {
		t.Errorf("%+v", got)
	}
}
