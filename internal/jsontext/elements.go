package jsontext

// fewElements is a size of a text that is not worth looking at.
const fewElements = 64 << 10

// HasManyElements reports whether the lists of a JSON text have more than limit elements.
// The text need not be valid, and it is not decoded: an element takes two bytes of JSON, and
// decoded up to a kilobyte.
func HasManyElements(text []byte, limit int) bool {
	if len(text) <= min(limit, fewElements) {
		return false // there cannot be as many
	}
	elements := 0
	var lists []bool // whether each open list or object is a list, innermost last
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			for i++; i < len(text) && text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
		case '[', '{':
			if len(lists) > 1000 { // encoding/json refuses ten times as many
				return true
			}
			lists = append(lists, text[i] == '[')
		case ']', '}':
			if len(lists) > 0 {
				lists = lists[:len(lists)-1]
			}
		case ',':
			if len(lists) > 0 && lists[len(lists)-1] {
				if elements++; elements >= limit {
					return true
				}
			}
		}
	}
	return false
}
