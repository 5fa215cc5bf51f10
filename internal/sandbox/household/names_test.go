package household

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// words are the forms of all texts that may appear (docs/reference/households.md 3 and 6),
// by the name of the member.
var words = map[string]*regexp.Regexp{
	"id": regexp.MustCompile(`^id$`), "company": regexp.MustCompile(`^company$`), "companyDisplayName": regexp.MustCompile(`^name$`),
	"productName":   regexp.MustCompile(`^(Norrglim|Ripvinge|Älvglimt|Granskugga|Tjärblom|Asplöva|Myrullen) \S.*$`),
	"accountName":   regexp.MustCompile(`^Nejonskär Bank (Sparkonto|Fasträntekonto)$`),
	"productNumber": regexp.MustCompile(`^(\d{8}|9990\d{7})$`), "accountNumber": regexp.MustCompile(`^9990\d{7}$`),
	"cashAccountNumber": regexp.MustCompile(`^(\d{8}|9990\d{7})$`), "loanId": regexp.MustCompile(`^0000\d{8}$`),
	"fundAccountNumber": regexp.MustCompile(`^\d{8}$`),
	"iban":              regexp.MustCompile(`^SE\d\d999\d{17}$`), "bic": regexp.MustCompile(`^NEJOSES0$`),
	"isin": regexp.MustCompile(`^XX00[123]0\d{6}$`), "marketIdentifierCode": regexp.MustCompile(`^XSTO$`),
	"financedObject": regexp.MustCompile(`^(BRF TROLLKOTTEN ([1-9]|[1-8]\d|9[0-8])|KOTTMARKEN TROLLKOTTEN [2-9]:([1-9]|[1-8]\d|9[0-8]))$`),
	"description":    regexp.MustCompile(`^(Insättning|Uttag|Ränta|Ränta på likvida medel|Försäkringsavgift|Avkastningsskatt|Preliminärskatt|(Utdelning|Inlösen) .+)$`),
	"email":          regexp.MustCompile(`^[a-z]+@example\.com$`), "phoneNumber": regexp.MustCompile(`^070-17406(0[5-9]|[1-9]\d)$`),
	"streetAddress": regexp.MustCompile(`^Trollkottsstigen [1-9]\d?$`), "postalCode": regexp.MustCompile(`^999 99$`),
	"city": regexp.MustCompile(`^Kottmarken$`), "country": regexp.MustCompile(`^SE$`),
	"currency": regexp.MustCompile(`^SEK$`), "personalNumber": regexp.MustCompile(`^\d{12}$`),
}

var (
	constant = regexp.MustCompile(`^[A-Z0-9_-]+$`)
	day      = regexp.MustCompile(`^\d{4}-\d\d-\d\d$`)
)

func isName(s string) bool {
	first, last, ok := strings.Cut(s, " ")
	return ok && (slices.Contains(womensNames, first) || slices.Contains(mensNames, first)) && slices.Contains(surnames, last)
}

func isInstrument(s string) bool {
	return s == "Onoterat innehav" || slices.ContainsFunc(instruments[:], func(in instrument) bool { return in.name == s })
}

func checkWord(member, s, number string) error {
	pattern, ok := words[member]
	switch {
	case member == "name" && (isName(s) || isInstrument(s)), member == "accountHolderName" && isName(s):
	case member == "firstName" && (slices.Contains(womensNames, s) || slices.Contains(mensNames, s)):
	case member == "lastName" && slices.Contains(surnames, s):
	case ok && pattern.MatchString(s):
	case !ok && (constant.MatchString(s) || day.MatchString(s)):
	default:
		return fmt.Errorf("%s: %q", member, s)
	}
	if strings.Contains(s, number) != (member == "personalNumber") {
		return fmt.Errorf("the personal number in %s", member)
	}
	return nil
}

// walk calls f for each text and each number below a value.
func walk(member string, v any, f func(member string, v any) error) error {
	switch v := v.(type) {
	case map[string]any:
		for name, below := range v {
			if err := walk(name, below, f); err != nil {
				return err
			}
		}
	case []any:
		for _, below := range v {
			if err := walk(member, below, f); err != nil {
				return err
			}
		}
	default:
		return f(member, v)
	}
	return nil
}

func TestHousehold_4and30_HasOnlyInventedNamesAndSmallNumbers(t *testing.T) {
	decimals := regexp.MustCompile(`^(0|[1-9]\d*)(\.\d{1,2})?$`)
	fraction := regexp.MustCompile(`^-?(0|[1-9]\d*)(\.\d{1,6})?$`)
	rapid.Check(t, func(t *rapid.T) {
		number, on := anyNumber().Draw(t, "number"), anyDay().Draw(t, "on")
		contents := rapid.SampledFrom([]Contents{Everything, TwoOccupationalPensions, TwoOfEach}).Draw(t, "contents")
		for _, i := range items(t, number, on, contents) {
			err := walk("", i.members, func(member string, v any) error {
				switch v := v.(type) {
				case string:
					return checkWord(member, v, number)
				case json.Number:
					if member == "amount" && !decimals.MatchString(string(v)) || !fraction.MatchString(string(v)) {
						if !isUnitPrice(i, v) {
							return fmt.Errorf("%s: %s", member, v)
						}
					}
				}
				return nil
			})
			if err != nil {
				t.Errorf("%v in %s", err, i)
			}
		}
	})
}

// isUnitPrice reports whether a number is the price of a unit, which has four decimals.
func isUnitPrice(i item, n json.Number) bool {
	for _, x := range i.list("transactions") {
		if x.at("instrumentInformation.priceInAccountCurrency.amount") == n {
			_, places, _ := strings.Cut(string(n), ".")
			return len(places) <= 4
		}
	}
	return false
}

// The IBAN is valid by ISO 13616 and belongs to no bank.
func TestIBAN_30_IsValid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		iban := draws(anyNumber().Draw(t, "number"))
		p := &person{draws: iban}
		text := p.iban("savings")
		rest := 0
		for _, c := range text[4:] + "2814" + text[2:4] {
			rest = (rest*10 + int(c-'0')) % 97
		}
		if rest != 1 || len(text) != 24 {
			t.Errorf("%s: rest %d", text, rest)
		}
	})
}
