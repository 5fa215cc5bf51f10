package look

import (
	"cmp"
	"html/template"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Charts are SVG that the server draws: no style attributes, coordinates to a tenth. A
// missing value (NaN) is a gap, never zero. What a chart shows is said in its description,
// and its figures stand in a table beside it.

// svg collects the elements of a picture.
type svg struct{ strings.Builder }

func (s *svg) add(parts ...string) {
	for _, p := range parts {
		s.WriteString(p)
	}
}

// num writes a coordinate to a tenth.
func num(v float64) string {
	return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64)
}

func escape(text string) string { return template.HTMLEscapeString(text) }

// html ends a picture. Its texts were escaped when they were added.
func (s *svg) html() template.HTML { return template.HTML(s.String()) } //nolint:gosec // see above

// line returns a line through points, with gaps where a value is missing.
func line(xs, ys []float64) string {
	var b strings.Builder
	pen := false
	for i := range ys {
		if math.IsNaN(ys[i]) {
			pen = false
			continue
		}
		if pen {
			b.WriteByte('L')
		} else {
			b.WriteByte('M')
		}
		pen = true
		b.WriteString(num(xs[i]) + " " + num(ys[i]))
	}
	return b.String()
}

// Spark is a small line without axes, such as the success over 24 hours from 50 to 100 %.
type Spark struct {
	Label     string // what one should see
	Values    []float64
	Low, High float64 // of the picture; values outside are drawn at its edge
	BadFrom   int     // index from which the line is red; less than 1 = never
}

// HTML draws the line, 120 by 28.
func (s Spark) HTML() template.HTML {
	const left, right, top, bottom = 2, 114, 3, 25
	xs, ys := make([]float64, len(s.Values)), make([]float64, len(s.Values))
	last := -1
	for i, v := range s.Values {
		xs[i] = left
		if len(s.Values) > 1 {
			xs[i] += (right - left) * float64(i) / float64(len(s.Values)-1)
		}
		ys[i] = math.NaN()
		if !math.IsNaN(v) && s.High > s.Low {
			share := min(max((v-s.Low)/(s.High-s.Low), 0), 1)
			ys[i] = bottom - (bottom-top)*share
			last = i
		}
	}
	var out svg
	out.add(`<svg class="spark" viewBox="0 0 120 28" role="img" aria-label="`, escape(s.Label), `">`)
	well := len(ys)
	if s.BadFrom > 0 && s.BadFrom < len(ys) {
		well = s.BadFrom + 1
		out.add(`<path class="s-line s-bad" d="`, line(xs[s.BadFrom:], ys[s.BadFrom:]), `"/>`)
	}
	out.add(`<path class="s-line" d="`, line(xs[:well], ys[:well]), `"/>`)
	if last >= 0 {
		class := "f-good"
		if well < len(ys) {
			class = "f-bad"
		}
		out.add(`<circle class="`, class, `" cx="`, num(xs[last]), `" cy="`, num(ys[last]), `" r="2.5"/>`)
	}
	out.add(`</svg>`)
	return out.html()
}

// Attributions are the classes of the causes of failures, in the order of every chart:
// institution, Samla, person, client.
var Attributions = [4]string{"f-bank", "f-samla", "f-person", "f-client"}

// Shares draws four counts as one bar of 72 by 8, with gaps of 1. A word stands beside it.
func Shares(counts [4]int) template.HTML {
	total := 0
	for _, n := range counts {
		total += n
	}
	var out svg
	out.add(`<svg viewBox="0 0 72 8" width="72" height="8" aria-hidden="true">`)
	x := 0.0
	for i, n := range counts {
		if n <= 0 || total == 0 {
			continue
		}
		width := max(72*float64(n)/float64(total)-1, 0.4)
		out.add(`<rect class="`, Attributions[i], `" x="`, num(x), `" width="`, num(width), `" height="8"/>`)
		x += width + 1
	}
	out.add(`</svg>`)
	return out.html()
}

// Bar draws a share, 0 to 1, of a class such as "f-bank".
func Bar(class string, share float64) template.HTML {
	var out svg
	out.add(`<svg viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true"><rect class="f-sunk" width="100" height="12"/><rect class="`, escape(class), `" width="`,
		num(100*min(max(share, 0), 1)), `" height="12"/></svg>`)
	return out.html()
}

// Strip draws a day, or another span, as a block each; classes are f-good, f-warn, f-bad
// and f-none.
func Strip(label string, classes []string) template.HTML {
	var out svg
	width := strconv.Itoa(max(10*len(classes)-2, 0))
	out.add(`<svg class="strip" viewBox="0 0 `, width, ` 32" preserveAspectRatio="none" role="img" aria-label="`, escape(label), `">`)
	for i, class := range classes {
		out.add(`<rect class="`, escape(class), `" x="`, strconv.Itoa(10*i+1), `" width="8" height="32" rx="2"/>`)
	}
	out.add(`</svg>`)
	return out.html()
}

// Chart is what larger charts have in common. It is drawn 1000 wide.
type Chart struct {
	ID    string // unique on the page, a word
	Title string
	Desc  string // what one should see
	Ticks []Tick // of the vertical axis, from the bottom
	Marks []Mark // of the horizontal axis
	Band  *Band
}

// Tick is a line of the vertical axis.
type Tick struct {
	At    float64
	Label string
	Limit bool
}

// Mark is a label of the horizontal axis, at 0 to 1.
type Mark struct {
	At    float64
	Label string
}

// Band is an incident: from and to, 0 to 1, with its time in words.
type Band struct {
	From, To float64
	Label    string
}

const chartLeft, chartRight, chartTop = 56.0, 916.0, 14.0

func (c Chart) begin(out *svg, height int, bottom float64, y func(float64) float64) {
	h := strconv.Itoa(height)
	id := escape(c.ID)
	out.add(`<svg class="chart" viewBox="0 0 1000 `, h, `" role="img" aria-labelledby="`, id, `-t `, id, `-d"><title id="`, id, `-t">`, escape(c.Title), `</title><desc id="`, id, `-d">`,
		escape(c.Desc), `</desc>`)
	x := func(at float64) string { return num(chartLeft + (chartRight-chartLeft)*at) }
	if b := c.Band; b != nil {
		out.add(`<rect class="f-soft" x="`, x(b.From), `" y="`, num(chartTop), `" width="`, num((chartRight-chartLeft)*(b.To-b.From)), `" height="`, num(bottom-chartTop), `"/>`)
	}
	for _, t := range c.Ticks {
		class := "grid"
		if t.Limit {
			class = "limit"
		}
		at := y(t.At)
		out.add(`<path class="`, class, `" d="M`, num(chartLeft), ` `, num(at), `H`, num(chartRight), `"/><text x="`, num(chartLeft-8), `" y="`, num(at+4), `" text-anchor="end">`, escape(t.Label), `</text>`)
	}
	for _, m := range c.Marks {
		anchor := "middle"
		switch {
		case m.At <= 0.02:
			anchor = "start"
		case m.At >= 0.98:
			anchor = "end"
		}
		out.add(`<text x="`, x(m.At), `" y="`, num(bottom+20), `" text-anchor="`, anchor, `">`, escape(m.Label), `</text>`)
	}
}

func (c Chart) end(out *svg) template.HTML {
	if b := c.Band; b != nil && b.Label != "" {
		out.add(`<text class="strong" x="`, num(chartLeft+(chartRight-chartLeft)*b.From-8), `" y="`, num(chartTop+14), `" text-anchor="end">`, escape(b.Label), `</text>`)
	}
	out.add(`</svg>`)
	return out.html()
}

// Series is a line of a chart. Class is p50, p95 or p99: their lines differ, not only
// their colours.
type Series struct {
	Class, Label string
	Values       []float64
}

// Lines draws lines over time, in which the values are evenly spaced. With log, the axis
// is logarithmic and values are at least Low.
func (c Chart) Lines(series []Series, low, high float64, log bool) template.HTML {
	const height, bottom = 260, 232.0
	y := func(v float64) float64 {
		share := (v - low) / (high - low)
		if log {
			share = math.Log(max(v, low)/low) / math.Log(high/low)
		}
		return bottom - (bottom-chartTop)*min(max(share, 0), 1)
	}
	var out svg
	c.begin(&out, height, bottom, y)
	ends := make([]float64, len(series)) // where the labels stand
	for k, s := range series {
		xs, ys := make([]float64, len(s.Values)), make([]float64, len(s.Values))
		last := -1
		for i, v := range s.Values {
			xs[i] = chartLeft + (chartRight-chartLeft)*float64(i)/float64(max(len(s.Values)-1, 1))
			ys[i] = math.NaN()
			if !math.IsNaN(v) {
				ys[i], last = y(v), i
			}
		}
		out.add(`<path class="`, escape(s.Class), `" d="`, line(xs, ys), `"/>`)
		ends[k] = math.NaN()
		if last >= 0 {
			ends[k] = ys[last] + 4
		}
	}
	for k, at := range apart(ends, labelHeight) {
		if !math.IsNaN(at) {
			out.add(`<text class="strong" x="`, num(chartRight+8), `" y="`, num(at), `">`, escape(series[k].Label), `</text>`)
		}
	}
	return c.end(&out)
}

// labelHeight is the least distance of two labels at the ends of lines.
const labelHeight = 15

// apart moves places apart until none is nearer to another than least: upwards, the lowest
// stays. Missing ones (NaN) stay missing.
func apart(places []float64, least float64) []float64 {
	var order []int
	for i, at := range places {
		if !math.IsNaN(at) {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(places[b], places[a]) })
	moved := slices.Clone(places)
	for n := 1; n < len(order); n++ {
		moved[order[n]] = min(moved[order[n]], moved[order[n-1]]-least)
	}
	return moved
}

// Columns draws a column of four counts for each span, in the order of Attributions. A
// column higher than high is cut visibly, and its number is written.
func (c Chart) Columns(spans [][4]int, high int) template.HTML {
	const height, bottom = 190, 164.0
	scale := (bottom - chartTop) / float64(max(high, 1))
	y := func(v float64) float64 { return bottom - v*scale }
	var out svg
	c.begin(&out, height, bottom, y)
	step := (chartRight - chartLeft) / float64(max(len(spans), 1))
	for i, counts := range spans {
		x, top, total := chartLeft+step*float64(i)+step*0.08, bottom, 0
		for j, n := range counts {
			total += n
			size := min(float64(n)*scale, top-chartTop)
			if n <= 0 || size <= 0 {
				continue
			}
			out.add(`<rect class="`, Attributions[j], `" x="`, num(x), `" y="`, num(top-size), `" width="`, num(step*0.84), `" height="`, num(max(size-1, 0.6)), `"/>`)
			top -= size
		}
		if total > high {
			out.add(`<path class="cut" d="M`, num(x-3), ` `, num(chartTop+18), `l`, num(step*0.84+6), ` -8"/><text class="strong" x="`, num(x+step*0.42), `" y="`, num(chartTop-3), `" text-anchor="middle">`, strconv.Itoa(total), `</text>`)
		}
	}
	return c.end(&out)
}
