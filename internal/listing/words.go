package listing

import (
	"strings"
	"unicode"
)

// vocabulary are words in the Swedish and English names of banks' products. Each
// pattern is a part of a word: "-x" is a word that ends with x, "x-" one that begins
// with it, "-x-" one that contains it, and "x" the word itself.
type vocabulary struct {
	words              map[string]bool
	ends, begins, part []string
}

func vocabularyOf(patterns ...string) vocabulary {
	v := vocabulary{words: map[string]bool{}}
	for _, p := range patterns {
		stem := strings.Trim(p, "-")
		switch before, after := strings.HasPrefix(p, "-"), strings.HasSuffix(p, "-"); {
		case before && after:
			v.part = append(v.part, stem)
		case before:
			v.ends = append(v.ends, stem)
		case after:
			v.begins = append(v.begins, stem)
		default:
			v.words[stem] = true
		}
	}
	return v
}

func (v *vocabulary) in(word string) bool {
	if v.words[word] {
		return true
	}
	for _, stem := range v.begins {
		if strings.HasPrefix(word, stem) {
			return true
		}
	}
	for _, stem := range v.ends {
		if strings.HasSuffix(word, stem) {
			return true
		}
	}
	for _, stem := range v.part {
		if strings.Contains(word, stem) {
			return true
		}
	}
	return false
}

// meanings are the types that words name. The first list with a word of the name
// decides. No pattern fits the names of savings banks ("Sparbanken"), or a wallet
// ("plånbok" has the word for a loan in it).
var meanings = []struct {
	words vocabulary
	means Type
}{
	// The account behind a debit card is a payment account.
	{vocabularyOf("bankkort-", "debit-", "-debit", "debetkort-", "maestro", "electron"), Checking},
	{vocabularyOf("-kreditkort-", "creditcard-", "kontokort-", "eurocard-", "chargecard-"), Card},
	{vocabularyOf(
		"-lönekonto-", "lön", "-privatkonto-", "-personkonto-", "-transaktionskonto-", "servicekonto-", "checkkonto-", "checkräkning-", "-ungdomskonto-",
		"studentkonto-", "allkonto-", "allkortskonto-", "allkort", "vardagskonto-", "vardagen", "betalkonto-", "betalningskonto-", "baskonto-", "brukskonto-",
		"girokonto-", "-plusgirokonto-", "plusgiro-", "kortkonto-", "hushållskonto-", "matkonto-", "valutakonto-", "företagskonto-", "rörelsekonto-", "kontokredit-",
		"current", "checking", "everyday", "salary", "payment", "transaction", "giro"), Checking},
	{vocabularyOf("lån", "lånet", "lånekonto-", "bolån-", "-lån", "-lånet", "loan", "loans", "mortgage-", "hypotek-", "kreditlån-"), Loan},
	{vocabularyOf(
		"spar", "sparat", "-spar", "-sparkonto-", "-sparande-", "-sparräntekonto-", "sparkapital-", "sparbuffert-", "sparmål-", "sparpengar", "sparbox-", "sparplan-",
		"-sparekonto-", "opsparing-", "säästö-", "saving-", "-savings", "saver", "buffert-", "placeringskonto-", "placering-", "kapitalkonto-", "e-kapitalkonto",
		"-räntekonto-", "fasträntekonto-", "framtidskonto-", "fondkonto-", "investeringskonto-", "isk", "kapitalförsäkring-", "depå", "-depå", "depåkonto-",
		"deposit", "deposits", "investment-", "pensionskonto-", "bonuskonto-", "tillväxtkonto-"), Savings},
	{vocabularyOf("mastercard-", "visa", "visakort-", "amex", "americanexpress", "diners", "-kort", "-kortet", "card", "-card", "cards", "credit"), Card},
}

// inWords returns the type that the words of a name say, or unsaid.
func inWords(name string) Type {
	words := wordsOf(name)
	for i := range meanings {
		m := &meanings[i]
		for _, word := range words {
			if m.words.in(word) {
				return m.means
			}
		}
	}
	return unsaid
}

// composed replaces letters that are written as a letter and a mark.
var composed = strings.NewReplacer("a\u030a", "å", "a\u0308", "ä", "o\u0308", "ö", "A\u030a", "Å", "A\u0308", "Ä", "O\u0308", "Ö")

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
	for _, r := range composed.Replace(name) {
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
var joined = vocabularyOf("creditcard", "kreditkort", "chargecard", "debitcard", "betalkort", "bankkort", "sparkonto", "savingsaccount", "americanexpress", "mastercard",
	"homeloan", "housingloan", "personalloan", "consumerloan", "utansäkerhet", "medsäkerhet")

// Stem returns the longest word for a kind of account that is within a word, such as
// "sparkonto" in "Sparkontot", and where it begins in the word in lower case.
func Stem(word string) (stem string, at int) {
	lower := strings.ToLower(word)
	for _, m := range append(meanings[:len(meanings):len(meanings)], loanWords...) {
		for _, known := range m.words.stems() {
			j := strings.Index(lower, known)
			if j >= 0 && len(known) > len(stem) && (len(known) >= stemLength || known == lower) {
				stem, at = known, j
			}
		}
	}
	return stem, at
}

// stemLength is the length of a word that is looked for within others.
const stemLength = 4

// stems returns the words without what they may begin and end with.
func (v *vocabulary) stems() []string {
	all := append(append(append([]string(nil), v.ends...), v.begins...), v.part...)
	for word := range v.words {
		all = append(all, word)
	}
	return all
}
