package words

import (
	"slices"
	"strconv"
	"strings"
)

// Language is the tag of a language (BCP 47) in which there are texts.
type Language string

// The languages.
const (
	Swedish   Language = "sv"
	English   Language = "en"
	Norwegian Language = "nb"
	Danish    Language = "da"
	Finnish   Language = "fi"
)

// Languages are all languages, in the order of menus.
var Languages = []Language{Swedish, English, Norwegian, Danish, Finnish}

// Edited are the languages whose texts have been edited by people who speak them. The
// others are offered to nobody who does not choose them, until an operator says so.
var Edited = []Language{Swedish, English}

// Name returns what a language calls itself.
func (l Language) Name() string {
	switch l {
	case Swedish:
		return "Svenska"
	case Norwegian:
		return "Norsk"
	case Danish:
		return "Dansk"
	case Finnish:
		return "Suomi"
	case English:
	}
	return "English"
}

// Find returns the language of a tag such as "sv-SE", and whether there is one. "no" and
// "nn" are read as nb.
func Find(tag string) (Language, bool) {
	first, _, _ := strings.Cut(strings.TrimSpace(tag), "-")
	first, _, _ = strings.Cut(first, "_")
	l := Language(strings.ToLower(first))
	if l == "no" || l == "nn" {
		l = Norwegian
	}
	return l, slices.Contains(Languages, l)
}

// Offer is the languages that are offered to people.
type Offer []Language

// Accepted returns the language of the offer that an Accept-Language (RFC 9110, 12.5.4)
// prefers, and whether it names one.
func (o Offer) Accepted(header string) (Language, bool) {
	var best Language
	weight := 0.0
	for part := range strings.SplitSeq(header, ",") {
		tag, parameters, _ := strings.Cut(part, ";")
		q := 1.0
		if text, ok := strings.CutPrefix(strings.ReplaceAll(parameters, " ", ""), "q="); ok {
			parsed, err := strconv.ParseFloat(text, 64)
			if err != nil || !(parsed >= 0 && parsed <= 1) {
				continue
			}
			q = parsed
		}
		if l, ok := Find(tag); ok && q > weight && slices.Contains(o, l) {
			best, weight = l, q
		}
	}
	return best, weight > 0
}

// Pick returns the language for a person: the first of the explicit choices (a query, a
// cookie, what a client asked for) that is a language, even one that is not offered; else
// what the browser prefers of the offer; else English.
func (o Offer) Pick(header string, choices ...string) Language {
	for _, choice := range choices {
		if l, ok := Find(choice); ok {
			return l
		}
	}
	if l, ok := o.Accepted(header); ok {
		return l
	}
	return English
}
