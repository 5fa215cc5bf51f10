package connect

import (
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"samla/internal/client"
	"samla/internal/connect"
	"samla/internal/fault"
	"samla/internal/flow"
	"samla/internal/institution"
	"samla/internal/pages/look"
	"samla/internal/seal"
	"samla/internal/store"
	"samla/internal/words"
)

// shown is what the templates of the states get.
type shown struct {
	connect.View
	URL, StateURL string
	LeaveURL      string // leads back to the client; "" = it has named no address
	DataURL       string // has the data for the page that frames ours; "" = it gets none
	Key           string // that addresses carry, or ""
	Asker         string
	At            string // display name of the institution
	Ref           string
	Open          string // address of the link, in the interstitial
	Search        string
	Found         int
	Rows          []look.Row
	Fields        []look.Field
	Problems      *look.Problems
	Buttons       []look.Button
	Agree         string // key of the sentence before the buttons
	Relay         *look.Relay
	QR            look.QR
	Message       string // of BankID, or of the institution
	AppURL        template.URL
	Address       string // beginning of the address of the institution's page
	Go            string // address that leads there
	Begins        bool   // Go is a form of ours: the person has begun in this browser, and is not asked
	Until         int64  // milliseconds, until when the person can act; 0 = not known
	Now           int64
	Whole         int64 // milliseconds, how long Until was ahead at first; 0 = not known
	End           ending
	Stop          bool // the person is asked whether to cancel
	Running       bool // the person has gone back to what is approved now
	Choosing      bool // the person has gone back to the list
	Granted       string
	Shortened     string
	Work          []look.Work
	Sent          string   // masked address to which a link was sent, or ""
	Resend        string   // choice that asks for a new code, or ""
	Got           []string // what was read, by kind and number
	Again         string   // way that is begun again by itself, after Busy
}

// polled reports whether the script asks how it stands.
func (d shown) Polled() bool { return d.Flow.State != flow.Ended && d.Flow.State != "" }

// With returns the address of the flow with a member in its query.
func (d shown) With(name, value string) string { return withQuery(d.URL, name, value) }

// Left reports whether the person, or the client's page, has ended the flow: nobody was not
// there for too long.
func (d shown) Left() bool {
	return d.Flow.State == flow.Ended && d.Flow.StateAt.Before(d.Flow.SeenAt.Add(flow.Idle))
}

// asker returns a client; the zero value if it cannot be read.
func (h *handler) asker(r *http.Request, clientID string) client.Client {
	c, err := h.Clients.Client(r.Context(), clientID)
	if err != nil {
		return client.Client{}
	}
	return c
}

// interstitial returns the page of a link that nobody has opened.
func (h *handler) interstitial(r *http.Request, l flow.Link) look.Page {
	say := h.kit.Text(h.language(r, l.Terms))
	asker := h.asker(r, l.ClientID)
	s := h.slip(say, asker, l.Terms, h.only(l.Terms), nil)
	s.Heading = "h1"
	return look.Page{Language: string(say.Language), Content: "c/open", View: "OPEN", Title: s.Title, Brand: asker.Name, Tile: true, Steps: &look.Steps{Now: 1}, Slip: s, SlipTop: true,
		Languages: r.URL.Path, Data: shown{Asker: asker.Name, Open: r.URL.Path}}
}

// only returns the only institution of terms, or none.
func (h *handler) only(t flow.Terms) (i institution.Institution) {
	if len(t.Companies) == 1 {
		i, _ = h.Institutions.Find(t.Companies[0])
	}
	return i
}

func (h *handler) language(r *http.Request, t flow.Terms) words.Language {
	return h.kit.Language(r, t.Language)
}

// page returns the page of a view.
func (h *handler) page(r *http.Request, view connect.View) look.Page {
	f := view.Flow
	say := h.kit.Text(h.language(r, f.Terms))
	asker := h.asker(r, f.ClientID)
	d := shown{View: view, URL: h.place(r, f.ID), StateURL: h.below(r, statePath, f.ID), Asker: asker.Name, At: view.Institution.Company.DisplayName, Ref: refOf(f.ID)}
	if f.Terms.ReturnURL != "" || f.Terms.Origin != "" {
		d.LeaveURL = h.below(r, leavePath, f.ID)
	}
	if f.State == flow.Done && f.CollectionID != "" && f.Terms.Origin != "" && !f.Terms.Silent {
		d.DataURL = h.below(r, dataPath, f.ID)
	}
	if key, carried := h.key(r, f.ID); carried {
		d.Key = key
	}
	d.Stop = r.URL.Query().Get("stop") != "" && f.State == flow.Reading
	at := r.URL.Query().Get("at")
	d.Running = at == "review" && f.State.Approving()
	d.Choosing = at == "start" && f.State == flow.Review && len(f.Terms.Companies) != 1
	if view.Busy {
		d.Again = r.PostFormValue("way")
	}
	d.fill(h, r, say)
	if d.Choosing {
		d.choose(h, r, say)
	}
	p := look.Page{Language: string(say.Language), Content: contentOf(f.State), View: string(f.State), Brand: d.Asker, Tile: true, Action: "c/action", Steps: stepsOf(f.State),
		Languages: d.URL, Scripts: []string{look.Assets.Address("qrcode.js"), bundle.Address("connect.js")}, Data: d}
	if d.Stop {
		p.Content, p.View = "c/stop", "STOP"
	}
	switch {
	case d.Running:
		p.Content, p.View = "c/running", "RUNNING"
	case d.Choosing:
		p.Content, p.View, p.Steps = "c/start", string(flow.Start), stepsOf(flow.Start)
	}
	p.Title = d.title(say)
	if f.State != flow.Ended {
		p.Slip = h.slip(say, asker, f.Terms, view.Institution, &view)
		if p.SlipTop = f.State == flow.Start || f.State == flow.Review || d.Running; !p.SlipTop {
			p.Slip.Mini = d.At
		}
		if f.State == flow.Start || d.Choosing {
			p.Slip.Heading = "h1"
		}
	}
	if (f.State.Approving() && !filled(f.State) || f.State == flow.Reading) && !d.Running {
		p.RefreshPlain = refreshPlain
	}
	return p
}

// refreshPlain is after how many seconds a browser without script looks again.
const refreshPlain = 5

// filled reports whether the page has a form in which something is typed or chosen, which
// would be lost if the page looked again by itself.
func filled(s flow.State) bool {
	return slices.Contains([]flow.State{flow.PickAccounts, flow.AskCode, flow.AskChoice, flow.AskContact, flow.AskInput}, s)
}

// contents are the templates of the states that share one, or are not named as the state.
var contents = map[flow.State]string{flow.InApp: "c/in-app", flow.AskCode: "c/code", flow.AskChoice: "c/choice", flow.AskContact: "c/contact", flow.AskInput: "c/contact",
	flow.AskEmail: "c/email", flow.AskWait: "c/wait", flow.AskDevice: "c/device"}

func contentOf(s flow.State) string {
	if c := contents[s]; c != "" {
		return c
	}
	return "c/" + strings.ToLower(string(s))
}

func stepsOf(s flow.State) *look.Steps {
	switch s {
	case flow.Start:
		return &look.Steps{Now: 1}
	case flow.Reading:
		return &look.Steps{Now: 3}
	case flow.Done:
		return &look.Steps{Now: 3, Done: true}
	case flow.Ended, flow.Cancelled:
		return nil
	}
	return &look.Steps{Now: 2}
}

// title returns the title of the document: the heading of the page, and who asks.
func (d *shown) title(say *words.Texts) string {
	v := words.Values{Asker: d.Asker, Institution: d.At}
	key := titles[d.Flow.State]
	switch {
	case d.Running:
		key = "review.h1"
	case d.Choosing:
		key = "slip.title"
	case d.Stop:
		key = "cancel.ask.h1"
	case d.Flow.State == flow.Review && d.Flow.Terms.Renews != "":
		key = "review.renew.h1"
	case d.Flow.State == flow.Failed:
		key = words.Key(d.End.Title)
	case key == "":
		key = "slip.title"
	}
	return say.Say(key, v) + " – " + d.Asker
}

var titles = map[flow.State]words.Key{flow.Start: "slip.title", flow.Review: "review.h1", flow.Opening: "sign.starting", flow.QR: "qr.h1", flow.App: "app.h1", flow.InApp: "app.h1",
	flow.Bank: "bank.h1", flow.Elsewhere: "go.code.label", flow.Returned: "go.moment", flow.AskCode: "code.h1", flow.AskChoice: "choice.h1", flow.AskContact: "contact.h1",
	flow.AskInput: "input.h1", flow.AskEmail: "email.h1", flow.AskWait: "wait.h1", flow.AskDevice: "device.h1", flow.PickAccounts: "acct.h1", flow.Reading: "read.h1", flow.Done: "done.h1",
	flow.Cancelled: "cancel.h1", flow.Ended: "link.idle.h1"}

// refOf returns what a person can name to somebody who helps: seven characters of the id of
// the flow that are random.
func refOf(id string) string {
	hex := strings.ToUpper(strings.ReplaceAll(id, "-", ""))
	if len(hex) < 7 {
		return hex
	}
	tail := hex[len(hex)-7:]
	return tail[:4] + "-" + tail[4:]
}

// backAddress returns where the person goes at the end, with the link and how the flow
// stands, or "".
func backAddress(f flow.Flow) string {
	if f.Terms.ReturnURL == "" {
		return ""
	}
	u, err := url.Parse(f.Terms.ReturnURL)
	if err != nil {
		return f.Terms.ReturnURL
	}
	q := u.Query()
	q.Set("connectLinkId", f.LinkID)
	q.Set("state", string(f.State))
	u.RawQuery = q.Encode()
	return u.String()
}

// ended answers where there is no flow: why is used, expired, unknown, or browser for a
// browser that is not the one of the flow.
func (h *handler) ended(w http.ResponseWriter, r *http.Request, why string, l flow.Link) {
	language := h.language(r, l.Terms)
	say := h.kit.Text(language)
	d := shown{Asker: h.asker(r, l.ClientID).Name}
	d.End.Key = "link." + why
	if !l.ExpiresAt.IsZero() {
		d.Granted = say.Clock(l.ExpiresAt.In(h.kit.Zone()))
	}
	if d.Asker == "" && why == "browser" {
		d.End.Key = "link.unknown" // who asks is not said to another browser
	}
	status := http.StatusGone
	if why == "unknown" || why == "browser" {
		status = http.StatusNotFound
	}
	h.render(w, r, look.Page{Status: status, Language: string(language), Content: "c/link", View: strings.ToUpper("link_" + why), Title: say.Say(words.Key(d.End.Key+".h1"), words.Values{}),
		Brand: d.Asker, Tile: true, Languages: r.URL.Path, Data: d})
}

// isGone reports whether an error says that what the page is about is there no more: an erasure
// may come between any two readings.
func isGone(err error) bool {
	return errors.Is(err, store.ErrNotFound) || errors.Is(err, seal.ErrKeyDestroyed) ||
		errors.Is(err, fault.New(fault.Unauthorized)) || errors.Is(err, fault.New(fault.ConsentNotFound)) || errors.Is(err, fault.New(fault.UserNotFound))
}

// broken answers when something went wrong here, or when what the page is about is gone.
func (h *handler) broken(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		return
	}
	if isGone(err) {
		h.ended(w, r, "unknown", flow.Link{})
		return
	}
	h.Log.Error("a person on the connect page could not be answered", "error", err)
	h.render(w, r, look.Page{Status: http.StatusInternalServerError, Content: "c/broken", View: "BROKEN", Title: h.kit.Text(h.kit.Language(r)).Say("ce.INTERNAL_ERROR.title", words.Values{}),
		Languages: r.URL.Path, Data: shown{}})
}

func (h *handler) render(w http.ResponseWriter, r *http.Request, p look.Page) {
	look.KeepLanguage(w, r, h.secure())
	if err := h.kit.Render(w, r, p); err != nil {
		h.Log.Error("a page could not be made", "view", p.View, "error", err)
		http.Error(w, "internal error", http.StatusInternalServerError)
	}
}
