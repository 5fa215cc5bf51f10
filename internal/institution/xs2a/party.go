package xs2a

import (
	"encoding/json"
	"strings"
)

// party is the creditor or the debtor of a transaction: an object with a name, or the
// name itself.
type party struct {
	Name    words         `json:"name"`
	Account accountNumber `json:"account"`
}

// UnmarshalJSON implements json.Unmarshaler. It never fails.
func (p *party) UnmarshalJSON(data []byte) error {
	*p = party{}
	if data[0] != '{' {
		return p.Name.UnmarshalJSON(data)
	}
	type plain party
	_ = json.Unmarshal(data, (*plain)(p)) // ignores members of another type
	return nil
}

// accountNumber is the number in a reference to an account: an object with one of
// several kinds of number, or the number itself. It has no spaces.
type accountNumber string

// UnmarshalJSON implements json.Unmarshaler. It never fails.
func (n *accountNumber) UnmarshalJSON(data []byte) error {
	*n = ""
	if data[0] != '{' {
		var t text
		_ = t.UnmarshalJSON(data)
		*n = accountNumber(withoutSpaces(t))
		return nil
	}
	var object struct {
		IBAN      text          `json:"iban"`
		BBAN      text          `json:"bban"`
		PAN       text          `json:"pan"`
		MaskedPAN text          `json:"maskedPan"`
		MSISDN    text          `json:"msisdn"`
		Other     accountNumber `json:"other"`
		ID        text          `json:"identification"`
	}
	_ = json.Unmarshal(data, &object) // ignores members of another type
	for _, t := range []text{object.IBAN, object.BBAN, object.MaskedPAN, object.PAN, object.ID, text(object.Other), object.MSISDN} {
		if s := withoutSpaces(t); s != "" {
			*n = accountNumber(strings.ToUpper(s))
			break
		}
	}
	return nil
}
