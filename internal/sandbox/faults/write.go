package faults

import (
	"net/http"
	"strconv"
	"time"

	"samla/internal/clock"
)

const page = "<!doctype html><title>Bank</title><h1>We are sorry</h1><p>The service is not available right now."

// statuses are those of the deviations in place of an answer.
var statuses = map[Deviation]int{
	Unavailable: http.StatusServiceUnavailable, ServerError: http.StatusInternalServerError, ErrorPage: http.StatusBadGateway,
	Maintenance: http.StatusOK, TooMany: http.StatusTooManyRequests,
}

// Refuse writes what the fault has in place of an answer, and returns its status. It is for
// the deviations of this package.
func (f Fault) Refuse(w http.ResponseWriter) (status int) {
	status = statuses[f.Deviation]
	switch f.Deviation {
	case Unavailable, TooMany:
		w.Header().Set("Retry-After", "2")
	case ErrorPage, Maintenance:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(page)) // an error means that the connection is closed
		return status
	}
	w.WriteHeader(status)
	return status
}

// Write writes an answer with the fault, after the headers that w has already; the zero fault
// changes nothing. It panics with http.ErrAbortHandler to break the connection.
func (f Fault) Write(w http.ResponseWriter, r *http.Request, c clock.Clock, status int, body []byte) {
	switch f.Deviation {
	case Slow:
		if clock.Sleep(r.Context(), c, time.Duration(f.DelayMS)*time.Millisecond) != nil {
			return
		}
	case Lost:
		panic(http.ErrAbortHandler)
	case WrongType:
		w.Header().Set("Content-Type", "text/plain")
	}
	body = f.change(body)
	if len(body) > 0 {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(status)
	if f.Deviation == CutBody {
		_, _ = w.Write(body[:len(body)/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(body) // as in Refuse
}
