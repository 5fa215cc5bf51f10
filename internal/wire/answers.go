package wire

import (
	"fmt"
	"samla/internal/jsontext"
	"strconv"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// answers holds what every operation may answer, by operationId and status.
type answers struct {
	of map[string]map[int]*answer
}

// answer is one response of the document.
type answer struct {
	contentType string // empty: no body
	body        *jsonschema.Schema
	headers     []headerRule
}

type headerRule struct {
	name     string
	required bool
	schema   *jsonschema.Schema
}

// readAnswers compiles the responses in their closed form.
func (c *Contract) readAnswers() (*answers, error) {
	s, err := newSchemas(c.tree.root, true)
	if err != nil {
		return nil, err
	}
	out := &answers{of: map[string]map[int]*answer{"": {}}}
	for _, name := range []string{"NotFound", "MethodNotAllowed"} {
		at := "/components/responses/" + name
		a, err := c.readAnswer(s, at)
		if err != nil {
			return nil, err
		}
		out.of[""][map[string]int{"NotFound": 404, "MethodNotAllowed": 405}[name]] = a
	}
	for _, op := range c.operations {
		out.of[op.ID] = map[int]*answer{}
		for status := range c.tree.object(op.at + "/responses") {
			a, err := c.readAnswer(s, op.at+"/responses/"+status)
			if err != nil {
				return nil, fmt.Errorf("%s %s: %w", op.ID, status, err)
			}
			n, _ := strconv.Atoi(status) // read before, in readOperation
			out.of[op.ID][n] = a
		}
	}
	return out, nil
}

func (c *Contract) readAnswer(s *schemas, pointer string) (*answer, error) {
	_, at := c.tree.resolve(pointer)
	a := &answer{}
	for media := range c.tree.object(at + "/content") {
		schema, err := s.compile(at + "/content/" + jsontext.EscapeToken(media) + "/schema")
		if err != nil {
			return nil, err
		}
		a.contentType, a.body = media, schema
	}
	for name := range c.tree.object(at + "/headers") {
		_, where := c.tree.resolve(at + "/headers/" + name)
		schema, err := s.compile(where + "/schema")
		if err != nil {
			return nil, err
		}
		required, _ := c.tree.node(where + "/required").(bool)
		a.headers = append(a.headers, headerRule{name, required, schema})
	}
	return a, nil
}
