package source

import (
	"bytes"
	_ "embed" // go:embed of the page
	"html/template"
	"net/http"
	"strings"
	"time"
)

// inboxPath is the page of what waits for a person outside the dialogue: e-mails with a
// link, requests of apps, pages of institutions.
const inboxPath = "/sandbox/inbox"

//go:embed inbox.html
var inboxSource string

var inboxTemplate = template.Must(template.New("inbox").Parse(inboxSource))

// item is something that waits for a person.
type item struct {
	Kind        string    `json:"kind"` // EMAIL_LINK, APP or PAGE
	Institution string    `json:"institution"`
	To          string    `json:"to"` // e-mail address or personal number of a test person
	Since       time.Time `json:"since"`
	Link        string    `json:"link"` // POST it to do what is asked for; GET shows a page
}

// items returns what waits, the newest first.
func (s *Service) items(base string) []item {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	list := []item{}
	for e := s.order.Back(); e != nil && len(list) < maxItems; e = e.Prev() {
		n := e.Value.(*session)
		if st := n.script.advance(n.State, now); !n.Ended && !st.ended() && n.script[st.Step].Kind.elsewhere() {
			kind := map[stepKind]string{stepMail: forEmail, stepApp: forApp, stepPage: forPage}[n.script[st.Step].Kind]
			list = append(list, item{kind, n.company.ID, n.name(), st.Entered, base + inboxPath + "/" + n.derive(st.Step, "open")})
		}
	}
	return list
}

// maxItems is the maximum length of the list, which a person reads.
const maxItems = 100

// linkState is what has become of a link.
type linkState string

// The states of links.
const (
	linkOpen    linkState = "open"    // it waits for the person
	linkDone    linkState = "done"    // the person has done it just now
	linkUsed    linkState = "used"    // it was used before
	linkLate    linkState = "late"    // the time is over, or the login has ended
	linkUnknown linkState = "unknown" // no such link, or of long ago
)

// status returns the HTTP status of a link.
func (l linkState) status() int {
	return map[linkState]int{linkOpen: http.StatusOK, linkDone: http.StatusOK, linkUsed: http.StatusConflict,
		linkLate: http.StatusGone, linkUnknown: http.StatusNotFound}[l]
}

// link returns the state of a link, after the person has opened it if open is set. The
// error is one of the journal.
func (s *Service) link(token string, open bool) (linkState, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, known := s.byToken[token]
	if !known || !at.session.script[at.step].Kind.elsewhere() {
		return linkUnknown, nil
	}
	n, now := at.session, s.clock.Now()
	before := n.State
	if _, err := s.told(n, "", now); err != nil {
		return "", err
	}
	switch st := n.State; {
	case st.Step > at.step:
		return linkUsed, nil
	case st.Step < at.step && !st.ended() && !n.Ended:
		return linkUnknown, nil
	case n.Ended, st.ended(), now.Sub(n.used) >= sessionLife:
		return linkLate, nil
	case !open:
		return linkOpen, nil
	}
	n.State, _ = n.script.opened(n.State, now)
	if err := s.write(n); err != nil {
		n.State = before
		return "", err
	}
	return linkDone, nil
}

// inbox lists what waits, as a page or, for a client that asks for JSON, as a list.
func (s *Service) inbox(w http.ResponseWriter, r *http.Request) {
	items := s.items("https://" + r.Host)
	if wantsJSON(r) {
		writeJSON(w, http.StatusOK, map[string]any{"items": items})
		return
	}
	s.page(w, http.StatusOK, inboxView{Items: items})
}

func (s *Service) showLink(w http.ResponseWriter, r *http.Request) { s.serveLink(w, r, false) }

// openLink does what a link asks the person to do. It refuses forms of other sites.
func (s *Service) openLink(w http.ResponseWriter, r *http.Request) {
	if http.NewCrossOriginProtection().Check(r) != nil {
		writeJSON(w, http.StatusForbidden, map[string]string{"error": "the request comes from another site's page"})
		return
	}
	s.serveLink(w, r, true)
}

func (s *Service) serveLink(w http.ResponseWriter, r *http.Request, open bool) {
	state, err := s.link(r.PathValue("token"), open)
	switch {
	case err != nil:
		writeError(w, err)
	case wantsJSON(r):
		writeJSON(w, state.status(), map[string]linkState{"link": state})
	default:
		s.page(w, state.status(), inboxView{Link: state})
	}
}

func wantsJSON(r *http.Request) bool { return !strings.Contains(r.Header.Get("Accept"), "text/html") }

// inboxView is the data of the page template.
type inboxView struct {
	Items []item
	Link  linkState // of one link; empty: the list
}

// inboxPolicy allows forms of the page only.
const inboxPolicy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func (s *Service) page(w http.ResponseWriter, status int, v inboxView) {
	var text bytes.Buffer
	if err := inboxTemplate.Execute(&text, v); err != nil {
		writeError(w, err)
		return
	}
	head := w.Header()
	head.Set("Content-Type", "text/html; charset=utf-8")
	head.Set("Content-Security-Policy", inboxPolicy)
	head.Set("Cache-Control", "no-store")
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(status)
	_, _ = w.Write(text.Bytes()) // an error means that the connection is closed
}
