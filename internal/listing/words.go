package listing

import (
	"slices"
	"strings"
	"unicode"
)

// vocabulary are words in the Swedish and English names of banks' products. Each list
// is a list of parts of words: "-x" is a word that ends with x, "x-" one that begins
// with it, "-x-" one that contains it, and "x" the word itself.
type vocabulary []string

func (v vocabulary) in(word string) bool {
	return slices.ContainsFunc(v, func(pattern string) bool {
		stem := strings.Trim(pattern, "-")
		before, after := strings.HasPrefix(pattern, "-"), strings.HasSuffix(pattern, "-")
		switch {
		case before && after:
			return strings.Contains(word, stem)
		case before:
			return strings.HasSuffix(word, stem)
		case after:
			return strings.HasPrefix(word, stem)
		}
		return word == stem
	})
}

// misleading are words that contain words of the lists below and mean something else:
// the names of savings banks, a wallet ("plånbok" has the word for a loan in it).
var misleading = vocabulary{"sparbank-", "sparkass-", "sparebank-", "plån-"}

// meanings are the types that words name. The first list with a word of the name
// decides.
var meanings = []struct {
	words vocabulary
	means Type
}{
	// The account behind a debit card is a payment account.
	{vocabulary{"bankkort-", "debit-", "-debit", "debetkort-", "maestro", "electron"}, Checking},
	{vocabulary{"-kreditkort-", "creditcard-", "kontokort-", "eurocard-", "chargecard-"}, Card},
	{vocabulary{
		"-lönekonto-", "lön", "-privatkonto-", "-personkonto-", "-transaktionskonto-", "servicekonto-", "checkkonto-", "checkräkning-", "-ungdomskonto-",
		"studentkonto-", "allkonto-", "allkortskonto-", "allkort", "vardagskonto-", "vardagen", "betalkonto-", "betalningskonto-", "baskonto-", "brukskonto-",
		"girokonto-", "-plusgirokonto-", "plusgiro-", "kortkonto-", "hushållskonto-", "matkonto-", "valutakonto-", "företagskonto-", "rörelsekonto-", "kontokredit-",
		"current", "checking", "everyday", "salary", "payment", "transaction", "giro"}, Checking},
	{vocabulary{"lån", "lånet", "lånekonto-", "bolån-", "-lån", "-lånet", "loan", "loans", "mortgage-", "hypotek-", "kreditlån-"}, Loan},
	{vocabulary{
		"spar", "sparat", "-spar", "-sparkonto-", "-sparande-", "-sparräntekonto-", "sparkapital-", "sparbuffert-", "sparmål-", "sparpengar", "sparbox-", "sparplan-",
		"-sparekonto-", "opsparing-", "säästö-", "saving-", "-savings", "saver", "buffert-", "placeringskonto-", "placering-", "kapitalkonto-", "e-kapitalkonto",
		"-räntekonto-", "fasträntekonto-", "framtidskonto-", "fondkonto-", "investeringskonto-", "isk", "kapitalförsäkring-", "depå", "-depå", "depåkonto-",
		"deposit", "deposits", "investment-", "pensionskonto-", "bonuskonto-", "tillväxtkonto-"}, Savings},
	{vocabulary{"mastercard-", "visa", "visakort-", "amex", "americanexpress", "diners", "-kort", "-kortet", "card", "-card", "cards"}, Card},
}

// inWords returns the type that the words of a name say, or unsaid.
func inWords(name string) Type {
	words := wordsOf(name)
	for _, m := range meanings {
		for _, word := range words {
			if m.words.in(word) && !misleading.in(word) {
				return m.means
			}
		}
	}
	return unsaid
}

// wordsOf returns the words of a name in lower case. A capital within a word begins a
// new one ("CreditCard"); words that only together have a meaning are joined too.
func wordsOf(name string) []string {
	var words []string
	var word []rune
	end := func() {
		if len(word) > 0 {
			words = append(words, strings.ToLower(string(word)))
			word = nil
		}
	}
	var before rune
	for _, r := range name {
		switch {
		case !unicode.IsLetter(r):
			end()
		case unicode.IsUpper(r) && unicode.IsLower(before):
			end()
			fallthrough
		default:
			word = append(word, r)
		}
		before = r
	}
	end()
	for i := 1; i < len(words); i++ {
		if pair := words[i-1] + words[i]; joined.in(pair) {
			words = append(words, pair)
		}
	}
	return words
}

// joined are words that are also written apart.
var joined = vocabulary{"creditcard", "kreditkort", "chargecard", "debitcard", "betalkort", "bankkort", "sparkonto", "savingsaccount", "americanexpress", "mastercard"}
