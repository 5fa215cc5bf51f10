package connect

import (
	"context"
	"net/http"
	"slices"

	"samla/internal/flow"
	"samla/internal/pages/look"
)

// LoaderPath is where pages that embed the connect page get their script.
const LoaderPath = "/connect.js"

// loader answers with the script. Its address has no hash: browsers look for a newer one.
func (h *handler) loader(w http.ResponseWriter, r *http.Request) {
	inner := r.Clone(r.Context())
	inner.URL.Path = assetPath + "loader.js"
	bundle.ServeHTTP(w, inner)
}

// framed lets the origin of the terms frame the page, as long as it is registered.
func (h *handler) framed(ctx context.Context, w http.ResponseWriter, clientID string, t flow.Terms) {
	if t.Origin == "" {
		return
	}
	origins, err := h.Clients.FrameOrigins(ctx, clientID)
	if err != nil || !slices.Contains(origins, t.Origin) {
		return
	}
	w.Header().Del("X-Frame-Options")
	look.Secure(w.Header(), t.Origin)
}

// views are the names under which hosts know the states (docs/pages.md).
var views = map[flow.State]string{flow.Start: "SELECT_COMPANIES", flow.Review: "SELECT_AUTHENTICATION", flow.AskCode: "ADDITIONAL_INFO", flow.AskChoice: "ADDITIONAL_INFO",
	flow.AskContact: "ADDITIONAL_INFO", flow.AskInput: "ADDITIONAL_INFO", flow.AskEmail: "ADDITIONAL_INFO", flow.AskWait: "ADDITIONAL_INFO", flow.Done: "RESULTS",
	flow.Failed: "FAILED_COLLECTION", flow.Cancelled: "FAILED_COLLECTION"}

// PageView returns the name of the state for hosts.
func (d shown) PageView() string {
	if v := views[d.Flow.State]; v != "" {
		if d.End.Key == "done.empty" {
			v = "EMPTY_RESULT"
		}
		return "DATA_AGGREGATION_" + v
	}
	return "DATA_AGGREGATION_COLLECT_DATA"
}

// Status returns the status of the collection, or "".
func (d shown) Status() string {
	if d.Collection == nil {
		return ""
	}
	return string(d.Collection.Status)
}

// Token returns what opens the app, for hosts that do it themselves.
func (d shown) Token() string { return tokenOf(d.View) }
