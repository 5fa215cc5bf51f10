package main

// institution is what this program offers.
var institution = object{"id": "se-example", "displayName": "Example Pension", "market": "se",
	"loginMethods": []string{"SWEDISH_MOBILE_BANKID_OTHER_DEVICE", "SWEDISH_MOBILE_BANKID_SAME_DEVICE"},
	"parameters":   []string{"personalNumber"}, "products": []string{"OCCUPATIONAL_PENSION"}}

// pension is a product (docs/reference/products.md 8). It has no id and no company: Samla
// writes them.
func pension(personalNumber string) object {
	return object{"type": "OCCUPATIONAL_PENSION", "productName": "Example Pension Plan", "productNumber": "12345678",
		"startDate": "2012-05-01", "classification": "ITP", "benefitType": "DEFINED_CONTRIBUTION", "activePayment": true, "activePayout": false,
		"financialInformation": object{"currentValue": object{"amount": 512000.25, "currency": "SEK"}},
		"fees":                 object{"generic": object{"variable": 0.0065}},
		"movability":           object{"result": "NOT_MOVABLE"},
		"personalInformation":  object{"personalNumber": personalNumber, "name": "Example Person"}}
}

// savings is an account as facts; Samla makes a product of it.
var savings = object{"id": "a1", "number": "90201234567", "name": "Savings", "holder": "Example Person", "currency": "SEK", "kind": "SAVINGS",
	"booked": object{"amount": "1500.50", "currency": "SEK"}, "available": object{"amount": "1500.50", "currency": "SEK"},
	"transactions": []object{{"id": "t1", "amount": "-250.00", "currency": "SEK", "bookingDate": "2026-03-02",
		"counterparty": "Example Shop", "description": "Purchase", "pending": false}}}
