package account

import (
	"fmt"
	"strings"

	"samla/internal/sandbox/persona"
)

// numbers returns the IBAN and the national number. Those of Sweden in the first currency
// are the persona's; all others are made up.
func numbers(where string, p persona.Account, currency string, seed []byte) (iban, bban string) {
	switch where {
	case "NO":
		bban = norwegian(decimals(seed, 10))
		return withCheck("NO", bban), bban
	case "DK":
		bban = "2000" + decimals(seed, 10)
		return withCheck("DK", bban), bban
	case "FI":
		return withCheck("FI", "1"+decimals(seed, 13)), ""
	}
	if p.IBAN == "" && p.BBAN == "" || currency != "SEK" {
		bban = "3" + decimals(seed, 10)
		return withCheck("SE", "300"+strings.Repeat("0", 6)+bban), bban
	}
	return p.IBAN, p.BBAN[len(p.BBAN)-11:]
}

// decimals returns n digits made of a seed, of which the first is not zero.
func decimals(seed []byte, n int) string {
	out := make([]byte, n)
	for i := range out {
		out[i] = '0' + seed[i]%10
	}
	out[0] = '1' + seed[0]%9
	return string(out)
}

// norwegian returns ten digits with their check digit (mod 11). Numbers whose check would be
// 10 do not exist: the last digit is changed.
func norwegian(ten string) string {
	for last := byte('0'); ; last++ {
		ten := ten[:9] + string('0'+(ten[9]-'0'+last-'0')%10)
		sum := 0
		for i, w := range []int{5, 4, 3, 2, 7, 6, 5, 4, 3, 2} {
			sum += w * int(ten[i]-'0')
		}
		if check := (11 - sum%11) % 11; check < 10 {
			return ten + string(rune('0'+check))
		}
	}
}

// withCheck returns the IBAN of a national number (ISO 13616, mod 97-10).
func withCheck(where, bban string) string {
	rest := 0
	for _, r := range bban + fmt.Sprintf("%d%d00", where[0]-'A'+10, where[1]-'A'+10) {
		rest = (rest*10 + int(r-'0')) % 97
	}
	return fmt.Sprintf("%s%02d%s", where, 98-rest, bban)
}
