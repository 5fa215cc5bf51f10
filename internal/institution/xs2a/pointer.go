package xs2a

import (
	"errors"
	"strconv"
	"strings"

	"samla/internal/jsontext"
)

// pointer is a parsed JSON pointer (RFC 6901). The zero value points to nothing.
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

// text returns the string that the pointer refers to, or "" if there is none.
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
