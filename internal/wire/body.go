package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"samla/internal/fault"
	"samla/internal/jsontext"
)

// MaxBody is the largest request body in bytes (docs/reference/api.md 1.5).
const MaxBody = 64 << 10

// ReadBody reads the request body and checks all of docs/reference/api.md 1.5 and the schema
// of the operation. It returns the body, ready for encoding/json, or the first
// of these faults: BodyTooLarge, UnsupportedMediaType, MalformedJSON with the
// byte offset, InvalidParameter with every broken rule. For an operation
// without a body it reads nothing and returns nil.
//
// encoding/json takes "Company" for company; the contract does not, and ignores
// unknown members. A body with such members is returned without them.
func (op *Operation) ReadBody(r *http.Request) ([]byte, *fault.Fault) {
	if op.body == nil {
		return nil, nil
	}
	if r.ContentLength > MaxBody {
		return nil, fault.New(fault.BodyTooLarge)
	}
	if !isJSON(r.Header.Get("Content-Type")) {
		return nil, fault.New(fault.UnsupportedMediaType)
	}
	raw, f := readAll(r)
	if f != nil {
		return nil, f
	}
	return op.body.check(raw)
}

func readAll(r *http.Request) ([]byte, *fault.Fault) {
	if r.Body == nil {
		return nil, nil
	}
	size := min(max(r.ContentLength, 0), MaxBody)
	var buf bytes.Buffer
	buf.Grow(int(size) + bytes.MinRead) // MinRead: so that reading the end does not grow it
	_, err := buf.ReadFrom(io.LimitReader(r.Body, MaxBody+1))
	raw := buf.Bytes()
	var tooLarge *http.MaxBytesError
	switch {
	case len(raw) > MaxBody || errors.As(err, &tooLarge):
		return nil, fault.New(fault.BodyTooLarge)
	case err != nil: // the caller hung up in the middle
		return nil, malformed(&jsontext.SyntaxError{Offset: len(raw), What: "the text ends too early"})
	}
	return raw, nil
}

// check holds the text of a body against the rule.
func (b *bodyRule) check(raw []byte) ([]byte, *fault.Fault) {
	value, serr := jsontext.Parse(string(raw))
	if serr != nil {
		return nil, malformed(serr)
	}
	if broken := b.rules.fields("", b.schema.Validate(value)); len(broken) > 0 {
		return nil, fault.Params(broken...)
	}
	if b.dropLookalikes(value) {
		clean, err := json.Marshal(value)
		if err != nil {
			return nil, fault.Wrap(err)
		}
		return clean, nil
	}
	return raw, nil
}

// dropLookalikes removes the members that only encoding/json would take for
// declared ones, and tells whether there were any.
func (b *bodyRule) dropLookalikes(value any) bool {
	dropped := false
	switch v := value.(type) {
	case []any:
		for _, e := range v {
			dropped = b.dropLookalikes(e) || dropped
		}
	case map[string]any:
		for name, e := range v {
			if b.names.lookalike(name) {
				delete(v, name)
				dropped = true
				continue
			}
			dropped = b.dropLookalikes(e) || dropped
		}
	}
	return dropped
}

func malformed(e *jsontext.SyntaxError) *fault.Fault {
	return fault.Detailed(fault.MalformedJSON, e.Error())
}

// isJSON tells whether a Content-Type is application/json, with whatever
// parameters.
func isJSON(contentType string) bool {
	if contentType == "application/json" {
		return true
	}
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
		return false
	}
	return strings.EqualFold(media, "application/json")
}
