package xs2a

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"samla/internal/jsontext"
	"samla/internal/psu"
	"samla/internal/strictjson"
)

// personMembers are what a header by person can contain. A member that is not known
// leaves the header out.
var personMembers = map[string]func(psu.Context) string{
	"{personalNumber}": func(p psu.Context) string { return p.PersonalNumber.Digits() },
	"{ipAddress}":      func(p psu.Context) string { return p.IPAddress },
	"{userAgent}":      func(p psu.Context) string { return p.UserAgent },
	"{locale}":         func(p psu.Context) string { return p.Locale },
}

// wantsNumber reports whether a header contains the personal number.
func wantsNumber(templates map[string]string) bool {
	for _, value := range templates {
		if strings.Contains(value, "{personalNumber}") {
			return true
		}
	}
	return false
}

// setPersonHeaders sets the headers of the configuration that depend on the person.
func setPersonHeaders(h http.Header, templates map[string]string, p psu.Context) {
	for name, value := range templates {
		known := true
		for member, of := range personMembers {
			if strings.Contains(value, member) {
				said := of(p)
				known = known && said != ""
				value = strings.ReplaceAll(value, member, said)
			}
		}
		if known {
			setHeader(h, name, value)
		}
	}
}

func checkPersonHeaders(templates map[string]string) (faults strictjson.Faults) {
	for _, name := range slices.Sorted(maps.Keys(templates)) {
		at := "/" + jsontext.EscapeToken(name)
		value := templates[name]
		if !headerRE.MatchString(name) || strings.ContainsFunc(value, isControl) {
			faults.Add(at, "must be a header's name and a value without control characters")
		}
		rest := value
		for member := range personMembers {
			rest = strings.ReplaceAll(rest, member, "")
		}
		if rest == value || strings.ContainsAny(rest, "{}") {
			faults.Add(at, fmt.Sprintf("must contain one of %q and no other braces; a header that is the same for everybody belongs in headers",
				slices.Sorted(maps.Keys(personMembers))))
		}
	}
	return faults
}
