package listing

import (
	"samla/internal/fact"
	"samla/internal/money"
)

// homeCurrencies are the currencies of countries by the first letters of an IBAN.
var homeCurrencies = map[string]string{
	"SE": "SEK", "NO": "NOK", "DK": "DKK", "IS": "ISK", "GB": "GBP", "CH": "CHF", "LI": "CHF", "PL": "PLN", "CZ": "CZK",
	"HU": "HUF", "RO": "RON",
	"FI": "EUR", "EE": "EUR", "LV": "EUR", "LT": "EUR", "DE": "EUR", "FR": "EUR", "NL": "EUR", "BE": "EUR", "LU": "EUR",
	"AT": "EUR", "IE": "EUR", "IT": "EUR", "ES": "EUR", "PT": "EUR", "GR": "EUR", "MT": "EUR", "CY": "EUR", "SI": "EUR",
	"SK": "EUR", "HR": "EUR",
}

// homeCurrency returns the currency of an account for which none is told: that of the
// country of its IBAN, or else of the market. It is "" if neither is known.
func homeCurrency(entries []fact.Account, market string) string {
	for _, e := range entries {
		if iban := compact(e.IBAN); len(iban) >= 2 {
			return homeCurrencies[iban[:2]]
		}
	}
	switch market {
	case "se":
		return "SEK"
	case "no":
		return "NOK"
	case "dk":
		return "DKK"
	}
	return ""
}

// Currency returns the currency of what has a key: fact.SeveralCurrencies if the
// entries of the key say so or differ, and "" if they say nothing.
func (a *Account) Currency(key string) string {
	own := ""
	for _, e := range a.Entries {
		switch {
		case e.Key != key || !money.IsCurrency(e.Currency) || e.Currency == own:
		case own != "":
			return fact.SeveralCurrencies
		default:
			own = e.Currency
		}
	}
	return own
}
