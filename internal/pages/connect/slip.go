package connect

import (
	"time"

	"samla/internal/client"
	"samla/internal/connect"
	"samla/internal/consent"
	"samla/internal/flow"
	"samla/internal/institution"
	"samla/internal/pages/look"
	"samla/internal/words"
)

// mostDays is the longest that a consent holds (RTS art. 10a).
const mostDays = 180

// slip returns the permission slip of terms, at an institution if one is chosen.
func (h *handler) slip(say *words.Texts, asker client.Client, t flow.Terms, at institution.Institution, view *connect.View) *look.Slip {
	v := words.Values{Asker: asker.Name, Purpose: t.Purpose, Operator: h.Operator, Institution: at.Company.DisplayName}
	s := &look.Slip{Title: say.Say("slip.title", v), Stub: say.Say("slip.open", v)}
	if t.Purpose != "" { // a renewal of what was asked for without words has none
		s.Why = say.Say("slip.why", v)
	}
	add := func(key words.Key, row look.SlipRow) {
		row.Term = say.Say(key, v)
		s.Rows = append(s.Rows, row)
	}
	chosen := at.Company.ID != ""
	if chosen {
		add("slip.from", look.SlipRow{Facts: []string{v.Institution}, Strong: true})
	} else {
		v.Institution = say.Say("slip.stop.any", v)
	}
	consents := !chosen && t.Offers(first(t.Companies), true) || chosen && at.Company.PSD2
	logins := !chosen && t.Offers(first(t.Companies), false) || chosen && !at.Company.PSD2
	what := look.SlipRow{}
	read := func(short, long words.Key) {
		what.Facts = append(what.Facts, say.Say(short, v))
		what.Detail = append(what.Detail, say.Say(long, v))
	}
	if consents {
		read("read.accounts", "slip.what.accounts")
		if t.Balances {
			read("read.balances", "slip.what.balances")
		}
		if t.Transactions {
			read("read.transactions", "slip.what.transactions")
			what.Detail = append(what.Detail, say.Say("slip.others", v))
		}
	}
	if logins {
		read("read.holdings", "slip.what.holdings")
		read("read.pensions", "slip.what.pensions")
		read("read.loans", "slip.what.loans")
		read("read.insurance", "slip.what.insurance")
	}
	add("slip.what", what)
	add("slip.never", look.SlipRow{Facts: []string{say.Say("slip.never.text", v)}})
	if consents {
		until := h.until(t, at, view)
		v.N, v.Date = int(until.Sub(h.Clock.Now()).Hours()/24+0.5), say.Date(until.In(h.kit.Zone()))
		long := say.Say("slip.long.days", v)
		v.N = consent.MostReadsPerDay
		add("slip.long", look.SlipRow{Facts: []string{long}, Fine: say.Say("slip.often", v)})
		add("slip.stop", look.SlipRow{Facts: []string{say.Say("slip.stop.text", v)}})
	} else {
		add("slip.long", look.SlipRow{Facts: []string{say.Say("slip.long.once", v)}})
		add("slip.stop", look.SlipRow{Facts: []string{say.Say("slip.stop.once", v)}})
	}
	v.N = int(h.Keep.Hours() / 24)
	add("slip.keep", look.SlipRow{Facts: []string{say.Say("slip.keep.text", v)}})
	add("slip.who", who(say, asker, consents, v))
	if view != nil && view.Flow.Signed {
		at := view.Flow.StateAt.In(h.kit.Zone())
		v.Date, v.Time = say.Date(at), say.Clock(at)
		s.Title, s.Stub, s.Signed = say.Say("slip.title.signed", v), say.Say("slip.signed", v), true
	}
	return s
}

// who says who asks: by the name that the person knows, and by law as far as it is
// registered. A licence is of use where accounts are read under a consent.
func who(say *words.Texts, asker client.Client, consents bool, v words.Values) look.SlipRow {
	row := look.SlipRow{Facts: []string{asker.Name}, Fine: say.Say("slip.who.source", v), Small: true}
	i := asker.Identity
	switch named := i.Named(); {
	case named == "":
	case i.LegalName == asker.Name:
		row.Facts[0] = named
	default:
		row.Facts = append(row.Facts, named)
	}
	if i.Authority != "" && consents {
		v.Authority = i.Authority
		row.Fine = say.Say("slip.who.self", v)
	}
	row.Link, row.LinkTo = i.ContactURL(), i.Contact
	return row
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// until returns when the permission ends: as granted, or as asked for, within what the
// institution allows.
func (h *handler) until(t flow.Terms, at institution.Institution, view *connect.View) time.Time {
	if view != nil && view.Consent != nil && view.Consent.WasAuthorized() {
		return view.Consent.ExpiresAt
	}
	days := mostDays
	if t.ValidDays > 0 {
		days = min(days, t.ValidDays)
	}
	if longest := at.Profile.LongestConsent; longest > 0 {
		days = min(days, longest)
	}
	return h.Clock.Now().AddDate(0, 0, days)
}
