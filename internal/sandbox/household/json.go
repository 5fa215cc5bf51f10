package household

import (
	"encoding/json"
	"strconv"
)

// The JSON objects that several types of products share (docs/reference/products.md 3, 5
// and 9). A member that is nil or empty is left out.

type amountJSON struct {
	Amount   json.Number `json:"amount"`
	Currency string      `json:"currency"`
}

// json returns the amount in SEK with at most two decimals.
func (o ore) json() *amountJSON { return &amountJSON{decimal(int64(o), 2), "SEK"} }

// json returns a price in SEK with at most four decimals.
func (s scaled) json() *amountJSON { return &amountJSON{s.decimal(), "SEK"} }

func (s scaled) decimal() json.Number { return decimal(int64(s), 4) }

// decimal returns n / 10^places without zeros at the end.
func decimal(n int64, places int) json.Number {
	sign := ""
	if n < 0 {
		sign, n = "-", -n
	}
	text := strconv.FormatInt(n, 10)
	for len(text) <= places {
		text = "0" + text
	}
	point := len(text) - places
	whole, fraction := text[:point], text[point:]
	for fraction != "" && fraction[len(fraction)-1] == '0' {
		fraction = fraction[:len(fraction)-1]
	}
	if fraction != "" {
		whole += "." + fraction
	}
	return json.Number(sign + whole)
}

// perMillion returns a ratio of parts per million.
func perMillion(rate int64) json.Number { return decimal(rate, 6) }

// ratioOf returns a ratio of basis points.
func ratioOf(rate int64) json.Number { return decimal(rate, 4) }

// dateJSON returns YYYY-MM-DD.
func dateJSON(d Day) string { return d.Time().Format("2006-01-02") }

func yes() *bool { b := true; return &b }

func no() *bool { b := false; return &b }

func boolJSON(b bool) *bool { return &b }

type personalInformationJSON struct {
	PersonalNumber string `json:"personalNumber,omitzero"`
	FirstName      string `json:"firstName,omitzero"`
	LastName       string `json:"lastName,omitzero"`
	Name           string `json:"name,omitzero"`
	Email          string `json:"email,omitzero"`
	PhoneNumber    string `json:"phoneNumber,omitzero"`
	StreetAddress  string `json:"streetAddress,omitzero"`
	PostalCode     string `json:"postalCode,omitzero"`
	City           string `json:"city,omitzero"`
	Country        string `json:"country,omitzero"`
}

type holderJSON struct {
	Name string `json:"name"`
}

type financialInformationJSON struct {
	CurrentValue          *amountJSON `json:"currentValue,omitzero"`
	PerformanceSinceStart json.Number `json:"performanceSinceStart,omitzero"`
	TotalDeposits         *amountJSON `json:"totalDeposits,omitzero"`
}

// performance returns what a value has gained on deposits, as a ratio with four decimals,
// or nothing without deposits.
func performance(value, withdrawals, deposits ore) json.Number {
	if deposits == 0 {
		return ""
	}
	gain, paid := int64(value+withdrawals-deposits), int64(deposits)
	return decimal(floorDiv(2*gain*10_000+paid, 2*paid), 4)
}

type holdingJSON struct {
	Type                 string      `json:"type"`
	Name                 string      `json:"name"`
	ISIN                 string      `json:"isin,omitzero"`
	MarketIdentifierCode string      `json:"marketIdentifierCode,omitzero"`
	Quantity             json.Number `json:"quantity"`
	Value                *amountJSON `json:"value"`
	AcquisitionValue     *amountJSON `json:"acquisitionValue,omitzero"`
	FeeVariable          json.Number `json:"feeVariable,omitzero"`
	FundAccountNumber    string      `json:"fundAccountNumber,omitzero"`
}

// holding returns units of an instrument on a day, without the acquisition value.
func holding(n number, units scaled, on Day, thin bool) holdingJSON {
	in := n.instrument()
	h := holdingJSON{
		Type: string(n.kind()), Name: in.name, ISIN: in.isin,
		Quantity: units.decimal(), Value: valueOf(units, price(n, on)).json(),
	}
	if n.isWhole() {
		h.MarketIdentifierCode = "XSTO"
	}
	if n.kind() != equity && !thin {
		h.FeeVariable = perMillion(in.fee)
	}
	return h
}

type movabilityJSON struct {
	Result string `json:"result"`
}

type feesJSON struct {
	Personalized *feeJSON `json:"personalized,omitzero"`
	Generic      *feeJSON `json:"generic,omitzero"`
}

type feeJSON struct {
	Fixed        *amountJSON `json:"fixed,omitzero"`
	Variable     json.Number `json:"variable,omitzero"`
	PreviousYear *amountJSON `json:"previousYear,omitzero"`
}
