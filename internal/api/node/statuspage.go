package node

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"strconv"
	"time"

	"samla/internal/company"
	"samla/internal/uptime"
)

//go:embed status.html status.css
var pageFiles embed.FS

// pageStyle is the style sheet of the page, which is in the page itself, and pagePolicy
// allows nothing else: no script, no request, no frame.
var (
	pageStyle  = mustRead("status.css")
	pagePolicy = "default-src 'none'; style-src 'sha256-" + hashOf(pageStyle) + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	pageText   = template.Must(template.New("status").Parse(mustRead("status.html")))
)

func mustRead(name string) string {
	text, err := pageFiles.ReadFile(name)
	if err != nil {
		panic("node: " + err.Error())
	}
	return string(text)
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.StdEncoding.EncodeToString(sum[:])
}

type pageData struct {
	Style        template.CSS
	At           string
	Days         int
	Choices      []int
	Institutions []pageInstitution
}

type pageInstitution struct {
	Name, State, Class          string
	Availability, P50, P95, P99 string
	ErrorsThere, ErrorsHere     string
	Each                        string // what a cell stands for
	Cells                       []pageCell
}

type pageCell struct{ Class, Title string }

// mostHours is the largest number of days of which the page shows each hour; of more days
// it shows each day.
const mostHours = 7

// states are the words for the condition of an institution, and their classes.
var states = map[company.Availability][2]string{
	company.Available: {"Available", "good"}, company.Degraded: {"Degraded", "poor"}, company.Unavailable: {"Unavailable", "bad"},
}

var causeWords = map[company.Outcome]string{company.FailedThere: "the institution fails", company.FailedHere: "this server cannot use it", company.Slow: "slow answers"}

// statusPage writes the page.
func statusPage(list []uptime.Institution, at time.Time, days int) ([]byte, error) {
	data := pageData{Style: template.CSS(pageStyle), At: at.Format("2006-01-02 15:04:05"), Days: days, Choices: uptime.Days()} //nolint:gosec // a file of ours
	for _, about := range list {
		state := states[about.Condition.Availability]
		p := pageInstitution{Name: about.Company.DisplayName, State: state[0], Class: state[1],
			Availability: percent(about.LastDay.Availability), P50: duration(about.LastDay.P50), P95: duration(about.LastDay.P95), P99: duration(about.LastDay.P99),
			ErrorsThere: percent(about.LastDay.Errors["BANK"]), ErrorsHere: percent(about.LastDay.Errors["SAMLA"])}
		if word := causeWords[about.Condition.Cause]; word != "" {
			p.State += ": " + word
		} else if !about.Condition.Measured {
			p.State += " (few persons lately)"
		}
		cells, form := about.Hours, "2 January 15:04"
		p.Each = "hour"
		if days > mostHours {
			cells, form, p.Each = about.Days, "2 January", "day"
		}
		for _, f := range cells {
			p.Cells = append(p.Cells, cellOf(f, form))
		}
		data.Institutions = append(data.Institutions, p)
	}
	var out bytes.Buffer
	err := pageText.Execute(&out, data)
	return out.Bytes(), err
}

func cellOf(f uptime.Figures, form string) pageCell {
	when := f.Start.Format(form)
	switch a := f.Availability; {
	case a == nil:
		return pageCell{"none", when + ": fewer than five persons"}
	case *a > 0.8:
		return pageCell{"good", when + ": " + percent(a)}
	case *a > 0.2:
		return pageCell{"poor", when + ": " + percent(a)}
	default:
		return pageCell{"bad", when + ": " + percent(a)}
	}
}

func percent(share *float64) string {
	if share == nil {
		return "–"
	}
	return strconv.Itoa(int(*share*100+0.5)) + " %"
}

func duration(d *time.Duration) string {
	if d == nil {
		return "–"
	}
	return d.Round(time.Millisecond).String()
}
