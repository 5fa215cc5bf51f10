package connect

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"samla/internal/connect"
	"samla/internal/flow"
	"samla/internal/gzipped"
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

// keyName is the member of the query that has the secret of a flow in a frame whose browser
// refuses its cookie.
const keyName = "key"

// key returns the secret of the flow that a browser brings, and whether it is carried in the
// address. An address counts only in a frame and for what a page there asks: somebody who is
// sent one cannot be brought into the flow of another person.
func (h *handler) key(r *http.Request, id string) (key string, carried bool) {
	if c, err := r.Cookie(h.cookie(id)); err == nil {
		return c.Value, false
	}
	if key = r.URL.Query().Get(keyName); key == "" || !framedNow(r) && r.Header.Get("Sec-Fetch-Site") != "same-origin" {
		return "", false
	}
	return key, true
}

// framedNow reports whether a page is asked for that a frame shows.
func framedNow(r *http.Request) bool { return r.Header.Get("Sec-Fetch-Dest") == "iframe" }

// place returns the address of a flow for this browser.
func (h *handler) place(r *http.Request, id string) string { return h.below(r, connect.Path, id) }

// below returns the address of something of a flow for this browser.
func (h *handler) below(r *http.Request, path, id string) string {
	if key, carried := h.key(r, id); carried {
		return withKey(path+id, key)
	}
	return path + id
}

func withKey(address, key string) string { return withQuery(address, keyName, key) }

// withQuery adds a member to the query of an address.
func withQuery(address, name, value string) string {
	joint := "?"
	if strings.Contains(address, "?") {
		joint = "&"
	}
	return address + joint + name + "=" + url.QueryEscape(value)
}

// results answers the script with the data, which it passes on to the page that frames it.
func (h *handler) results(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("flow")
	key, _ := h.key(r, id)
	packed, err := h.Connect.Results(r.Context(), id, key)
	if err == nil {
		packed, err = gzipped.Plain(packed)
	}
	switch {
	case errors.Is(err, connect.ErrUnknown):
		http.Error(w, "", http.StatusNotFound)
	case err != nil:
		h.Log.Error("the data could not be passed on to the page that frames ours", "error", err)
		http.Error(w, "", http.StatusInternalServerError)
	default:
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(packed)
	}
}

// views are the names under which hosts know the states (docs/pages.md).
var views = map[flow.State]string{flow.Start: "SELECT_COMPANIES", flow.Review: "SELECT_AUTHENTICATION", flow.AskCode: "ADDITIONAL_INFO", flow.AskChoice: "ADDITIONAL_INFO",
	flow.AskContact: "ADDITIONAL_INFO", flow.AskInput: "ADDITIONAL_INFO", flow.AskEmail: "ADDITIONAL_INFO", flow.AskWait: "ADDITIONAL_INFO", flow.PickAccounts: "ADDITIONAL_INFO", flow.Done: "RESULTS",
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
