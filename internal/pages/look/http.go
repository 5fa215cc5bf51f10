package look

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"time"

	"samla/internal/words"
)

// Secure sets the headers that every page has (docs/pages.md): no inline script or style,
// nothing of another host, nothing kept by caches or told to other sites. Only the origins
// may frame the page; none = nobody.
func Secure(h http.Header, framing ...string) {
	ancestors := "'none'"
	if len(framing) > 0 {
		ancestors = strings.Join(framing, " ")
	} else {
		h.Set("X-Frame-Options", "DENY")
	}
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors "+ancestors)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()")
	h.Set("Cache-Control", "no-store")
}

// Unchanged lets browsers keep an answer that holds nothing of a person, and ask each time
// whether it has changed (RFC 9110, 8.8.3). It reports that it has not: then all is written.
func Unchanged(w http.ResponseWriter, r *http.Request, body []byte) bool {
	sum := sha256.Sum256(body)
	tag := `W/"` + hex.EncodeToString(sum[:12]) + `"`
	h := w.Header()
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", tag)
	for known := range strings.SplitSeq(r.Header.Get("If-None-Match"), ",") {
		if strings.TrimSpace(known) == tag {
			h.Del("Content-Encoding")
			w.WriteHeader(http.StatusNotModified)
			return true
		}
	}
	return false
}

// Secured sets the headers of Secure on every answer.
func Secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		Secure(w.Header())
		next.ServeHTTP(w, r)
	})
}

// WantsFragment reports whether a request, of a script, asks for the part of a page that
// changes: "Accept: text/html; fragment".
func WantsFragment(r *http.Request) bool {
	kind, parameter, _ := strings.Cut(r.Header.Get("Accept"), ";")
	return strings.TrimSpace(kind) == "text/html" && strings.TrimSpace(parameter) == "fragment"
}

// Passive reports whether no person looks at the answer: a prefetch, a preview, HEAD.
// Such a request must change nothing.
func Passive(r *http.Request) bool {
	purpose := r.Header.Get("Sec-Purpose") + r.Header.Get("Purpose") + r.Header.Get("X-Purpose")
	return r.Method == http.MethodHead || strings.Contains(purpose, "prefetch") || strings.Contains(purpose, "preview")
}

const (
	languageCookie = "samla-lang"
	languageLife   = 365 * 24 * time.Hour
)

func chosen(r *http.Request) string {
	if c, err := r.Cookie(languageCookie); err == nil {
		return c.Value
	}
	return ""
}

// KeepLanguage keeps a language that a request chooses with the query "lang" in a cookie.
func KeepLanguage(w http.ResponseWriter, r *http.Request, secure bool) {
	if l, ok := words.Find(r.URL.Query().Get("lang")); ok && chosen(r) != string(l) {
		http.SetCookie(w, &http.Cookie{Name: languageCookie, Value: string(l), Path: "/", HttpOnly: true, Secure: secure,
			SameSite: http.SameSiteLaxMode, MaxAge: int(languageLife / time.Second)})
	}
}
