package api

import (
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"

	"samla/internal/fault"
)

// recovered answers a panic with INTERNAL_ERROR. If the answer is partly written, it
// closes the connection: the client must not take the answer for complete.
func (c *Call) recovered(p any) {
	if p == http.ErrAbortHandler {
		panic(p)
	}
	// The value of a panic can hold data of the request; errors of the runtime do not.
	text := fmt.Sprintf("%T", p)
	if err, ok := p.(runtime.Error); ok {
		text = err.Error()
	}
	c.cause = errors.New("panic: " + text)
	c.route.h.Log.Error("a request panicked", "route", c.route.Pattern, "request", c.id,
		"panic", text, "stack", string(debug.Stack()))
	if c.status != 0 {
		panic(http.ErrAbortHandler)
	}
	c.problem(fault.Wrap(c.cause))
}
