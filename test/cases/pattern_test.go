package cases

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"regexp"
	"slices"
	"strings"
)

// decode decodes JSON and keeps numbers as they are written.
func decode(data []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	err := d.Decode(&v)
	return v, err
}

// misfit returns where and why a value does not fit a pattern, or "" if it fits. path
// is the place of the pattern. A value that is absent is nil.
func misfit(path string, pattern, value any) string {
	switch p := pattern.(type) {
	case nil:
		if value != nil {
			return fmt.Sprintf("%s: want nothing, got %s", path, brief(value))
		}
	case map[string]any:
		if operator, operand, ok := operation(p); ok {
			return operator(path, operand, value)
		}
		object, ok := value.(map[string]any)
		if !ok {
			return fmt.Sprintf("%s: want an object, got %s", path, brief(value))
		}
		for _, name := range slices.Sorted(maps.Keys(p)) {
			if m := misfit(path+"."+name, p[name], object[name]); m != "" {
				return m
			}
		}
	case []any:
		return misfitList(path, p, value)
	default:
		if !equal(pattern, value) {
			return fmt.Sprintf("%s: want %s, got %s", path, brief(pattern), brief(value))
		}
	}
	return ""
}

// operators are the patterns with one member that is no name of the API.
var operators map[string]func(path string, operand, value any) string

func init() {
	operators = map[string]func(string, any, any) string{"oneOf": oneOf, "not": not, "contains": contains, "png": png}
}

func operation(p map[string]any) (_ func(string, any, any) string, operand any, ok bool) {
	if len(p) != 1 {
		return nil, nil, false
	}
	for name, operand := range p {
		operator, ok := operators[name]
		return operator, operand, ok
	}
	return nil, nil, false
}

func oneOf(path string, operand, value any) string {
	list, _ := operand.([]any)
	for i, p := range list {
		if misfit(fmt.Sprintf("%s.oneOf[%d]", path, i), p, value) == "" {
			return ""
		}
	}
	return fmt.Sprintf("%s: want one of %s, got %s", path, brief(operand), brief(value))
}

func not(path string, operand, value any) string {
	if misfit(path+".not", operand, value) == "" {
		return fmt.Sprintf("%s: want anything but %s, got %s", path, brief(operand), brief(value))
	}
	return ""
}

func contains(path string, operand, value any) string {
	text, ok := value.(string)
	list, _ := operand.([]any)
	for _, part := range list {
		if part, _ := part.(string); !ok || !strings.Contains(text, part) {
			return fmt.Sprintf("%s: want a text with %q, got %s", path, part, brief(value))
		}
	}
	return ""
}

func png(path string, _, value any) string {
	text, _ := value.(string)
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil || !bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")) {
		return fmt.Sprintf("%s: want a PNG image in base64, got %s", path, brief(value))
	}
	return ""
}

// misfitList compares lists in any order: it looks for an element of its own for each
// pattern.
func misfitList(path string, patterns []any, value any) string {
	list, ok := value.([]any)
	if !ok || len(list) != len(patterns) {
		return fmt.Sprintf("%s: want a list of %d, got %s", path, len(patterns), brief(value))
	}
	owner := make([]int, len(list)) // index of the pattern of each element, or -1
	for i := range owner {
		owner[i] = -1
	}
	// Most lists have the order of their patterns: what a pattern fits is compared when it is
	// asked for, and its own place is asked first.
	known := map[[2]int]bool{}
	fits := func(i, j int) bool {
		fit, is := known[[2]int{i, j}]
		if !is {
			fit = misfit(path, patterns[i], list[j]) == ""
			known[[2]int{i, j}] = fit
		}
		return fit
	}
	// place gives a pattern an element, and the pattern that had it another one.
	var place func(pattern int, tried map[int]bool) bool
	place = func(pattern int, tried map[int]bool) bool {
		for n := range list {
			i := (pattern + n) % len(list)
			if !tried[i] && fits(pattern, i) {
				tried[i] = true
				if owner[i] < 0 || place(owner[i], tried) {
					owner[i] = pattern
					return true
				}
			}
		}
		return false
	}
	for i, p := range patterns {
		if place(i, map[int]bool{}) {
			continue
		}
		var why []string
		for j, v := range list {
			if m := misfit(fmt.Sprintf("%s[%d]", path, j), p, v); m != "" {
				why = append(why, m)
			}
		}
		return fmt.Sprintf("%s: no element left for pattern %d:\n      %s", path, i, strings.Join(why, "\n      "))
	}
	return ""
}

var (
	amountRE = regexp.MustCompile(`^(-?[0-9]+(?:\.[0-9]+)?) ([A-Z]{3})$`)
	dateRE   = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`)
)

// equal compares a value with a text, number or boolean. A text can also stand for an
// amount with its currency, or for the date of a date-time.
func equal(pattern, value any) bool {
	switch p := pattern.(type) {
	case json.Number:
		v, ok := value.(json.Number)
		return ok && number(p).Cmp(number(v)) == 0
	case string:
		if money, ok := value.(map[string]any); ok {
			amount := amountRE.FindStringSubmatch(p)
			return amount != nil && money["currency"] == amount[2] && equal(json.Number(amount[1]), money["amount"])
		}
		text, ok := value.(string)
		return ok && (text == p || dateRE.MatchString(p) && strings.HasPrefix(text, p))
	default:
		return pattern == value
	}
}

func number(n json.Number) *big.Rat {
	r, _ := new(big.Rat).SetString(string(n))
	return r
}

// brief returns a value as JSON, shortened.
func brief(v any) string {
	if v == nil {
		return "nothing"
	}
	var text strings.Builder
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err.Error()
	}
	const limit = 600
	if text.Len() > limit {
		return strings.ToValidUTF8(text.String()[:limit], "") + "…"
	}
	return strings.TrimSuffix(text.String(), "\n")
}
