package xs2a

import (
	"encoding/json"
	"strconv"
)

// list is a list of a bank that may write one entry in place of a list of one. If the
// member is repeated, it has the entries of all. It is nil if the member is neither a
// list nor an entry.
type list[T any] []T

// UnmarshalJSON implements json.Unmarshaler. It never fails. Entries of another type are
// zero values.
func (l *list[T]) UnmarshalJSON(data []byte) error {
	switch data[0] {
	case '[':
		entries := []T{}
		_ = json.Unmarshal(data, &entries) // goes on after an entry of another type
		*l = append(*l, entries...)
		if *l == nil {
			*l = entries
		}
	case '{':
		*l = append(*l, oneOf[T](data)...)
	}
	return nil
}

// oneOf decodes an object in place of a list: the only entry, or what converters from
// other formats make of a list, an object with the list as its only member or with
// numbers as its names.
func oneOf[T any](data []byte) []T {
	var members map[string]json.RawMessage
	_ = json.Unmarshal(data, &members)
	switch len(members) {
	case 0:
		return nil
	case 1:
		for _, only := range members {
			if only[0] == '[' {
				var entries []T
				_ = json.Unmarshal(only, &entries)
				return entries
			}
		}
	}
	if entries := numbered[T](members); entries != nil {
		return entries
	}
	var entry T
	_ = json.Unmarshal(data, &entry)
	return []T{entry}
}

// numbered returns the members in the order of their names, or nil unless these are 0,
// 1, 2 and so on.
func numbered[T any](members map[string]json.RawMessage) []T {
	var entries []T
	for i := range len(members) {
		raw, there := members[strconv.Itoa(i)]
		if !there {
			return nil
		}
		var entry T
		_ = json.Unmarshal(raw, &entry)
		entries = append(entries, entry)
	}
	return entries
}
