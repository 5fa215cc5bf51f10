package collection

import "encoding/json"

// Report says how well a collection was read, for what is kept across collections: the
// lasting accounts and their transactions. It is about the person and only ever stored
// sealed.
type Report struct {
	// Listed: the lists of accounts were read wholly, under no filter. An account that was
	// seen through the same consent before and is not among the products is not listed any
	// more.
	Listed   bool            `json:"listed,omitempty"`
	Products []ProductReport `json:"products,omitempty"`
	// Closed are the accounts that the institution lists as closed. They are not read.
	Closed []Identifiers `json:"closed,omitempty"`
	// Again: the collection was read again from its stored answers. It adds no account and
	// says nothing about those that it does not have.
	Again bool `json:"again,omitempty"`
}

// ProductReport says how well the account of a product was read.
type ProductReport struct {
	ID          string      `json:"id"` // of the product
	Identifiers Identifiers `json:"identifiers,omitzero"`
	// From and Until are the first and the last booking date of the transactions that were
	// asked for, YYYY-MM-DD, whatever the institution has answered; empty: not known, as far
	// as the institution goes.
	From  string `json:"from,omitempty"`
	Until string `json:"until,omitempty"`
	// BookedOnly: the institution was asked for booked transactions only, at least in part of
	// that time, because it had refused to be asked for pending ones too.
	BookedOnly bool `json:"bookedOnly,omitempty"`
	// Transactions: the list of transactions was read wholly in that time, without a row
	// that could not be understood. False also if transactions were not read at all.
	Transactions bool `json:"transactions,omitempty"`
	Balances     bool `json:"balances,omitempty"` // the same of the balances
	// Was is the product as it was before the collection was read again, with those of its
	// transactions only that it has not any more.
	Was json.RawMessage `json:"was,omitempty"`
}

// Identifiers are what an institution's lists say that identifies an account, as it
// writes them, each once.
type Identifiers struct {
	IBANs     []string `json:"ibans,omitempty"`
	Numbers   []string `json:"numbers,omitempty"`   // of the bank or of another scheme
	Masked    []string `json:"masked,omitempty"`    // with hidden digits
	Resources []string `json:"resources,omitempty"` // the institution's ids; they may change with the consent
	Names     []string `json:"names,omitempty"`     // the institution's names, not the person's
	Currency  string   `json:"currency,omitempty"`  // of the part that the product is
}

// Of returns the report on a product, or the zero value.
func (r Report) Of(productID string) ProductReport {
	for _, p := range r.Products {
		if p.ID == productID {
			return p
		}
	}
	return ProductReport{}
}
