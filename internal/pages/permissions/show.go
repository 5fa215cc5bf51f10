package permissions

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"samla/internal/consent"
	"samla/internal/pages/look"
	service "samla/internal/permissions"
	"samla/internal/session"
	"samla/internal/store"
	"samla/internal/words"
)

// renewFrom is how long before its end a permission can be renewed.
const renewFrom = 14

// tellingSoon is how long after a withdrawal it is no news that the institution has not
// been told yet.
const tellingSoon = time.Minute

// card is a permission as it is shown.
type card struct {
	ID, Asker, Institution string
	Who                    string // the asker by law, or ""
	Contact, ContactURL    string // of the asker, or ""
	At                     string // id of the visit
	Reads                  string
	Why                    string
	Until, Last            string
	DaysLeft               int
	Soon                   bool
	Used, Limit            int
	Meter                  []bool
	Ended                  string // a sentence
	Told                   string // another one
	CanRenew               bool
	Fresh                  bool // it was withdrawn just now
}

func (h *handler) institution(id string) string {
	if i, ok := h.Institutions.Find(id); ok {
		return i.Company.DisplayName
	}
	return id
}

// reads names what is read, such as "Accounts, balances".
func (s seen) reads(scope consent.Scope) string {
	text := s.texts.Say("read.accounts", words.Values{})
	if scope.Balances {
		text += " · " + s.texts.Say("read.balances", words.Values{})
	}
	if scope.Transactions {
		text += " · " + s.texts.Say("read.transactions", words.Values{})
	}
	return text
}

func (h *handler) card(s seen, p service.Permission) card {
	local := func(at time.Time) time.Time { return at.In(h.kit.Zone()) }
	c := card{ID: string(p.ID), At: p.Visit.ID, Asker: s.asker, Institution: h.institution(p.Company), Reads: s.reads(p.Scope), Who: s.identity.Named(), Contact: s.identity.Contact, ContactURL: s.identity.ContactURL(), Until: s.texts.Date(local(p.Until)),
		DaysLeft: p.DaysLeft, Soon: p.Status == consent.Authorized && p.DaysLeft < renewFrom, Used: p.Used, Limit: p.Limit}
	if p.Purpose != "" {
		c.Why = s.texts.Say("slip.why", words.Values{Purpose: p.Purpose})
	}
	c.CanRenew = c.Soon || p.Status != consent.Authorized
	for i := range min(p.Limit, 12) {
		c.Meter = append(c.Meter, i < p.Used)
	}
	v := words.Values{Asker: s.asker, Institution: c.Institution, Date: c.Until}
	if !p.Last.IsZero() {
		key := words.Key("perm.last.without")
		if p.Attended {
			key = "perm.last.with"
		}
		last := local(p.Last)
		c.Last = s.texts.Say(key, words.Values{Date: s.texts.Date(last), Time: s.texts.Clock(last)})
	}
	switch {
	case p.Status == consent.Authorized:
	case p.AtBank:
		c.Ended = s.texts.Say("cs.REVOKED.bank", v)
	case p.Status == consent.Revoked:
		c.Ended = s.texts.Say("cs.REVOKED", v)
	default:
		c.Ended = s.texts.Say("cs.EXPIRED", v)
	}
	if p.ByPerson {
		key := words.Key("perm.withdrawn.telling")
		switch {
		case !p.Told.IsZero():
			key, v.Time = "perm.withdrawn.told", s.texts.Clock(local(p.Told))
		case p.NotTold:
			key = "perm.withdrawn.unconfirmed"
		case h.Clock.Now().Sub(p.Until) < tellingSoon:
			key = "perm.withdrawn.now"
		}
		c.Told = s.texts.Say(key, v)
	}
	return c
}

// listData is what the list shows.
type listData struct {
	Valid, Ended []card
	Withdrawn    *card
	Data         []kept
	// MoreValid and MoreEnded are the addresses of the next pages; "" = there is none.
	MoreValid, MoreEnded string
	Later                bool // a page after the first
	SignedIn             bool // with BankID, which does not find all
}

// kept is what is kept for a client, as the list names it.
type kept struct {
	Asker, Query string
	Whole        bool // the person may download and erase it
}

func (h *handler) list(w http.ResponseWriter, r *http.Request) {
	h.signedIn(func(w http.ResponseWriter, r *http.Request, s seen) {
		q := r.URL.Query()
		pages := service.Pages{Valid: number(q.Get("valid")), Ended: number(q.Get("ended"))}
		list, err := h.Service.List(r.Context(), s.all, pages, consent.ID(q.Get("withdrawn")))
		if err != nil {
			h.broken(w, r, err)
			return
		}
		d := listData{SignedIn: s.Person != ""}
		of := map[string]seen{}
		for _, v := range s.all {
			one, err := h.about(r, s.all, v)
			whole := false
			if err == nil {
				whole, err = h.Service.Whole(r.Context(), v)
			}
			if err != nil {
				h.broken(w, r, err)
				return
			}
			of[v.ID] = one
			d.Data = append(d.Data, kept{Asker: one.asker, Query: one.query(), Whole: whole})
		}
		for _, p := range list.Valid {
			d.Valid = append(d.Valid, h.card(of[p.Visit.ID], p))
		}
		for _, p := range list.Ended {
			d.Ended = append(d.Ended, h.card(of[p.Visit.ID], p))
		}
		if p := list.Withdrawn; p != nil {
			c := h.card(of[p.Visit.ID], *p)
			if c.Fresh = p.ByPerson; c.Fresh {
				d.Withdrawn = &c
			} else {
				d.Ended = append([]card{c}, d.Ended...)
			}
		}
		if list.MoreValid {
			d.MoreValid = pageAddress(pages.Valid+1, pages.Ended)
		}
		if list.MoreEnded {
			d.MoreEnded = pageAddress(pages.Valid, pages.Ended+1)
		}
		d.Later = pages != service.Pages{}
		h.render(w, r, h.page(s, "perm/list", "LIST", "perm.h1", r, d))
	})(w, r)
}

// pageAddress returns the address of pages of the list.
func pageAddress(valid, ended int) string {
	q := url.Values{}
	for name, page := range map[string]int{"valid": valid, "ended": ended} {
		if page > 0 {
			q.Set(name, strconv.Itoa(page))
		}
	}
	return Path + "?" + q.Encode()
}

// query names the visit in the addresses of pages, where a person has several.
func (s seen) query() string {
	if len(s.all) < 2 {
		return ""
	}
	return "?at=" + s.ID
}

// owned shows a page about a permission to the person whose it is, among the visits of the
// browser.
func (h *handler) owned(show func(http.ResponseWriter, *http.Request, seen)) func(http.ResponseWriter, *http.Request, seen) {
	return func(w http.ResponseWriter, r *http.Request, s seen) {
		v, err := h.Service.Owner(r.Context(), s.all, consent.ID(r.PathValue("id")))
		if err != nil {
			h.failed(w, r, s, err)
			return
		}
		if s, err = h.about(r, s.all, v); err != nil {
			h.broken(w, r, err)
			return
		}
		show(w, r, s)
	}
}

// reading is a line of a history.
type reading struct{ When, What, How string }

// historyData is what a history shows.
type historyData struct {
	card
	Rows []reading
	More string // address of the next page
}

func (h *handler) history(w http.ResponseWriter, r *http.Request, s seen) {
	page := number(r.URL.Query().Get("page"))
	id := r.PathValue("id")
	p, readings, more, err := h.Service.History(r.Context(), s.Visit, consent.ID(id), page)
	if err != nil {
		h.failed(w, r, s, err)
		return
	}
	d := historyData{card: h.card(s, p)}
	for _, at := range readings {
		local := at.At.In(h.kit.Zone())
		day := s.texts.DayMonth(local)
		if local.Year() != h.Clock.Now().In(h.kit.Zone()).Year() {
			day = s.texts.Date(local)
		}
		row := reading{When: day + " " + s.texts.Clock(local), What: d.Reads, How: s.texts.Say("perm.history.without", words.Values{})}
		if at.Attended {
			row.How = s.texts.Say("perm.history.with", words.Values{})
		}
		switch {
		case at.Failed:
			row.What = s.texts.Say("perm.history.failed", words.Values{})
		case at.Accounts > 0:
			row.What += " " + s.texts.Count("perm.accounts", at.Accounts, words.Values{})
		}
		d.Rows = append(d.Rows, row)
	}
	if more {
		d.More = Path + "/history/" + id + "?page=" + strconv.Itoa(page+1)
	}
	h.render(w, r, h.page(s, "perm/history", "HISTORY", "perm.history", r, d))
}

func (h *handler) withdraw(w http.ResponseWriter, r *http.Request, s seen) {
	id := consent.ID(r.PathValue("id"))
	ended, err := h.Service.Withdraw(r.Context(), s.Visit, id)
	if err != nil {
		h.failed(w, r, s, err)
		return
	}
	// The browser goes on to the list: a reload does not send the form again.
	http.Redirect(w, r, Path+"?withdrawn="+string(ended.ID), http.StatusSeeOther)
}

func (h *handler) renew(w http.ResponseWriter, r *http.Request, s seen) {
	id := consent.ID(r.PathValue("id"))
	address, err := h.Renew(r.Context(), s.Visit, id, s.lang)
	if err != nil {
		h.failed(w, r, s, err)
		return
	}
	http.Redirect(w, r, address, http.StatusSeeOther)
}

// downloadData is what the page of the archive shows.
type downloadData struct {
	Asker, State, Until string
	Size                string
	Query               string
	Folders             []folder
}

// folder is a part of the archive.
type folder struct{ Name, Holds string }

func (h *handler) download(w http.ResponseWriter, r *http.Request, s seen) {
	d := downloadData{Asker: s.asker, Query: s.query(), State: string(s.Archive), Until: s.texts.Clock(s.ArchiveAt.Add(session.ArchiveLife).In(h.kit.Zone()))}
	if s.Archive == session.ArchiveReady && !s.Fetchable(h.Clock.Now()) {
		d.State = ""
	}
	for _, name := range []string{"json", "csv", "audit"} {
		d.Folders = append(d.Folders, folder{name, s.texts.Say(words.Key("perm.download."+name), words.Values{})})
	}
	if d.State == string(session.ArchiveReady) {
		size, err := h.Service.ArchiveSize(r.Context(), s.Visit)
		if err != nil {
			h.broken(w, r, err)
			return
		}
		d.Size = s.texts.Bytes(size)
	}
	p := h.page(s, "perm/download", "DOWNLOAD", "perm.download.h1", r, d)
	if s.Archive == session.ArchiveMaking {
		p.Refresh = 2
	}
	h.render(w, r, p)
}

func (h *handler) ask(w http.ResponseWriter, r *http.Request, s seen) {
	if _, err := h.Service.AskArchive(r.Context(), s.Visit); err != nil {
		h.failed(w, r, s, err)
		return
	}
	http.Redirect(w, r, Path+"/download"+s.query(), http.StatusSeeOther)
}

func (h *handler) archive(w http.ResponseWriter, r *http.Request, s seen) {
	data, err := h.Service.Archive(r.Context(), s.Visit)
	if errors.Is(err, store.ErrNotFound) {
		http.Redirect(w, r, Path+"/download"+s.query(), http.StatusSeeOther)
		return
	}
	if err != nil {
		h.broken(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Disposition", `attachment; filename="samla-`+h.Clock.Now().UTC().Format("2006-01-02")+`.zip"`)
	_, _ = w.Write(data)
}

// eraseData is what the page that erases shows.
type eraseData struct {
	At, Asker   string // the visit that the form is about, and who asks
	Days, Years int
	Error       *look.Problems
}

func (h *handler) eraseForm(w http.ResponseWriter, r *http.Request, s seen) {
	h.render(w, r, h.page(s, "perm/erase", "ERASE", "perm.erase", r, eraseData{At: s.ID, Asker: s.asker, Days: h.BackupDays, Years: h.AuditYears}))
}

// erase erases what the form names. A form that was shown for another visit, which has ended
// or whose cookie has given way to that of another link, erases nothing: there is no way back.
func (h *handler) erase(w http.ResponseWriter, r *http.Request, s seen) {
	if r.URL.Query().Get("at") != s.ID {
		http.Redirect(w, r, Path, http.StatusSeeOther)
		return
	}
	if r.PostFormValue("sure") != "yes" {
		d := eraseData{At: s.ID, Asker: s.asker, Days: h.BackupDays, Years: h.AuditYears,
			Error: &look.Problems{Items: []look.Problem{{Field: "sure", Text: s.texts.Say("perm.erase.err", words.Values{})}}}}
		p := h.page(s, "perm/erase", "ERASE", "perm.erase", r, d)
		p.Status = http.StatusUnprocessableEntity
		h.render(w, r, p)
		return
	}
	if err := h.Service.Erase(r.Context(), s.Visit); err != nil {
		h.failed(w, r, s, err)
		return
	}
	if len(s.all) == 1 {
		h.setCookie(w, "", -1)
	}
	h.message(w, r, message{Title: "perm.erased", View: "ERASED", Language: string(s.lang), Lead: "go.close", Values: words.Values{N: h.BackupDays}, Brand: s.asker})
}

func (h *handler) signOut(w http.ResponseWriter, r *http.Request, s seen) {
	for _, v := range s.all {
		if err := h.Service.SignOut(r.Context(), v); err != nil {
			h.broken(w, r, err)
			return
		}
	}
	h.setCookie(w, "", -1)
	h.message(w, r, message{Title: "perm.signedout", Lead: "go.close", View: "SIGNED_OUT", Language: string(s.lang), Brand: s.asker})
}
