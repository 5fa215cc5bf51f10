package xs2a

// An element of a list takes two bytes of JSON and, decoded, up to a kilobyte. So an answer
// within the limit of bytes could still fill the memory.
const (
	// maxElements is the number of elements that the lists of one answer may have. A page
	// of 16 MiB has about 50 000 rows.
	maxElements = 200_000
	// fewElements is a size within which there cannot be many.
	fewElements = 64 << 10
)

// hasManyElements reports whether the lists of a JSON text have more than maxElements
// elements. The text need not be valid.
func hasManyElements(text []byte) bool {
	if len(text) <= fewElements {
		return false
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
				if elements++; elements >= maxElements {
					return true
				}
			}
		}
	}
	return false
}
