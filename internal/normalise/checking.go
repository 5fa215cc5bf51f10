package normalise

import "samla/internal/product"

// checking returns the product of a payment account, and of any account of an unknown
// type.
func (a account) checking() *product.Psd2Account { return a.psd2(product.Psd2CheckingAccount) }
