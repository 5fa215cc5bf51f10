package look

import (
	"fmt"
	"html/template"
	"strconv"
	"time"

	"samla/internal/words"
)

// funcs are the functions of templates in a language.
func (k *Kit) funcs(l words.Language) template.FuncMap {
	texts := words.In(l)
	in := func(at time.Time) time.Time { return at.In(k.options.Zone) }
	funcs := template.FuncMap{
		"t": func(key string, pairs ...any) (string, error) {
			if !texts.Has(words.Key(key)) {
				return "", fmt.Errorf("look: there is no text %q", key)
			}
			v, err := valuesOf(pairs)
			return texts.Say(words.Key(key), v), err
		},
		"tn": func(key string, n int, pairs ...any) (string, error) {
			if !texts.Has(words.Key(key + ".other")) {
				return "", fmt.Errorf("look: there is no text %q", key+".other")
			}
			v, err := valuesOf(pairs)
			return texts.Count(words.Key(key), n, v), err
		},
		"lang":     func() words.Language { return l },
		"date":     func(at time.Time) string { return texts.Date(in(at)) },
		"daymonth": func(at time.Time) string { return texts.DayMonth(in(at)) },
		"clock":    func(at time.Time) string { return texts.Clock(in(at)) },
		"machine":  func(at time.Time) string { return at.UTC().Format(time.RFC3339) },
		"number":   texts.Number,
		"icon":     icon,
		"mark":     mark,
		"tile":     tile,
		"dict":     dict,
		"list":     func(items ...any) []any { return items },
		"address":  Assets.Address,
		"query":    withQuery,
		"pad2":     func(n int) string { return fmt.Sprintf("%02d", n) },
	}
	for name, f := range k.options.Funcs {
		funcs[name] = f
	}
	return funcs
}

// valuesOf returns the values of pairs of a placeholder's name and a text or number.
func valuesOf(pairs []any) (v words.Values, err error) {
	if len(pairs)%2 != 0 {
		return v, fmt.Errorf("look: %d names and values of placeholders", len(pairs))
	}
	for i := 0; i < len(pairs); i += 2 {
		name, _ := pairs[i].(string)
		var value string
		switch given := pairs[i+1].(type) {
		case string:
			value = given
		case int:
			value = strconv.Itoa(given)
		default:
			value = fmt.Sprint(given)
		}
		if !v.Set(name, value) {
			return v, fmt.Errorf("look: there is no placeholder %q for %q", name, value)
		}
	}
	return v, nil
}

// dict makes a map of pairs of a name and a value.
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("look: %d names and values", len(pairs))
	}
	m := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("look: %v is no name", pairs[i])
		}
		m[name] = pairs[i+1]
	}
	return m, nil
}
