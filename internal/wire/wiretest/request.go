package wiretest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"samla/internal/wire"
)

// CheckRequest validates a request of a client: the operation exists, the request
// has its credential and the version header, and query and body are valid. The
// body of r can be read again.
func (c *Contract) CheckRequest(r *http.Request) error {
	op := c.Find(r)
	if op == nil {
		return fmt.Errorf("%s %s: no such operation", r.Method, r.URL.Path)
	}
	if err := c.checkHeaders(op, r.Header); err != nil {
		return fmt.Errorf("%s: %w", op.ID, err)
	}
	if f := op.CheckQuery(r.URL.Query()); f != nil {
		return fmt.Errorf("%s: %w %v", op.ID, f, f.Fields)
	}
	if !c.bodies[op.ID] {
		return nil
	}
	raw, err := drain(&r.Body)
	if err != nil {
		return fmt.Errorf("%s: %w", op.ID, err)
	}
	again := r.Clone(r.Context())
	again.Body = io.NopCloser(bytes.NewReader(raw))
	if _, f := op.ReadBody(again); f != nil {
		return fmt.Errorf("%s: %w %v", op.ID, f, f.Fields)
	}
	return nil
}

func (c *Contract) checkHeaders(op *wire.Operation, h http.Header) error {
	key, token := h.Get("authorization-token") != "", strings.HasPrefix(h.Get("Authorization"), "Bearer ")
	switch {
	case op.Versioned && h.Get(wire.VersionHeader) != c.Version():
		return errors.New("header " + wire.VersionHeader + " is not " + c.Version())
	case op.Credential == wire.None:
		return nil
	case key && token:
		return errors.New("two credentials")
	case key && op.Credential.Has(wire.APIKey), token && op.Credential.Has(wire.Session):
		return nil
	}
	return errors.New("no credential that the operation accepts")
}
