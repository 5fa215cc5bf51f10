package connect

import (
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"samla/internal/authorize"
	"samla/internal/company"
	"samla/internal/connect"
	"samla/internal/consent"
	"samla/internal/dialogue"
	"samla/internal/fault"
	"samla/internal/flow"
	"samla/internal/ident"
	"samla/internal/pages/look"
	"samla/internal/qr"
	"samla/internal/words"
)

// fill adds what the state's template shows.
func (d *shown) fill(h *handler, r *http.Request, say *words.Texts) {
	v := words.Values{Asker: d.Asker, Institution: d.At, Operator: h.Operator}
	now := h.Clock.Now()
	if until := deadlineOf(d.View); !until.IsZero() {
		d.Until, d.Now, d.Whole = until.UnixMilli(), now.UnixMilli(), wholeOf(d.View).Milliseconds()
		v.Min, v.Sec = clockOf(until.Sub(now))
	}
	stop := func(at int, bad bool) { d.Relay = look.NewRelay(say.Say("c.you", v), h.Operator, d.At, at, bad) }
	switch s := d.Flow.State; s {
	case flow.Start:
		d.choose(h, r, say)
	case flow.Review:
		d.review(h, r, say, v)
	case flow.Opening, flow.Returned:
		stop(2, false)
	case flow.QR:
		d.code(say, v, now)
	case flow.App, flow.InApp:
		stop(0, false)
		d.AppURL = look.AppURL(tokenOf(d.View), r.UserAgent(), h.PublicURL()+connect.Path+d.Flow.ID) // without the key: others read it
	case flow.Bank, flow.Elsewhere:
		stop(0, false)
		d.page(h)
	case flow.PickAccounts:
		list, err := h.Connect.Listed(r.Context(), d.Flow)
		if err != nil {
			h.Log.Error("the accounts that a person can choose from could not be read", "error", err)
		}
		d.accounts(list, say, v)
	case flow.AskCode, flow.AskChoice, flow.AskContact, flow.AskInput, flow.AskEmail, flow.AskWait, flow.AskDevice:
		d.ask(say, v)
	case flow.Reading:
		stop(2, false)
		d.reading(say, v)
	case flow.Done:
		d.done(h, say)
		d.got(h, r, say)
	case flow.Failed:
		d.End = endingOf(d.Flow.Failure)
		stop(map[string]int{"turn.you": 0, "turn.us": 1, "turn.institution": 2}[d.End.Turn], d.End.Turn != "turn.none")
		d.Granted = say.Clock(d.Flow.StateAt.In(h.kit.Zone()))
	}
	if d.Message == "" {
		d.Message = messageOf(say, d.View)
	}
}

func clockOf(left time.Duration) (minutes, seconds string) {
	left = max(left, 0)
	return fmt.Sprint(int(left.Minutes())), fmt.Sprintf("%02d", int(left.Seconds())%60)
}

// choose lists the institutions that the link offers and the search finds: those whose name
// is, or begins with, what was typed before the others.
func (d *shown) choose(h *handler, r *http.Request, say *words.Texts) {
	d.Search = r.URL.Query().Get("q")
	typed := plain(d.Search)
	rank := map[string]int{}
	for _, i := range h.Institutions.Offered() {
		c := i.Company
		if !d.Flow.Terms.Offers(c.ID, c.PSD2) {
			continue
		}
		name := plain(c.DisplayName)
		switch {
		case name == typed:
		case strings.HasPrefix(name, typed):
			rank[c.ID] = 1
		case strings.Contains(name, typed), strings.Contains(c.ID, typed):
			rank[c.ID] = 2
		default:
			continue
		}
		d.Rows = append(d.Rows, d.row(h, say, c))
	}
	slices.SortStableFunc(d.Rows, func(a, b look.Row) int {
		if x, y := rank[a.ID], rank[b.ID]; x != y {
			return x - y
		}
		return strings.Compare(plain(a.Title), plain(b.Title))
	})
	d.Found = len(d.Rows)
}

func (d *shown) row(h *handler, say *words.Texts, c company.Company) look.Row {
	row := look.Row{ID: c.ID, Title: c.DisplayName, Address: d.With("choose", c.ID), Sub: say.Say("inst.kind.bank", words.Values{})}
	if !c.PSD2 {
		row.Sub = ""
	}
	v := words.Values{Institution: c.DisplayName}
	for _, f := range d.Former {
		if f.Company == c.ID {
			v.Date = say.Date(f.ExpiresAt.In(h.kit.Zone()))
			row.Sub = say.Say("inst.has", v)
		}
	}
	switch condition := h.Health.Condition(c.ID, h.Clock.Now()); {
	case condition.Availability == company.Unavailable && condition.Cause == company.FailedHere:
		row.Off, row.Sub, row.SubKind, row.SubIcon = true, say.Say("inst.ours", v), "bad", "bad"
	case condition.Availability == company.Unavailable:
		v.Time = say.Clock(condition.Since.In(h.kit.Zone()))
		row.Off, row.Sub, row.SubKind, row.SubIcon = true, say.Say("inst.down", v), "bad", "bad"
	case condition.Availability == company.Degraded && condition.Cause == company.Slow:
		row.Sub, row.SubKind, row.SubIcon = say.Say("inst.slow", v), "warn", "clock"
	case condition.Availability == company.Degraded:
		row.Sub, row.SubKind, row.SubIcon = say.Say("inst.degraded", v), "warn", "warn"
	}
	return row
}

// plain returns a text as searches compare it: without case and accents.
func plain(text string) string {
	return accents.Replace(strings.ToLower(strings.TrimSpace(text)))
}

var accents = strings.NewReplacer("å", "a", "ä", "a", "á", "a", "à", "a", "æ", "a", "ö", "o", "ø", "o", "ó", "o", "é", "e", "è", "e", "ü", "u", "ñ", "n")

// review offers the ways, and asks for what the institution wants to be told.
func (d *shown) review(h *handler, r *http.Request, say *words.Texts, v words.Values) {
	at := map[string]fault.Field{}
	for _, p := range d.View.Problems {
		at[p.Pointer] = p
	}
	add := func(need, pointer string, f look.Field, required, invalid words.Key) {
		if !d.Has(need) {
			return
		}
		if p, wrong := at[pointer]; wrong {
			key := invalid
			switch p.Code {
			case fault.Required:
				key = required
			case fault.NotAllowed: // of a renewal
				key = "review.pn.other"
			}
			f.Error = say.Say(key, v)
		}
		d.field(f)
	}
	add(company.NeedsPersonalNumber, connect.AtPersonalNumber, look.Field{ID: "pn", Name: "personalNumber", Label: say.Say("review.pn", v), Hint: say.Say("review.pn.hint", v),
		Class: "input-short num", Mode: "numeric", MaxLength: 13, Value: d.Typed.PersonalNumber}, "review.pn.err", "review.pn.check")
	add(company.NeedsEmail, connect.AtEmail, look.Field{ID: "email", Name: "email", Type: "email", Autocomplete: "email", Label: say.Say("review.email", v), Value: d.Typed.Email},
		"contact.err.email", "contact.err.email")
	d.Agree = "review.agree.other"
	for _, w := range d.Ways {
		b := look.Button{Kind: "side", Name: "way", Value: string(w.Kind)}
		switch w.Kind {
		case connect.ThisDevice:
			b.Icon, b.Text, d.Agree = "phone", say.Say("review.same", v), "review.agree.bankid"
		case connect.OtherDevice:
			b.Icon, b.Text, d.Agree = "qr", say.Say("review.other", v), "review.agree.bankid"
		case connect.ByPage:
			b.Text, d.Agree = say.Say("bank.go", v), "review.agree.bank"
		case connect.ByEmail:
			b.Text = say.Say("review.email.go", v)
		case connect.ByMethod:
			b.Text, b.Value = say.Say("c.continue", v), string(w.Kind)+":"+w.Method
		}
		d.Buttons = append(d.Buttons, b)
	}
	if !look.OnPhone(r.UserAgent()) { // a computer scans first
		slices.SortStableFunc(d.Buttons, func(a, b look.Button) int { return order(a) - order(b) })
	}
	if len(d.Buttons) > 0 {
		d.Buttons[0].Kind = "main"
	}
}

func order(b look.Button) int {
	if b.Value == string(connect.OtherDevice) {
		return 0
	}
	return 1
}

// field adds a field of a form, and what is wrong with it to the summary.
func (d *shown) field(f look.Field) {
	d.Fields = append(d.Fields, f)
	if f.Error == "" {
		return
	}
	if d.Problems == nil {
		d.Problems = &look.Problems{}
	}
	d.Problems.Items = append(d.Problems.Items, look.Problem{Field: f.ID, Text: f.Error})
}

// code shows the QR code.
func (d *shown) code(say *words.Texts, v words.Values, now time.Time) {
	d.QR = look.QR{Alt: say.Say("qr.alt", v), Renews: say.Say("qr.renews", v), Stale: say.Say("qr.stale", v)}
	if v.Min != "" {
		d.QR.Left = say.Say("qr.left", v)
	}
	if text := codeOf(d.View); text != "" {
		d.QR.Path, d.QR.Side, _ = qr.Path(text)
	} else if image := imageOf(d.View); image != "" {
		if _, err := base64.StdEncoding.DecodeString(image); err == nil {
			d.QR.PNG = template.URL("data:image/png;base64," + image) //nolint:gosec // base64, as was just checked
		}
	}
	if d.Whole > 0 {
		d.QR.Offset = min(max(int(100-100*(d.Until-now.UnixMilli())/d.Whole), 0), 100)
	}
}

// page says where the page of the institution is.
func (d *shown) page(h *handler) {
	switch {
	case d.Shown != nil:
		d.Go = d.Shown.RedirectURL
		d.Begins = d.Flow.State == flow.Bank && strings.HasPrefix(d.Go, h.PublicURL()+authorize.GoPath)
	case d.Collection != nil && d.Collection.Shown != nil:
		d.Go = d.Collection.Shown.URL
		if u, err := url.Parse(d.Go); err == nil {
			d.Address = u.Host
		}
	}
}

// ask shows a question of the institution.
func (d *shown) ask(say *words.Texts, v words.Values) {
	if d.Collection == nil || d.Collection.Shown == nil {
		return
	}
	q := d.Collection.Shown
	d.Message = clipped(q.Message)
	d.Sent = masked(d.Typed.Email)
	wrong := map[string]bool{}
	for _, p := range d.View.Problems {
		wrong[p.Pointer] = true
	}
	switch d.Flow.State {
	case flow.AskCode:
		f := look.Field{ID: "code", Name: "code", Label: say.Say("code.label", v), Class: "code", Mode: "text", Autocomplete: "one-time-code", MaxLength: 64}
		if q.ResponseType == "NUMBER_CODE" {
			f.Mode = "numeric"
		}
		if slices.ContainsFunc(q.Choices, func(c dialogue.Choice) bool { return c.ID == dialogue.Resend }) {
			d.Resend = dialogue.Resend
		}
		switch {
		case len(d.View.Problems) > 0:
			f.Error = say.Say("code.err.empty", v)
		case q.Wrong:
			f.Error = say.Say("code.err.wrong", v)
		}
		d.field(f)
	case flow.AskChoice:
		for i, c := range q.Choices {
			d.Rows = append(d.Rows, look.Row{Title: c.Name, Kind: "radio", Name: "choice", Value: c.ID, NoTile: true, Checked: len(q.Choices) == 1, ElementID: fmt.Sprint("choice-", i)})
		}
		if len(d.View.Problems) > 0 {
			d.Problems = &look.Problems{Items: []look.Problem{{Field: "choice-0", Text: say.Say("choice.err", v)}}}
		}
	case flow.AskContact, flow.AskInput:
		for _, key := range q.Inputs {
			d.field(inputField(say, v, key, wrong["/values/"+key] || wrong["/value"] && len(q.Inputs) == 1))
		}
	}
}

// accounts lists the accounts to choose from. None is chosen beforehand, unless there is one.
func (d *shown) accounts(list []consent.Account, say *words.Texts, v words.Values) {
	for i, a := range list {
		row := look.Row{Title: clipped(a.Name), Kind: "checkbox", Name: "account", Value: a.ID, NoTile: true, Checked: len(list) == 1, ElementID: fmt.Sprint("account-", i)}
		v.Ref = lastOf(a.ID)
		row.Sub = say.Say("acct.ends", v)
		if a.Currency != "" && a.Currency != homeCurrency {
			row.Sub += " · " + a.Currency
		}
		if row.Title == "" {
			row.Title, row.Sub = row.Sub, ""
		}
		d.Rows = append(d.Rows, row)
	}
	if d.None && len(list) > 0 {
		d.Problems = &look.Problems{Items: []look.Problem{{Field: "account-0", Text: say.Say("acct.err", v)}}}
	}
}

// homeCurrency is that of an account whose currency is not said beside its name.
const homeCurrency = "SEK"

// lastOf returns the last four characters of the number of an account.
func lastOf(id string) string {
	number := []rune(ident.CompactAccount(id))
	return string(number[max(0, len(number)-4):])
}

// clipped returns a text of an institution, no longer than a page quotes one.
func clipped(text string) string {
	if r := []rune(text); len(r) > maxQuote {
		return string(r[:maxQuote])
	}
	return text
}

// masked returns an address as its owner knows it again: a•••@example.com.
func masked(email string) string {
	name, host, found := strings.Cut(email, "@")
	if !found || name == "" {
		return ""
	}
	return string([]rune(name)[:1]) + "•••@" + host
}

// maxQuote is how much of a text of an institution is shown, in characters.
const maxQuote = 300

// inputField returns the field of an input (docs/reference/api.md 5.5).
func inputField(say *words.Texts, v words.Values, key string, wrong bool) look.Field {
	f := look.Field{ID: "input-" + strings.ToLower(key), Name: "input:" + key, Label: key, Required: true}
	switch {
	case strings.Contains(key, "EMAIL"):
		f.Type, f.Autocomplete, f.Label = "email", "email", say.Say("contact.email", v)
		if wrong {
			f.Error = say.Say("contact.err.email", v)
		}
	case strings.Contains(key, "PHONE"):
		f.Type, f.Autocomplete, f.Label, f.Hint = "tel", "tel", say.Say("contact.phone", v), say.Say("contact.phone.hint", v)
		if wrong {
			f.Error = say.Say("contact.err.phone", v)
		}
	case wrong:
		f.Error = say.Say("c.problem", v)
	}
	return f
}

// reading lists what is read.
func (d *shown) reading(say *words.Texts, v words.Values) {
	add := func(state string, keys ...words.Key) {
		for _, key := range keys {
			d.Work = append(d.Work, look.Work{What: say.Say(key, v), State: state, Said: say.Say(words.Key("read.state."+state), v)})
		}
	}
	add("done", "read.approved")
	if d.Institution.Company.PSD2 {
		add("now", "read.accounts")
		if d.Flow.Terms.Balances {
			add("now", "read.balances")
		}
		if d.Flow.Terms.Transactions {
			add("now", "read.transactions")
		}
	} else {
		add("now", "read.holdings", "read.pensions", "read.loans", "read.insurance")
	}
	add("wait", "read.handover")
}

// done says until when the permission holds.
func (d *shown) done(h *handler, say *words.Texts) {
	d.End.Key = "done"
	if d.Collection != nil {
		d.End.Key = map[string]string{"COMPLETED_PARTIAL": "done.partial", "COMPLETED_EMPTY": "done.empty"}[string(d.Collection.Status)]
		if d.End.Key == "" {
			d.End.Key = "done"
		}
	}
	if d.Consent == nil || !d.Consent.WasAuthorized() {
		return
	}
	d.Granted = say.Date(d.Consent.ExpiresAt.In(h.kit.Zone()))
	asked := h.until(d.Flow.Terms, d.Institution, nil)
	if d.Consent.ExpiresAt.Before(asked.AddDate(0, 0, -1)) {
		d.Shortened = d.Granted
	}
}

// got lists what was read. Without it the page is as good: a failure is only logged.
func (d *shown) got(h *handler, r *http.Request, say *words.Texts) {
	k, err := h.Connect.Kinds(r.Context(), d.Flow)
	if err != nil {
		h.Log.Warn("what was read could not be counted for its person", "error", err)
	}
	for _, kind := range []struct {
		key words.Key
		n   int
	}{{"kind.accounts", k.Accounts}, {"kind.cards", k.Cards}, {"kind.transactions", k.Transactions}, {"kind.holdings", k.Holdings}, {"kind.pensions", k.Pensions}, {"kind.loans", k.Loans}} {
		if kind.n > 0 {
			d.Got = append(d.Got, say.Count(kind.key, kind.n, words.Values{}))
		}
	}
}
