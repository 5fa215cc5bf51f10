package ident

import "strings"

// BIC is a business identifier code (ISO 9362), eight or eleven characters. It
// identifies a bank, not a person, so it may be printed.
type BIC string

// ParseBIC parses a BIC: [A-Z]{6}[A-Z2-9][A-NP-Z0-9]([A-Z0-9]{3})?, in either case
// and with white space around it (docs/reference/banks.md 14.3). Anything else is
// ErrForm.
func ParseBIC(s string) (BIC, error) {
	s = strings.ToUpper(strings.TrimSpace(s))
	if (len(s) != 8 && len(s) != 11) || !allUpper(s[:6]) {
		return "", ErrForm
	}
	for i := 6; i < len(s); i++ {
		if !isUpper(s[i]) && !isDigit(s[i]) {
			return "", ErrForm
		}
	}
	if s[6] == '0' || s[6] == '1' || s[7] == 'O' {
		return "", ErrForm
	}
	return BIC(s), nil
}

// SwedishBanksAsOf is the date of the tables of bank ids and clearing numbers. They
// come from third parties and are not confirmed by the banks
// (docs/reference/banks.md 14.2).
const SwedishBanksAsOf = "2026-11-22"

// swedishBICs maps bank ids to BICs. The bank id is the first three digits after
// the check digits of a Swedish IBAN.
var swedishBICs = map[string]BIC{
	"120": "DABASESX", "230": "AABASESS", "300": "NDEASESS", "500": "ESSESESS",
	"600": "HANDSESS", "800": "SWEDSESS", "902": "ELLFSESS", "910": "NNSESES1",
	"915": "SKIASESS", "917": "IKANSE21", "919": "DNBASESX", "923": "MARGSESS",
	"925": "SBAVSESS", "927": "IBCASES1", "928": "RESUSE21", "930": "SWEDSESS",
	"939": "LAHYSESS", "946": "BSNOSESS", "950": "NDEASESS", "955": "AVANSES1",
	"957": "SPSDSE23", "966": "SVEASES1", "970": "EKMLSE21", "975": "NOHLSESS",
	"978": "KLRNSESS",
}

// SwedishBIC returns the BIC of a Swedish bank id of three digits, as of
// SwedishBanksAsOf. It reports false for an id that is not in the table.
func SwedishBIC(bankID string) (BIC, bool) {
	bic, ok := swedishBICs[bankID]
	return bic, ok
}
