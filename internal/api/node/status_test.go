package node

import (
	"strings"
	"testing"
	"time"

	"samla/internal/availability"
	"samla/internal/company"
	"samla/internal/uptime"
)

func share(s float64) *float64 { return &s }

// institutions are two as they are published: one with figures, one with few persons.
func institutions(days int) []uptime.Institution {
	start := time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)
	figures := availability.Published{Availability: share(0.75), Errors: map[availability.Cause]*float64{availability.ByInstitution: share(0.25), availability.BySamla: nil}}
	fast := 250 * time.Millisecond
	figures.P50 = &fast
	a := uptime.Institution{Company: company.Company{ID: "se-a", DisplayName: `A <script>alert(1)</script> "bank"`},
		Condition: company.Condition{Availability: company.Degraded, Measured: true, Cause: company.FailedHere}, LastDay: uptime.Figures{Start: start, Published: figures}}
	b := uptime.Institution{Company: company.Company{ID: "se-b", DisplayName: "B"}, Condition: company.Condition{Availability: company.Available}}
	for range days {
		a.Days, a.Hours = append(a.Days, a.LastDay), append(a.Hours, a.LastDay)
		b.Days, b.Hours = append(b.Days, uptime.Figures{Start: start}), append(b.Hours, uptime.Figures{Start: start})
	}
	return []uptime.Institution{a, b}
}

func TestStatusPage_SaysWhyAndEscapes(t *testing.T) {
	for _, days := range uptime.Days() {
		page, err := statusPage(institutions(days), time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC), days)
		if err != nil {
			t.Fatal(err)
		}
		text := string(page)
		for _, want := range []string{"2026-11-27 08:00:00 UTC", "Degraded: this server cannot use it", "Available (few persons lately)", "75 %", "250ms", "fewer than five persons", "&lt;script&gt;"} {
			if !strings.Contains(text, want) {
				t.Errorf("%d days: the page lacks %q", days, want)
			}
		}
		if strings.Contains(text, "<script") || strings.Contains(text, "http") {
			t.Error("the page has a script or an address")
		}
		if got := strings.Count(text, "<li "); got != 2*days {
			t.Errorf("%d days: %d cells", days, got)
		}
	}
}

// source counts how often it is asked.
type source struct {
	at    time.Time
	asked int
}

func (s *source) Published(days int) ([]uptime.Institution, time.Time) {
	s.asked++
	return institutions(days), s.at
}

// An answer is made once, until there are newer figures.
func TestStatus_MakesAnAnswerOnce(t *testing.T) {
	s := &source{at: time.Unix(1, 0)}
	made := &statusDocuments{source: s, made: map[statusKey]madeStatus{}}
	of := func(key statusKey) *document {
		d, err := made.of(key)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	first, page := of(statusKey{1, false}), of(statusKey{1, true})
	if of(statusKey{1, false}) != first || of(statusKey{1, true}) != page || first == page {
		t.Error("an answer was made twice")
	}
	s.at = time.Unix(2, 0)
	if of(statusKey{1, false}) == first {
		t.Error("an old answer is given although there are newer figures")
	}
	if again := of(statusKey{1, false}); again.tag != first.tag || of(statusKey{7, false}).tag == first.tag {
		t.Error("the tag must stay while the figures do, and change with them")
	}
	if want := `"company":"se-a"`; !strings.Contains(string(first.plain), want) || !strings.Contains(string(first.plain), `"errors":{"BANK":0.25,"SAMLA":null},"p50Ms":250,"p95Ms":null`) {
		t.Errorf("%s", first.plain)
	}
}
