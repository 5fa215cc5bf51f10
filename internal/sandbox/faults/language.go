package faults

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// Language is what the answers of a kind of bank consist of.
type Language struct {
	Deviations []Deviation // that the banks have
	// Instead are those of them in place of an answer that only these banks have.
	Instead []Deviation
	// HasKind reports whether the bank has calls of a kind; nil: any kind can be named.
	HasKind func(kind string) bool
	// Required are the members that MissingMembers and NullMembers leave: those that the
	// definitions require, what leads to them, and ids without which nothing can be asked for.
	Required []string
	// Unknown are values that no enumeration has, by members.
	Unknown map[string]string
	// Amount is the member that is an amount as a text; empty: amounts are numbers.
	Amount string
	// Added is the name of the member that UnknownMembers adds to each object.
	Added string
	// Member changes a member by a deviation that only these banks have; nil: there is none.
	Member func(d Deviation, of map[string]any, name string)
}

// change returns a body with the deviation.
func (f Fault) change(body []byte) []byte {
	switch f.Deviation {
	case "", WrongType, CutBody, Lost, Slow:
		return body
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return body
	}
	f.walk(v)
	text, err := json.Marshal(v)
	if err != nil {
		return body
	}
	return text
}

func (f Fault) walk(v any) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			f.walk(item)
		}
	case map[string]any:
		for name, item := range v {
			f.walk(item)
			f.member(v, name, item)
			if f.language.Member != nil {
				f.language.Member(f.Deviation, v, name)
			}
		}
		if f.Deviation == UnknownMembers {
			v[f.language.Added] = map[string]any{"of": []any{"a later version", 1, nil}}
		}
	}
}

// member changes one member.
func (f Fault) member(v map[string]any, name string, item any) {
	l := f.language
	text, isText := item.(string)
	isText = isText && name == l.Amount
	number, isNumber := item.(json.Number)
	switch f.Deviation {
	case ManyDecimals:
		switch {
		case isText:
			whole, decimals, _ := strings.Cut(text, ".")
			v[name] = whole + "." + (decimals + "00000000")[:7] + "1"
		case isNumber && l.Amount == "" && strings.Contains(number.String(), "."):
			v[name] = json.Number(number.String() + "00001")
		}
	case NumberAmounts:
		if isText {
			v[name] = json.Number(text)
		}
	case UnknownValues:
		if _, isWord := item.(string); isWord && l.Unknown[name] != "" {
			v[name] = l.Unknown[name]
		}
	case MissingMembers:
		if !slices.Contains(l.Required, name) {
			delete(v, name)
		}
	case NullMembers:
		if !slices.Contains(l.Required, name) {
			v[name] = nil
		}
	}
}
