package connect

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"samla/internal/connect"
	"samla/internal/flow"
	"samla/internal/jsontext"
	"samla/internal/words"
)

// state answers the question of the script how it stands: what moves within a state. An
// answer that has not changed is 304.
func (h *handler) state(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("flow")
	key, _ := h.key(r, id)
	view, err := h.Connect.View(r.Context(), id, key, visitor(r))
	switch {
	case errors.Is(err, connect.ErrUnknown):
		http.Error(w, "", http.StatusNotFound)
		return
	case err != nil:
		if r.Context().Err() == nil {
			h.Log.Error("the state of a flow could not be read", "error", err)
		}
		http.Error(w, "", http.StatusInternalServerError)
		return
	}
	body := appendState(nil, h.kit.Text(h.language(r, view.Flow.Terms)), view, h.Clock.Now())
	sum := sha256.Sum256(body)
	tag := `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	w.Header().Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body)
}

// appendState appends what the script shows: rev says whether the page is another one.
func appendState(b []byte, say *words.Texts, view connect.View, now time.Time) []byte {
	b = strconv.AppendInt(append(b, `{"rev":`...), view.Flow.Rev, 10)
	b = jsontext.AppendMember(b, `,"state":`, string(view.Flow.State))
	b = jsontext.AppendNonEmpty(b, `,"qr":`, codeOf(view)) // the script draws it
	if codeOf(view) == "" && view.Flow.State == flow.QR {
		b = jsontext.AppendNonEmpty(b, `,"png":`, imageOf(view))
	}
	if until := deadlineOf(view); !until.IsZero() {
		b = strconv.AppendInt(append(b, `,"until":`...), until.UnixMilli(), 10)
		b = strconv.AppendInt(append(b, `,"now":`...), now.Truncate(nowEvery).UnixMilli(), 10)
	}
	b = jsontext.AppendNonEmpty(b, `,"say":`, messageOf(say, view))
	return append(b, '}')
}

// nowEvery is how often the script is told the time of the server: an answer without news
// must not differ from the one before.
const nowEvery = time.Minute

// codeOf returns the text of the QR code that is shown now, or "".
func codeOf(v connect.View) string {
	switch {
	case v.Shown != nil:
		return v.Shown.QRData
	case v.Collection != nil && v.Collection.Shown != nil:
		return v.Collection.Shown.QRText
	}
	return ""
}

// imageOf returns the institution's own picture of the code, in base64, or "".
func imageOf(v connect.View) string {
	switch {
	case v.Shown != nil:
		return v.Shown.QRImage
	case v.Collection != nil && v.Collection.Shown != nil:
		return v.Collection.Shown.QRImage
	}
	return ""
}

// tokenOf returns the token that opens the app on this device, or "".
func tokenOf(v connect.View) string {
	switch {
	case v.Shown != nil:
		return v.Shown.AutoStartToken
	case v.Collection != nil && v.Collection.Shown != nil:
		return v.Collection.Shown.AutoStartToken
	}
	return ""
}

// deadlineOf returns until when the person can approve or answer; zero: not known.
func deadlineOf(v connect.View) time.Time {
	switch {
	case v.Consent != nil && v.Consent.Status.Pending():
		return v.Consent.AuthorizeBy
	case v.Collection != nil && v.Collection.Shown != nil:
		return v.Collection.Shown.Expires
	}
	return time.Time{}
}

// wholeOf returns how long the time until the deadline was at its beginning; zero: not known.
func wholeOf(v connect.View) time.Duration {
	until, from := deadlineOf(v), v.Flow.StateAt
	if v.Consent != nil {
		from = v.Consent.CreatedAt
	}
	if until.IsZero() || from.IsZero() {
		return 0
	}
	return until.Sub(from)
}

// messageOf returns what BankID says to the person, in the language of the page where its
// text is known (docs/reference/banks.md 13), or "".
func messageOf(say *words.Texts, v connect.View) string {
	if v.Shown == nil {
		return ""
	}
	m := v.Shown.UserMessage
	if key := words.Key("rfa." + strings.ToLower(strings.TrimPrefix(m.Code, "RFA"))); m.Code != "" && say.Has(key) {
		return say.Say(key, words.Values{})
	}
	return m.Text
}
