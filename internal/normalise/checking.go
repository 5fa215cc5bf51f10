package normalise

import "samla/internal/product"

// checking is an account for payments, and any account of a type that is not
// known.
func (a account) checking() *product.Psd2Account { return a.psd2(product.Psd2CheckingAccount) }
