package console

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"samla/internal/pages/look"
	"samla/internal/store"
)

// readTime is how long everything that a page reads may take together.
const readTime = 10 * time.Second

// countPart is the part of the time of a page that the counts of the navigation may take
// together: a page does not wait long for what stands beside it.
const countPart = 10

// errTooLong is the cause of the end of a request whose reads have taken readTime.
var errTooLong = errors.New("console: a page was not read in time")

// limited ends the reads of a page after Deps.ReadTime. An act has no such end: half an act
// is worse than a late one.
func (h *handler) limited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		ctx, cancel := context.WithTimeoutCause(store.Watch(r.Context()), h.ReadTime, errTooLong)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// tooLong is what the page says whose reads did not end.
type tooLong struct {
	Limit         string
	Text, Address string // what makes it shorter, and where that is
	Again         string
}

// late answers for a page whose reads did not end in time.
func late(w http.ResponseWriter, r *http.Request) {
	f := frameOf(r.Context())
	t := tooLong{Limit: strconv.FormatFloat(f.of.ReadTime.Seconds(), 'g', 3, 64) + " seconds", Again: r.URL.RequestURI()}
	if f.narrow != nil {
		t.Text, t.Address = f.narrow(r)
	}
	if t.Text == "" {
		t.Text = "The database is busy or slow just now. Try again in a moment."
	}
	Render(w, r, f.kit(), look.Page{Status: http.StatusServiceUnavailable, Content: "console/late", View: "LATE", Title: "This took too long", Data: t})
}
