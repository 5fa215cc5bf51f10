package views

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"samla/internal/collection"
	"samla/internal/flow"
	"samla/internal/pages/look"
	"samla/internal/store"
)

// funnel counts links by how far their journeys came. Each number is part of the one before.
type funnel struct {
	Links, Opened, Chosen, Started, Approved, Got int
	Going                                         map[string]int // of those that did not get data: they are under way, by where
	Losses                                        map[string]int // of those that got no data and stopped, by where and why
}

// got reports whether a journey has come to what its link asked for.
func got(g store.JourneyGroup) bool {
	return g.State == flow.Done || g.Collection.Class() == collection.Success
}

// funnelOf counts journeys.
func funnelOf(groups []store.JourneyGroup) funnel {
	f := funnel{Going: map[string]int{}, Losses: map[string]int{}}
	for _, g := range groups {
		has, steps := got(g), [...]*int{&f.Links, &f.Opened, &f.Chosen, &f.Started, &f.Approved, &f.Got}
		for i, came := range [...]bool{true, g.Opened, g.Company != "", g.Started, g.Signed || has, has} {
			if !came {
				break
			}
			*steps[i] += g.N
		}
		if !has {
			if s := stopOf(g); s.Going || s.Open {
				f.Going[s.Step] += g.N
			} else {
				f.Losses[s.Step+"\x00"+s.Why] += g.N
			}
		}
	}
	return f
}

// underWay counts the journeys that have neither got data nor stopped.
func (f funnel) underWay() (n int) {
	for _, at := range f.Going {
		n += at
	}
	return n
}

// The steps at which a journey can stop, in their order.
const (
	atLink    = "link"
	atChoice  = "choice"
	atStart   = "start"
	atApprove = "approval"
	atRead    = "reading"
)

// stop is where a journey stopped, and why.
type stop struct {
	Step  string
	Why   string
	Whose int  // whose fault it is
	Going bool // it goes on
	Open  bool // the person can still begin
	Done  bool
}

// stopOf says where a journey stopped, and why.
func stopOf(g store.JourneyGroup) stop {
	s := stop{Whose: byPerson, Done: got(g), Going: g.State.Approving() || g.State == flow.Reading}
	switch {
	case !g.Opened:
		s.Step, s.Why, s.Whose = atLink, "the link was not opened", byPerson
	case g.Company == "":
		s.Step, s.Why = atChoice, "no institution was chosen"
	case !g.Started:
		s.Step, s.Why = atStart, "the approval was not begun"
	case !g.Signed:
		s.Step, s.Why = atApprove, "the person left"
	default:
		s.Step, s.Why = atRead, "reading did not end"
	}
	word := ""
	switch {
	case g.Collection.Terminal() && g.Collection.Class() != collection.Success:
		word = string(g.Collection)
	case g.Failure != "":
		word = string(g.Failure)
	}
	switch {
	case word != "":
		s.Why = why(word)
		if who := attributionOf(word); who >= 0 {
			s.Whose = who
		}
	case g.State == flow.Cancelled:
		s.Why = "cancelled"
	case g.Open, g.State == flow.Start, g.State == flow.Review:
		s.Why, s.Open = s.Why+" yet", true
	}
	return s
}

// stopOfOne is stopOf for one journey, of which it is known how long its link can be opened.
func stopOfOne(j store.Journey, now time.Time) stop {
	j.Open = !j.Opened && now.Before(j.ExpiresAt)
	return stopOf(j.JourneyGroup)
}

// loss returns how many journeys stopped at a step, the most frequent reason, and how often
// it was that.
func (f funnel) loss(step string) (all, n int, reason string) {
	for key, times := range f.Losses {
		at, why, _ := strings.Cut(key, "\x00")
		if at != step {
			continue
		}
		all += times
		if times > n || times == n && why < reason {
			n, reason = times, why
		}
	}
	return all, n, reason
}

// lost says how many journeys are under way at a step, and how many stopped there.
func (f funnel) lost(step string) string {
	var said []string
	if n := f.Going[step]; n > 0 {
		said = append(said, number(n)+" under way")
	}
	switch all, n, reason := f.loss(step); {
	case all > n:
		said = append(said, number(all)+" stopped, mostly: "+reason)
	case all > 0:
		said = append(said, number(all)+" stopped: "+reason)
	}
	return strings.Join(said, " · ")
}

// bars draws the funnel. The greatest loss is red.
func (f funnel) bars() []bar {
	if f.Links == 0 {
		return nil
	}
	steps := []struct {
		name, lost string
		n          int
	}{{"Link made", "", f.Links}, {"Link opened", atLink, f.Opened}, {"Institution chosen", atChoice, f.Chosen}, {"Approval begun", atStart, f.Started}, {"Approved", atApprove, f.Approved}, {"Data, or done", atRead, f.Got}}
	greatest, most := -1, 0
	for i := 2; i < len(steps); i++ {
		if lost, _, _ := f.loss(steps[i].lost); lost > most {
			greatest, most = i, lost
		}
	}
	bars := make([]bar, len(steps))
	for i, s := range steps {
		class := "f-good"
		if i == greatest {
			class = "f-bad"
		}
		bars[i] = bar{Label: s.name, Figure: number(s.n) + " · " + share(s.n, f.Links), Picture: look.Bar(class, float64(s.n)/float64(f.Links)), Why: f.lost(s.lost)}
	}
	return bars
}

// of returns the journeys at a company.
func of(groups []store.JourneyGroup, company string) []store.JourneyGroup {
	var some []store.JourneyGroup
	for _, g := range groups {
		if g.Company == company {
			some = append(some, g)
		}
	}
	return some
}

// funnelPeriods are those of journeys, which are kept for 30 days.
var funnelPeriods = []period{{Name: "24 h", Length: 24 * time.Hour}, {Name: "7 d", Length: 7 * 24 * time.Hour}, {Name: "30 d", Length: 30 * 24 * time.Hour}}

// showFunnel shows how many come from a link to data, by institution.
func (v *views) showFunnel(w http.ResponseWriter, r *http.Request) {
	p, links := choosePeriod(r, funnelPeriods)
	clientID := r.URL.Query().Get("client")
	groups, err := v.groupsOf(r.Context(), window{p.Length, clientID})
	if err != nil {
		failed(w, r, err)
		return
	}
	clients, err := v.Store.Clients(r.Context())
	if err != nil {
		failed(w, r, err)
		return
	}
	byCompany := map[string][]store.JourneyGroup{}
	for _, g := range groups {
		byCompany[g.Company] = append(byCompany[g.Company], g)
	}
	type row struct {
		id string
		funnel
	}
	var rows []row
	for id, some := range byCompany {
		rows = append(rows, row{id, funnelOf(some)})
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Or(b.Chosen-a.Chosen, b.Links-a.Links, strings.Compare(a.id, b.id)) })
	t := table{Title: "By institution", Caption: "Journeys by institution and how far they came", Heads: heads("Institution", "Chosen>", "Approval begun>", "Approved>", "Data>", "From choice to data>", "Greatest loss"),
		Empty: "No link was made in this time."}
	for _, f := range rows {
		if f.id == "" {
			continue
		}
		t.Rows = append(t.Rows, []cell{{Text: v.company(f.id), Href: "/institutions/" + f.id, Tile: f.id}, text(number(f.Chosen)), text(number(f.Started)), text(number(f.Approved)), text(number(f.Got)),
			text(share(f.Got, f.Chosen)), lossCell(f.funnel)})
	}
	all := funnelOf(groups)
	going := all.underWay()
	lead := count(all.Links, "link was", "links were") + " made in the last " + p.Name + "; " + number(going) + " " + plural(going, "is", "are") + " under way."
	v.show(w, r, "FUNNEL", "v/funnel", page{Title: "From link to data", Lead: lead, Periods: links, Filters: []filter{clientFilter(clients, clientID)}, Tables: []table{t}, Data: all.bars()})
}

func lossCell(f funnel) cell {
	most, reason := 0, ""
	for _, step := range []string{atStart, atApprove, atRead} {
		if _, n, why := f.loss(step); n > most {
			most, reason = n, why
		}
	}
	if most == 0 {
		return none("none")
	}
	return cell{Text: reason, Sub: number(most) + " times"}
}

// company returns the name of a company.
func (v *views) company(id string) string {
	if i, found := v.Institutions.Find(id); found {
		return i.Company.DisplayName
	}
	return id
}
