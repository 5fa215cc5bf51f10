package wire

import "github.com/santhosh-tekuri/jsonschema/v6"

// CompileSchema compiles the schema at a JSON pointer of the document, in the form
// in which requests are validated.
func CompileSchema(pointer string) (*jsonschema.Schema, error) {
	c, err := Load()
	if err != nil {
		return nil, err
	}
	s, err := newSchemas(c.tree.root)
	if err != nil {
		return nil, err
	}
	return s.compile(pointer)
}
