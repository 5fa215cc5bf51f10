package xs2a

import (
	"errors"
	"samla/internal/jsontext"
	"strconv"
	"strings"
)

// pointer is an RFC 6901 JSON pointer, split once. The zero value points at
// nothing.
type pointer []string

var errPointer = errors.New(`must be a JSON pointer such as "/challengeData/data/0"`)

func parsePointer(s string) (pointer, error) {
	if s == "" {
		return nil, nil
	}
	if s[0] != '/' {
		return nil, errPointer
	}
	tokens := strings.Split(s[1:], "/")
	for i, t := range tokens {
		tokens[i] = jsontext.UnescapeToken(t)
	}
	return tokens, nil
}

// text is the string at the pointer, or "" when there is none.
func (p pointer) text(document any) string {
	if len(p) == 0 {
		return ""
	}
	for _, token := range p {
		switch at := document.(type) {
		case map[string]any:
			document = at[token]
		case []any:
			n, err := strconv.Atoi(token)
			if err != nil || n < 0 || n >= len(at) {
				return ""
			}
			document = at[n]
		default:
			return ""
		}
	}
	s, _ := document.(string)
	return s
}
