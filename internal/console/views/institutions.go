package views

import (
	"cmp"
	"context"
	"html/template"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"samla/internal/availability"
	"samla/internal/console"
	"samla/internal/deviation"
	"samla/internal/institution"
	"samla/internal/pages/look"
)

// period is a time that a page can be about.
type period struct {
	Name   string
	Length time.Duration
	Step   time.Duration // of a chart
}

// periods are those of an institution: its figures are kept by hours.
var periods = []period{{"24 h", 24 * time.Hour, time.Hour}, {"7 d", 7 * 24 * time.Hour, 6 * time.Hour}, {"90 d", 90 * 24 * time.Hour, 24 * time.Hour}}

// periodOf returns the period that an address names, and the links to all.
func periodOf(r *http.Request) (chosen period, links []link) { return choosePeriod(r, periods) }

func choosePeriod(r *http.Request, periods []period) (chosen period, links []link) {
	chosen = periods[0]
	for _, p := range periods {
		if strings.ReplaceAll(p.Name, " ", "") == r.URL.Query().Get("period") {
			chosen = p
		}
	}
	for _, p := range periods {
		q := cloned(r.URL.Query())
		q.Set("period", strings.ReplaceAll(p.Name, " ", ""))
		q.Del("after")
		links = append(links, link{Text: p.Name, Address: withQuery(r.URL.Path, q), Current: p == chosen})
	}
	return chosen, links
}

// listInstitutions lists all institutions.
func (v *views) listInstitutions(w http.ResponseWriter, r *http.Request) {
	s, err := v.standing(r.Context())
	if err != nil {
		failed(w, r, err)
		return
	}
	t := v.lines(s)
	t.Title = count(len(s.Lines), "institution", "institutions")
	v.show(w, r, "INSTITUTIONS", "v/list", page{Title: "Institutions", Tables: []table{t}})
}

// countInstitutions counts those that need a look.
func (v *views) countInstitutions(ctx context.Context) int {
	s, err := v.standing(ctx)
	if err != nil {
		return 0
	}
	return len(s.bad())
}

// step is what was counted in a step of a chart.
type step struct {
	Start   time.Time
	Persons int64
	Failed  [4]int
	Latency availability.Histogram
}

// stepsOf sums hours up into steps from a time to another one.
func stepsOf(hours []availability.Hour, from, to time.Time, width time.Duration) []step {
	var all []step
	for at := from; at.Before(to); at = at.Add(width) {
		all = append(all, step{Start: at})
	}
	for _, h := range hours {
		i := int(h.Start.Sub(from) / width)
		if h.Start.Before(from) || i >= len(all) {
			continue
		}
		s := &all[i]
		s.Persons += h.Persons
		s.Failed[byInstitution] += int(h.Failed[availability.ByInstitution])
		s.Failed[bySamla] += int(h.Failed[availability.BySamla])
		s.Failed[byPerson] += int(h.Failed[availability.ByPerson])
		for b, n := range h.Latency {
			s.Latency[b] += n
		}
	}
	return all
}

// latency sums the latency of hours up that begin at from or later.
func latency(hours []availability.Hour, from time.Time) (sum availability.Histogram) {
	for _, h := range hours {
		if h.Start.Before(from.Truncate(time.Hour)) {
			continue
		}
		for b, n := range h.Latency {
			sum[b] += n
		}
	}
	return sum
}

// served is the share of persons whom the institution and Samla have served; NaN of nobody.
func (s step) served() float64 {
	if s.Persons == 0 {
		return math.NaN()
	}
	return 1 - float64(s.Failed[byInstitution]+s.Failed[bySamla])/float64(s.Persons)
}

// figure is a picture with the same as a table.
type figure struct {
	Title, Side, Empty string
	Legend             []legend
	Picture            template.HTML
	Table              table
}

type legend struct{ Class, Text string }

var whose = []legend{{"f-bank", "Institution"}, {"f-samla", "Samla"}, {"f-person", "Person"}}

type institutionData struct {
	ID, Name, Kind         string
	State                  cell
	Answer, Served, Failed figure
	Days                   template.HTML
	DaysSide               string
	Strip                  []legend
	Funnel                 []bar
	FunnelSide             string
	Forgiven               figure
	Kinds                  table
	Facts                  []link // of its set-up: name and value
}

// showInstitution shows an institution over time.
func (v *views) showInstitution(w http.ResponseWriter, r *http.Request) {
	i, found := v.Institutions.Find(r.PathValue("id"))
	if !found {
		gone(w, r, "institution")
		return
	}
	s, err := v.standing(r.Context())
	if err != nil {
		failed(w, r, err)
		return
	}
	c := i.Company
	l := line{ID: c.ID, Name: c.DisplayName, PSD2: c.PSD2, State: quiet}
	if at := slices.IndexFunc(s.Lines, func(l line) bool { return l.ID == c.ID }); at >= 0 {
		l = s.Lines[at]
	}
	now := v.Clock.Now()
	p, links := periodOf(r)
	hours := v.Uptime.Measured(c.ID)
	to := now.Truncate(time.Hour).Add(time.Hour)
	steps := stepsOf(hours, to.Add(-p.Length), to, p.Step)
	d := institutionData{ID: c.ID, Name: c.DisplayName, Kind: kindOf(c.PSD2), State: stateCell(l.State), Strip: []legend{{"f-good", "available"}, {"f-warn", "degraded"}, {"f-bad", "unavailable"}, {"f-none", "too little traffic"}}}
	if l.State == well || l.State == quiet {
		d.State.Chip, d.State.Icon = "plain", ""
	}
	d.Answer, d.Served, d.Failed = v.answerTimes(steps, p), v.servedShare(steps, p), v.failures(steps, p)
	d.Days, d.DaysSide = v.days(hours, to)
	groups, err := v.groupsOf(r.Context(), window{length: p.Length})
	if err != nil {
		failed(w, r, err)
		return
	}
	f := funnelOf(of(groups, c.ID))
	d.Funnel, d.FunnelSide = f.bars(), people(f.Chosen)+" chose it"
	if d.Forgiven, d.Kinds, err = v.forgiven(r.Context(), c.ID, steps, p); err != nil {
		failed(w, r, err)
		return
	}
	d.Facts = facts(i)
	answer := v.about(l)
	v.show(w, r, "INSTITUTION", "v/institution", page{Title: c.DisplayName, Crumb: link{Text: "Institutions", Address: "/institutions"}, Periods: links, Note: &answer, Data: d,
		Acts: reachable(i)})
}

// about says how an institution stands, with the evidence.
func (v *views) about(l line) note {
	n := note{Well: l.State >= well}
	switch l.State {
	case quiet:
		n.Strong, n.Text = "Too little traffic to say.", count(l.Tries, "try has", "tries have")+" ended in 24 hours."
	case well:
		n.Strong, n.Text = "It answers.", number(l.Tries)+" tries have ended in 24 hours; "+people(l.Stopped)+" "+plural(l.Stopped, "was", "were")+" stopped."
	default:
		trouble := v.trouble(l)
		n.Strong = "It " + trouble + "."
		n.Text = faultOf(l.whose()) + " " + number(l.Hour[1]) + " of " + number(l.Hour[0]) + " tries of the last hour failed. " + people(l.Stopped) + " " + plural(l.Stopped, "was", "were") + " stopped in 24 hours."
	}
	causes := causesOf(l.Words)
	for i, c := range causes[:min(len(causes), 4)] {
		n.Text += [...]string{" Most often: ", ", ", ", ", ", "}[i] + why(c.Word) + " " + number(c.N)
	}
	if len(causes) > 0 {
		n.Text += "."
	}
	if l.State < well {
		n.Links = []link{{Text: "See the journeys that stopped", Address: "/journeys?status=FAILED&company=" + l.ID}}
	}
	return n
}

// marks label the horizontal axis of a chart.
func (v *views) marks(steps []step, p period) (marks []look.Mark) {
	form := map[time.Duration]string{time.Hour: "15:04"}[p.Step]
	if form == "" {
		form = "2 Jan"
	}
	for i := range 5 {
		n := i * (len(steps) - 1) / 4
		marks = append(marks, look.Mark{At: float64(i) / 4, Label: steps[n].Start.In(v.Zone).Format(form)})
	}
	return marks
}

func (v *views) stepName(s step, p period) string {
	if p.Step < 24*time.Hour {
		return s.Start.In(v.Zone).Format("2 Jan 15:04")
	}
	return s.Start.In(v.Zone).Format("2 Jan")
}

var stepWords = map[time.Duration]string{time.Hour: "by the hour", 6 * time.Hour: "by six hours", 24 * time.Hour: "by the day"}

// answerTimes draws how long calls took.
func (v *views) answerTimes(steps []step, p period) figure {
	f := figure{Title: "Time to answer", Side: "per call, " + stepWords[p.Step] + ", logarithmic", Empty: "No call was answered in this time.",
		Table: table{Caption: "Time to answer", Heads: heads("From", "Calls>", "p50>", "p95>", "p99>")}}
	series := []look.Series{{Class: "p50", Label: "p50"}, {Class: "p95", Label: "p95"}, {Class: "p99", Label: "p99"}}
	worst, any := time.Duration(0), false
	for _, s := range steps {
		calls := int64(0)
		for _, n := range s.Latency {
			calls += n
		}
		for i, q := range []float64{0.5, 0.95, 0.99} {
			value := math.NaN()
			if d := s.Latency.Quantile(q); d != nil {
				value, any = d.Seconds(), true
				worst = max(worst, *d)
			}
			series[i].Values = append(series[i].Values, value)
		}
		if calls > 0 {
			f.Table.Rows = append(f.Table.Rows, []cell{text(v.stepName(s, p)), text(number(int(calls))), text(quantile(s.Latency, .5)), text(quantile(s.Latency, .95)), text(quantile(s.Latency, .99))})
		}
	}
	if !any {
		return f
	}
	chart := look.Chart{ID: "answer", Title: "Time to answer: half, 95 % and 99 % of the calls", Desc: "The slowest step had 99 % of its calls within " + took(worst) + ".", Marks: v.marks(steps, p),
		Ticks: []look.Tick{{At: 0.01, Label: "10 ms"}, {At: 0.1, Label: "100 ms"}, {At: 1, Label: "1 s"}, {At: 10, Label: "10 s"}, {At: 90, Label: "90 s"}}}
	f.Picture = chart.Lines(series, 0.005, 100, true)
	return f
}

// servedShare draws the share of persons who were served.
func (v *views) servedShare(steps []step, p period) figure {
	f := figure{Title: "People served", Side: "share, " + stepWords[p.Step], Empty: "Nobody was there in this time.", Table: table{Caption: "People served", Heads: heads("From", "People>", "Served>")}}
	values, least := make([]float64, len(steps)), 1.0
	for i, s := range steps {
		values[i] = s.served()
		if s.Persons == 0 {
			continue
		}
		least = min(least, values[i])
		failed := s.Failed[byInstitution] + s.Failed[bySamla]
		f.Table.Rows = append(f.Table.Rows, []cell{text(v.stepName(s, p)), text(number(int(s.Persons))), text(share(int(s.Persons)-failed, int(s.Persons)))})
	}
	if len(f.Table.Rows) == 0 {
		return f
	}
	low := 0.5
	if least < low {
		low = 0
	}
	chart := look.Chart{ID: "served", Title: "Share of people who were served", Desc: "The lowest is " + strconv.Itoa(int(math.Round(100*least))) + " %. What the person has to do does not count.", Marks: v.marks(steps, p)}
	for _, at := range []float64{0, 0.25, 0.5, 0.75, 1} {
		if at >= low {
			chart.Ticks = append(chart.Ticks, look.Tick{At: at, Label: strconv.Itoa(int(100*at)) + " %"})
		}
	}
	f.Picture = chart.Lines([]look.Series{{Class: "p50", Label: "served", Values: values}}, low, 1, false)
	return f
}

// failures draws who was stopped, by whose fault.
func (v *views) failures(steps []step, p period) figure {
	f := figure{Title: "People stopped, by whose fault", Legend: whose, Empty: "Nobody was stopped in this time.",
		Table: table{Caption: "People stopped", Heads: heads("From", "Institution>", "Samla>", "Person>")}}
	columns, totals := make([][4]int, len(steps)), []int{}
	for i, s := range steps {
		columns[i] = s.Failed
		if n := s.Failed[0] + s.Failed[1] + s.Failed[2]; n > 0 {
			totals = append(totals, n)
			f.Table.Rows = append(f.Table.Rows, []cell{text(v.stepName(s, p)), text(number(s.Failed[0])), text(number(s.Failed[1])), text(number(s.Failed[2]))})
		}
	}
	if len(totals) == 0 {
		return f
	}
	f.Picture = v.columns("failures", f.Title, columns, totals, steps, p)
	return f
}

// axis returns the top of an axis for these counts, a multiple of three. One column that is
// much higher than the others is cut.
func axis(totals []int) int {
	sorted := slices.Sorted(slices.Values(totals))
	top := sorted[len(sorted)-1]
	if n := len(sorted); n > 2 && top > 4*sorted[n-2] {
		top = 2 * sorted[n-2]
	}
	return (max(top, 3) + 2) / 3 * 3
}

// days draws 90 days as blocks.
func (v *views) days(hours []availability.Hour, to time.Time) (template.HTML, string) {
	steps := stepsOf(hours, to.Add(-90*24*time.Hour), to, 24*time.Hour)
	classes, n, persons, stopped := make([]string, len(steps)), map[string]int{}, 0, 0
	for i, s := range steps {
		served := s.served()
		switch {
		case s.Persons < leastTries:
			classes[i] = "f-none"
		case served <= 0.2:
			classes[i] = "f-bad"
		case served < 0.9:
			classes[i] = "f-warn"
		default:
			classes[i] = "f-good"
		}
		n[classes[i]]++
		persons, stopped = persons+int(s.Persons), stopped+s.Failed[byInstitution]+s.Failed[bySamla]
	}
	label := "90 days: available on " + number(n["f-good"]) + ", degraded on " + number(n["f-warn"]) + ", unavailable on " + number(n["f-bad"]) + ", too little traffic on " + number(n["f-none"])
	return look.Strip(label, classes), share(persons-stopped, persons) + " of people served"
}

// forgiven draws what reading had to forgive, and lists it by kind.
func (v *views) forgiven(ctx context.Context, id string, steps []step, p period) (figure, table, error) {
	f := figure{Title: "What reading had to forgive", Side: "deviations of answers, " + stepWords[p.Step], Empty: "Nothing: every answer was as it should be.",
		Legend: []legend{{"f-bank", "data is missing"}, {"f-client", "read all the same"}}, Table: table{Caption: "Deviations of answers", Heads: heads("From", "Data is missing>", "Read all the same>")}}
	t := table{Title: "What it was", Caption: "Deviations by kind, the most frequent first", Heads: heads("What", "Times>", "Data missing", "First seen"), Empty: "Nothing was forgiven in this time."}
	found, err := v.Store.DeviationsSince(ctx, id, steps[0].Start)
	if err != nil {
		return f, t, err
	}
	first, err := v.Store.FirstDeviations(ctx, id)
	if err != nil || len(found) == 0 {
		return f, t, err
	}
	columns, kinds := make([][4]int, len(steps)), map[deviation.Kind]int{}
	for _, h := range found {
		i, part := min(int(h.Start.Sub(steps[0].Start)/p.Step), len(steps)-1), byClient
		if h.Kind.Incomplete() {
			part = byInstitution
		}
		columns[i][part] += int(h.N)
		kinds[h.Kind] += int(h.N)
	}
	var totals []int
	for i, c := range columns {
		if n := c[byInstitution] + c[byClient]; n > 0 {
			totals = append(totals, n)
			f.Table.Rows = append(f.Table.Rows, []cell{text(v.stepName(steps[i], p)), text(number(c[byInstitution])), text(number(c[byClient]))})
		}
	}
	f.Picture = v.columns("forgiven", f.Title, columns, totals, steps, p)
	for _, k := range slices.SortedFunc(maps.Keys(kinds), func(a, b deviation.Kind) int { return cmp.Or(kinds[b]-kinds[a], cmp.Compare(a, b)) }) {
		lost, since := text("no"), none("before what is kept")
		if k.Incomplete() {
			lost = cell{Text: "yes", Chip: "warn", Icon: "warn"}
		}
		for _, h := range first {
			if h.Kind == k {
				since = text(v.since(h.Start))
			}
		}
		t.Rows = append(t.Rows, []cell{text(causeText(string(k))), text(number(kinds[k])), lost, since})
	}
	return f, t, nil
}

// columns draws counts in steps.
func (v *views) columns(id, title string, columns [][4]int, totals []int, steps []step, p period) template.HTML {
	high := axis(totals)
	chart := look.Chart{ID: id, Title: title, Desc: "At most " + number(slices.Max(totals)) + " in one step.", Marks: v.marks(steps, p)}
	for i := range 4 {
		chart.Ticks = append(chart.Ticks, look.Tick{At: float64(high*i) / 3, Label: number(high * i / 3)})
	}
	return chart.Columns(columns, high)
}

// facts are what is known of the set-up of an institution.
func facts(i institution.Institution) []link {
	verbs := make([]string, 0, 8)
	for _, verb := range i.Capabilities() {
		verbs = append(verbs, strings.ToLower(strings.ReplaceAll(string(verb), "_", " ")))
	}
	all := []link{{Text: "Id", Address: i.Company.ID}, {Text: "Family", Address: i.Family}, {Text: "Can", Address: strings.Join(verbs, ", ")},
		{Text: "Login methods", Address: strings.Join(i.Company.LoginMethods, ", ")}}
	for _, c := range i.Certificates {
		all = append(all, link{Text: c.Use + " ends", Address: c.Until.Format(time.DateOnly)})
	}
	if i.Retired {
		all = append(all, link{Text: "Offered", Address: "no, it is retired"})
	}
	return slices.DeleteFunc(all, func(l link) bool { return l.Address == "" })
}

// reachable is the act of asking an institution whether it can be reached.
func reachable(i institution.Institution) []act {
	if i.Reach == nil {
		return nil
	}
	return []act{{Action: "/institutions/" + i.Company.ID + "/reach", Label: "Reach it now"}}
}

// reachInstitution opens a connection and says what it has shown.
func (v *views) reachInstitution(w http.ResponseWriter, r *http.Request) {
	i, found := v.Institutions.Find(r.PathValue("id"))
	if !found || i.Reach == nil {
		gone(w, r, "institution that can be reached by itself")
		return
	}
	if err := v.record(r.Context(), "reach institution", map[string]string{"company": i.Company.ID}); err != nil {
		failed(w, r, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), reachTime)
	defer cancel()
	reached, err := i.Reach(ctx)
	if err != nil {
		console.Message(w, r, http.StatusOK, i.Company.DisplayName+" cannot be reached", "No connection stood within "+took(reachTime)+". “samla doctor” on this machine says more.")
		return
	}
	said := "The connection stood after " + took(reached.Took) + "."
	if !reached.PartnerUntil.IsZero() {
		said += " Its certificate ends on " + reached.PartnerUntil.Format(time.DateOnly) + "."
	}
	console.Message(w, r, http.StatusOK, i.Company.DisplayName+" can be reached", said)
}

// reachTime limits a try to reach an institution.
const reachTime = 15 * time.Second
