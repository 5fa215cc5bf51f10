package wire

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"samla/internal/fault"
	"samla/internal/jsontext"
)

// MaxBody is the largest request body in bytes (docs/reference/api.md 1.5), unless the
// document sets another for an operation with x-max-body.
const MaxBody = 64 << 10

// largeBodies is how many bodies above MaxBody an operation decodes at the same time:
// decoded, a text takes many times its bytes.
const largeBodies = 4

// bodySchema reads and validates request bodies.
type bodySchema struct {
	schema *jsonschema.Schema
	rules  rules
	names  memberNames
	absent bool          // a request may have no body
	limit  int64         // of a body, in bytes
	large  chan struct{} // a place for each body above MaxBody that is decoded
}

// ReadBody reads a request body and validates it as docs/reference/api.md 1.5 and the
// schema of the operation require. It returns the body for encoding/json, or one of
// these faults: BodyTooLarge, UnsupportedMediaType, MalformedJSON with the byte
// offset, InvalidParameter with every invalid field. With InvalidParameter it returns
// the body too, so that the caller can report more fields. For an operation without a
// body it reads nothing and returns nil, and also for a request without one where the
// document does not require it.
//
// encoding/json matches the names of members without regard to case; the contract
// does not, and ignores unknown members. A body with such members is returned
// without them. Values of members with x-opaque are returned as they are.
func (op *Operation) ReadBody(r *http.Request) ([]byte, *fault.Fault) {
	if op.body == nil || op.body.absent && r.ContentLength == 0 {
		return nil, nil
	}
	if r.ContentLength > op.body.limit {
		return nil, fault.New(fault.BodyTooLarge)
	}
	if !isJSON(r.Header.Get("Content-Type")) {
		return nil, fault.New(fault.UnsupportedMediaType)
	}
	if isEncoded(r.Header["Content-Encoding"]) {
		return nil, fault.Detailed(fault.UnsupportedMediaType, "a body with a Content-Encoding is not read")
	}
	raw, f := op.body.readAll(r)
	if f != nil {
		return nil, f
	}
	if len(raw) > MaxBody {
		select {
		case op.body.large <- struct{}{}:
			defer func() { <-op.body.large }()
		case <-r.Context().Done():
			return nil, fault.New(fault.Unavailable)
		}
	}
	return op.body.validate(raw)
}

func (b *bodySchema) readAll(r *http.Request) ([]byte, *fault.Fault) {
	if r.Body == nil {
		return nil, nil
	}
	size := min(max(r.ContentLength, 0), b.limit)
	var buf bytes.Buffer
	buf.Grow(int(size) + bytes.MinRead) // room for the read that finds the end
	_, err := buf.ReadFrom(io.LimitReader(r.Body, b.limit+1))
	raw := buf.Bytes()
	var tooLarge *http.MaxBytesError
	switch {
	case int64(len(raw)) > b.limit || errors.As(err, &tooLarge):
		return nil, fault.New(fault.BodyTooLarge)
	case err != nil: // the client closed the connection
		return nil, malformed(&jsontext.SyntaxError{Offset: len(raw), What: "the text ends too early"})
	}
	return raw, nil
}

func (b *bodySchema) validate(raw []byte) ([]byte, *fault.Fault) {
	value, serr := jsontext.Parse(string(raw))
	if serr != nil {
		return nil, malformed(serr)
	}
	invalid := b.rules.fields(b.schema.Validate(value))
	if b.names.removeVariants(value) {
		var err error
		if raw, err = jsontext.Marshal(value); err != nil {
			return nil, fault.Wrap(err)
		}
	}
	if len(invalid) > 0 {
		return raw, fault.Params(invalid...)
	}
	return raw, nil
}

func malformed(e *jsontext.SyntaxError) *fault.Fault {
	return fault.Detailed(fault.MalformedJSON, e.Error())
}

// isEncoded reports whether a body has another form than its media type says: a list of
// codings other than identity, such as gzip (RFC 9110 8.4).
func isEncoded(lists []string) bool {
	for _, list := range lists {
		for coding := range strings.SplitSeq(list, ",") {
			if coding = strings.TrimSpace(coding); coding != "" && !strings.EqualFold(coding, "identity") {
				return true
			}
		}
	}
	return false
}

// isJSON reports whether a Content-Type is application/json, with any parameters.
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
