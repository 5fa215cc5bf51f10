package loose_test

import (
	"testing"
	"time"

	"samla/internal/deviation"
	"samla/internal/fact"
	"samla/internal/institution"
	"samla/internal/institution/loose"
)

func TestPage_LeavesOutWhatIsBeforeTheFirstDayOnly(t *testing.T) {
	day := func(s string) time.Time {
		d, _ := time.Parse(time.DateOnly, s)
		return d
	}
	q := institution.Question{Account: "a1", From: "2026-09-01", Until: "2026-10-31"}
	p := loose.NewPage(institution.Answer{Question: q, FetchedAt: day("2026-11-20")}, 4, "")
	for id, booked := range map[string]string{"before": "2026-08-31", "first": "2026-09-01", "undated": "", "after the last": "2026-11-01"} {
		p.Add(fact.Transaction{ID: id, BookingDate: day(booked)})
	}
	r := p.Reading(institution.Question{Kind: "next"})
	if len(r.Facts.Histories) != 1 || r.Facts.Histories[0].Account != "a1" || len(r.Facts.Histories[0].Transactions) != 3 || len(r.Questions) != 1 || len(r.Deviations) != 0 {
		t.Errorf("%+v", r)
	}
	for _, row := range r.Facts.Histories[0].Transactions {
		if row.ID == "before" {
			t.Error("a row of a day before is handed on")
		}
	}
}

func TestPage_CountsAShortHistory(t *testing.T) {
	now := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	for from, want := range map[string]int{"": 0, institution.DaysBefore(now, institution.CertainHistory): 0, institution.DaysBefore(now, 30): 1} {
		p := loose.NewPage(institution.Answer{FetchedAt: now}, 0, from)
		if got := p.Reading().Deviations[deviation.ShortHistory]; got != want {
			t.Errorf("%q: %d", from, got)
		}
	}
}

func TestKnown_CountsWhatIsNotDocumented(t *testing.T) {
	var d deviation.Counts
	values := map[string]int{"booked": 1}
	for said, want := range map[loose.Text]int{"Booked ": 1, "": 0, "other": 0} {
		if got := loose.Known(values, said, &d); got != want {
			t.Errorf("%q: %d", said, got)
		}
	}
	if d[deviation.UnknownValue] != 1 {
		t.Errorf("%v", d)
	}
}

func TestFirstDay_CountsWhatCannotBeRead(t *testing.T) {
	var d deviation.Counts
	if day := loose.FirstDay(&d, "x", "", "2026-11-20"); day.Day() != 20 || d[deviation.UnreadableDate] != 1 {
		t.Errorf("%v, %v", day, d)
	}
	if day := loose.FirstDay(nil, "x"); !day.IsZero() {
		t.Errorf("%v", day)
	}
}
