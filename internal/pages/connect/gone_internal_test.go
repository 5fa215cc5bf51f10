package connect

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"samla/internal/client"
	"samla/internal/fault"
	"samla/internal/seal"
	"samla/internal/store"
)

// noClients knows no client.
type noClients struct{ clientsOf }

type clientsOf interface{ Clients }

func (noClients) Client(context.Context, string) (client.Client, error) {
	return client.Client{}, store.ErrNotFound
}

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
		d := Deps{PublicURL: func() string { return "" }, Log: slog.New(slog.DiscardHandler), Clients: noClients{}}
		h := &handler{d, newKit(d)}
		w := httptest.NewRecorder()
		h.broken(w, httptest.NewRequest(http.MethodGet, "/connect/x", nil), c.err)
		if w.Code != c.want {
			t.Errorf("%v: %d, want %d", c.err, w.Code, c.want)
		}
	}
}
