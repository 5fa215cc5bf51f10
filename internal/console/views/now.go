package views

import (
	"context"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"time"

	"samla/internal/flow"
	"samla/internal/institution"
	"samla/internal/pages/look"
	"samla/internal/store"
	"samla/internal/webhook"
)

// standing returns how all institutions stand.
func (v *views) standing(ctx context.Context) (standing, error) {
	return v.now.get(ctx, v.Clock, v.readStanding)
}

func (v *views) readStanding(ctx context.Context, now time.Time) (standing, error) {
	var all []known
	for _, i := range v.Institutions.Offered() {
		all = append(all, known{i.Company.ID, i.Company.DisplayName, i.Company.PSD2, v.Health.Condition(i.Company.ID, now)})
	}
	failed, ignored := stoppedBy(byInstitution, bySamla), stoppedBy(byPerson)
	ended, err := v.Store.EndedSince(ctx, now.Add(-lookBack), span)
	if err != nil {
		return standing{}, err
	}
	stopped, err := v.Store.StoppedSince(ctx, now.Add(-lookBack), failed, ignored)
	if err != nil {
		return standing{}, err
	}
	lastHour, err := v.Store.StoppedSince(ctx, now.Add(-time.Hour), failed, ignored)
	if err != nil {
		return standing{}, err
	}
	return standingOf(now, all, ended, stopped, lastHour), nil
}

// sentence says what is wrong with an institution, since when, whose fault it is and how
// many people were stopped.
func (v *views) sentence(l line) string {
	return l.Name + " " + v.trouble(l) + ". " + faultOf(l.whose()) + " " + people(l.Lately) + " " + plural(l.Lately, "was", "were") + " stopped."
}

// trouble says what is wrong and since when, without the name.
func (v *views) trouble(l line) string {
	since := ""
	if !l.Since.IsZero() {
		since = " since " + v.since(l.Since)
	}
	switch {
	case l.State == down && l.whose() == bySamla:
		return "cannot be used by us" + since
	case l.State == down:
		return "has not answered" + since
	case l.Nobody:
		return "has served nobody" + since
	case l.Slow:
		return "is slow" + since
	case l.Hour[1] > 0 && l.Hour[0] >= 2*l.Hour[1] && l.Hour[0] < 6*l.Hour[1]:
		return "fails every " + [...]string{"second", "third", "fourth", "fifth"}[min((l.Hour[0]+l.Hour[1]/2)/l.Hour[1]-2, 3)] + " time" + since
	}
	return "fails often" + since
}

// since writes when something began, to the minute.
func (v *views) since(t time.Time) string {
	if v.Clock.Now().In(v.Zone).Format(time.DateOnly) == t.In(v.Zone).Format(time.DateOnly) {
		return t.In(v.Zone).Format("15:04")
	}
	return v.at(t)
}

// faultOf says whose fault something is.
func faultOf(who int) string {
	switch who {
	case byInstitution:
		return "The fault is theirs."
	case bySamla:
		return "The fault is ours."
	}
	return "It is not clear whose fault it is."
}

// verdict is the sentence of the first page.
func (v *views) verdict(s standing, usual int) note {
	bad := s.bad()
	if len(bad) == 0 {
		n := note{Well: true, Strong: "Every institution answers.", Text: people(s.Hour) + " " + plural(s.Hour, "was", "were") + " stopped in the last hour" + asUsual(s.Hour, usual) + "."}
		if len(s.Lines) > 0 {
			n.Strong = count(len(s.Lines), "institution answers.", "institutions answer.")
		}
		return n
	}
	n := note{Strong: v.sentence(bad[0]), Links: []link{{Text: "Look at " + bad[0].Name, Address: "/institutions/" + bad[0].ID},
		{Text: "See the journeys that stopped", Address: "/journeys?status=FAILED&company=" + bad[0].ID}}}
	for _, l := range bad[1:min(len(bad), 3)] {
		n.Text += " " + l.Name + " " + v.trouble(l) + ", " + [...]string{"not clear whose fault.", "theirs.", "ours."}[l.whose()+1]
	}
	if more := len(bad) - 3; more > 0 {
		n.Text += " " + number(more) + " more " + plural(more, "needs", "need") + " a look."
	}
	return n
}

func asUsual(n, usual int) string {
	if n > 10 && n > 2*usual {
		return ", " + strconv.Itoa(n/max(usual, 1)) + " times the usual " + number(usual)
	}
	return ", as usual"
}

// usual is the median of persons stopped in the same hour of the last four weeks.
func (v *views) usual(now time.Time) int {
	var weeks [4]int
	for _, i := range v.Institutions.Offered() {
		for _, h := range v.Uptime.Measured(i.Company.ID) {
			for week := range weeks {
				if h.Start.Equal(now.Truncate(time.Hour).Add(-time.Duration(week+1) * 7 * 24 * time.Hour)) {
					weeks[week] += int(h.Failed["BANK"] + h.Failed["SAMLA"])
				}
			}
		}
	}
	slices.Sort(weeks[:])
	return (weeks[1] + weeks[2]) / 2
}

type nowData struct {
	Tiles  []look.Stat
	Causes []bar
	Side   string
	Soon   []soon
}

// bar is a line of a bar chart.
type bar struct {
	Label, Figure, Why string
	Picture            template.HTML
}

// soon is something that needs a look before long.
type soon struct {
	When, What string
	Link       link
}

// showNow shows which institution fails, since when, whose fault it is and how many people
// are hit.
func (v *views) showNow(w http.ResponseWriter, r *http.Request) {
	s, err := v.standing(r.Context())
	if err != nil {
		failed(w, r, err)
		return
	}
	usual := v.usual(s.At)
	d := nowData{Side: "the last 24 hours"}
	if d.Tiles, d.Soon, err = v.tiles(r.Context(), s, usual); err != nil {
		failed(w, r, err)
		return
	}
	all := 0
	for _, n := range s.Counts {
		all += n
	}
	for who, n := range s.Counts {
		b := bar{Label: whoNames[who], Figure: number(n) + " · " + share(n, all), Picture: look.Bar(look.Attributions[who], float64(n)/float64(max(all, 1)))}
		for i, c := range s.Causes[who][:min(len(s.Causes[who]), 3)] {
			if i > 0 {
				b.Why += ", "
			}
			b.Why += why(c.Word) + " " + number(c.N)
		}
		if n > 0 || who < byClient {
			d.Causes = append(d.Causes, b)
		}
	}
	answer := v.verdict(s, usual)
	lines := v.lines(s)
	lines.ID, lines.Title = "institutions", "Institutions, by people stopped in 24 hours"
	v.show(w, r, "NOW", "v/now", page{Title: "Now", Note: &answer, Tables: []table{lines}, Data: d})
}

// lines is the table of institutions.
func (v *views) lines(s standing) table {
	t := table{Caption: "Institutions with state and since when, whose fault, people stopped, the 95th percentile of answers and success over 24 hours",
		Heads: heads("Institution", "State", "Whose fault", "Stopped>", "p95>", "Success, 24\u00a0h>"),
		Empty: "No institution is configured. “samla bank add” adds one."}
	for _, l := range s.Lines {
		row := []cell{{Text: l.Name, Sub: kindOf(l.PSD2), Href: "/institutions/" + l.ID, Tile: l.ID}, stateCell(l.State), none("nobody's"),
			text(number(l.Stopped)), none("too little traffic"), text(count(l.Tries, "try", "tries"))}
		if !l.Since.IsZero() {
			row[1].Sub = "since " + v.since(l.Since) + ", " + took(s.At.Sub(l.Since))
		}
		if who := l.mostly(); who >= 0 {
			row[2] = cell{Text: whoNames[who], Picture: look.Shares(l.Counts)}
		}
		if h := v.Uptime.Measured(l.ID); len(h) > 0 {
			row[4] = text(quantile(latency(h, s.At.Add(-lookBack)), 0.95))
		}
		if l.Tries >= leastTries {
			served := l.Tries - l.Counts[byInstitution] - l.Counts[bySamla]
			spark := look.Spark{Label: "Success over 24 hours, from 50 to 100 %", Values: l.Success, Low: 0.5, High: 1}
			if !l.Since.IsZero() {
				spark.BadFrom = max(1, int(l.Since.Sub(s.At.Add(-lookBack).Truncate(span))/span)-1)
			}
			row[5] = cell{Text: share(served, l.Tries), Picture: spark.HTML()}
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func kindOf(psd2 bool) string {
	if psd2 {
		return "Bank · PSD2"
	}
	return "Login"
}

func stateCell(s state) cell {
	switch s {
	case down:
		return cell{Text: "Unavailable", Chip: "bad", Icon: "bad"}
	case troubled:
		return cell{Text: "Degraded", Chip: "warn", Icon: "warn"}
	case quiet:
		return text("Too little traffic")
	}
	return text("Available")
}

// figures are what the tiles of the first page are made of.
type figures struct {
	today, before []store.JourneyGroup // of today, and of the same time a week ago
	ending, told  int
}

// needs are jobs and endpoints that may need a look: the navigation counts them on every page.
type needs struct {
	due, parked int
	oldest      time.Duration
	endpoints   []store.EndpointRow
}

// needed returns them.
func (v *views) needed(ctx context.Context) (needs, error) {
	return v.needs.get(ctx, v.Clock, func(ctx context.Context, now time.Time) (n needs, err error) {
		if n.due, n.oldest, n.parked, err = v.waiting(ctx); err != nil {
			return n, err
		}
		n.endpoints, err = v.Store.EndpointRows(ctx, store.RowFilter{}, now.Add(-time.Hour), store.Page{Limit: mostEndpoints})
		return n, err
	})
}

func (v *views) readFigures(ctx context.Context, now time.Time) (f figures, err error) {
	local := now.In(v.Zone)
	midnight := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, v.Zone)
	if f.today, err = v.Store.JourneyGroups(ctx, midnight, now, ""); err != nil {
		return f, err
	}
	const week = -7 * 24 * time.Hour
	if f.before, err = v.Store.JourneyGroups(ctx, midnight.Add(week), now.Add(week), ""); err != nil {
		return f, err
	}
	f.ending, f.told, err = v.Store.CountEnding(ctx, now, now.Add(7*24*time.Hour))
	return f, err
}

// tiles are the figures of the first page, and what comes up.
func (v *views) tiles(ctx context.Context, s standing, usual int) (tiles []look.Stat, coming []soon, err error) {
	now := s.At
	stopped := look.Stat{Label: "People stopped, last hour", Figure: number(s.Hour), Versus: "usual " + number(usual)}
	if s.Hour > 10 && s.Hour > 2*usual {
		stopped.Worse, stopped.Versus = true, strconv.Itoa(s.Hour/max(usual, 1))+" times the usual "+number(usual)
	}
	f, err := v.tiled.get(ctx, v.Clock, v.readFigures)
	if err != nil {
		return nil, nil, err
	}
	n, err := v.needed(ctx)
	if err != nil {
		return nil, nil, err
	}
	approving, at := 0, funnelOf(f.today)
	for _, g := range f.today {
		if g.State.Approving() || g.State == flow.Reading {
			approving += g.N
		}
	}
	then := funnelOf(f.before)
	linked := look.Stat{Label: "From link to data, today", Figure: "–", Versus: "no link was opened"}
	if at.Opened > 0 {
		rate := 100 * float64(at.Got) / float64(at.Opened)
		linked.Figure, linked.Unit, linked.Versus = strconv.FormatFloat(rate, 'f', 1, 64), "%", number(at.Got)+" of "+number(at.Opened)
		if then.Opened > 0 {
			if fell := 100*float64(then.Got)/float64(then.Opened) - rate; fell >= 5 {
				linked.Worse, linked.Versus = true, strconv.FormatFloat(fell, 'f', 1, 64)+" points below last week"
			}
		}
	}
	waiting := look.Stat{Label: "Oldest job waiting", Figure: took(n.oldest), Versus: number(n.due) + " due"}
	if n.parked > 0 {
		waiting.Versus, waiting.Worse, waiting.Link, waiting.LinkText = number(n.parked)+" parked,", true, "/jobs", "look"
	}
	failing := 0
	for _, e := range n.endpoints {
		if unwell(e) {
			failing++
		}
		if e.State == webhook.Paused && e.Reason != webhook.ByClient {
			coming = append(coming, soon{"Since " + v.at(e.ChangedAt), "an endpoint of webhooks is paused: " + reasonOf(e.Reason) + ", " + count(e.Waiting, "event waits", "events wait") + ".",
				link{Text: "Look at it", Address: "/webhooks/" + e.ID}})
		}
	}
	hooks := look.Stat{Label: "Webhook endpoints failing", Figure: number(failing), Unit: "of " + number(len(n.endpoints)), Worse: failing > 0, Versus: "in the last hour"}
	ends := look.Stat{Label: "Permissions ending in 7 days", Figure: number(f.ending), Versus: number(f.told) + " " + plural(f.told, "has", "have") + " been told"}
	if f.ending > 0 {
		coming = append(coming, soon{"In 7 days", count(f.ending, "permission ends", "permissions end") + ".", link{Text: "See them", Address: "/permissions"}})
	}
	for _, c := range v.certificates() {
		if left := c.until.Sub(now); left < institution.WarnBefore {
			when := "In " + took(left)
			if left < 0 {
				when = "Since " + v.at(c.until)
			}
			coming = append(coming, soon{when, "the " + c.use + " at " + c.at + " " + map[bool]string{true: "has ended", false: "ends"}[left < 0] + ".", link{Text: "Certificates", Address: "/certificates"}})
		}
	}
	return []look.Stat{stopped, linked, {Label: "Approving right now", Figure: number(approving), Versus: "on the connect page"}, waiting, hooks, ends}, coming, nil
}
