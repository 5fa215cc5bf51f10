package wiretest

import (
	"cmp"
	"slices"
	"strings"

	"samla/internal/fault"
	"samla/internal/jsontext"
)

// Documented is an answer that the document declares.
type Documented struct {
	Operation string // operationId
	Status    int
	Code      fault.Code // of a problem document; "" for any other answer
}

// Documented returns every answer that the document declares for its operations, and for
// problem documents every code, sorted.
func (c *Contract) Documented() []Documented {
	var all []Documented
	for id, byStatus := range c.answers {
		if id == "" {
			continue
		}
		for status, a := range byStatus {
			if len(a.codes) == 0 {
				all = append(all, Documented{id, status, ""})
			}
			for _, code := range a.codes {
				all = append(all, Documented{id, status, code})
			}
		}
	}
	slices.SortFunc(all, func(a, b Documented) int {
		return cmp.Or(cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Status, b.Status), cmp.Compare(a.Code, b.Code))
	})
	return all
}

// ReadsBody reports whether an operation reads a request body.
func (c *Contract) ReadsBody(operationID string) bool { return c.bodies[operationID] }

// enum returns the values of the enum of the schema at a JSON pointer of the document.
func (c *Contract) enum(pointer string) (values []string) {
	at := c.root
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/")+"/enum", "/") {
		members, _ := at.(map[string]any)
		at = members[jsontext.UnescapeToken(token)]
	}
	list, _ := at.([]any)
	for _, v := range list {
		if text, ok := v.(string); ok {
			values = append(values, text)
		}
	}
	return values
}
