package permissions

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"samla/internal/fault"
	"samla/internal/pages/look"
	"samla/internal/seal"
	"samla/internal/store"
)

// An erasure comes between two readings of any page: that is no fault of the server.
func TestBroken_IsNotFoundForWhatIsGone(t *testing.T) {
	for _, c := range []struct {
		err  error
		want int
	}{
		{fmt.Errorf("read: %w", store.ErrNotFound), http.StatusNotFound},
		{fmt.Errorf("open: %w", seal.ErrKeyDestroyed), http.StatusNotFound},
		{fault.New(fault.Unauthorized), http.StatusNotFound},
		{errors.New("disk"), http.StatusInternalServerError},
	} {
		h := &handler{Deps{PublicURL: func() string { return "" }, Log: slog.New(slog.DiscardHandler)}, look.Must(look.New(look.Options{Files: sub("templates")}))}
		w := httptest.NewRecorder()
		h.broken(w, httptest.NewRequest(http.MethodGet, Path, nil), c.err)
		if w.Code != c.want {
			t.Errorf("%v: %d, want %d", c.err, w.Code, c.want)
		}
	}
}
