package ledger_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"samla/internal/ledger"
)

// whole is a list that was read from the day of March on.
func whole(from int32, texts ...string) ledger.List {
	return ledger.List{Whole: true, From: march(from), Items: items(texts...)}
}

var bankLead = ledger.Lead{Link: "bank", At: now, From: march(5), Oldest: march(5)}

func TestLead_IsTheFirstSource(t *testing.T) {
	list, lead, ok := ledger.Lead{}.Admit(ledger.Reading{Link: "bank", At: now}, whole(1, "+5 -1", "+9 -2", "-0 -3"))
	if !ok || lead != bankLead || len(list.Items) != 3 {
		t.Errorf("%+v", lead)
	}
}

func TestLead_Admits(t *testing.T) {
	led := func(link string, at time.Duration, from int32) ledger.Lead {
		return ledger.Lead{Link: link, At: now.Add(at), From: march(from), Oldest: march(min(from, 5))}
	}
	for name, tc := range map[string]struct {
		reading  ledger.Reading
		first    string // row of the list
		ok       bool
		lead     ledger.Lead
		takeover bool
	}{
		"the lead":             {ledger.Reading{Link: "bank", At: now.Add(1)}, "+7 -1", true, led("bank", 1, 5), false},
		"the lead, longer":     {ledger.Reading{Link: "bank", At: now.Add(1)}, "+3 -1", true, led("bank", 1, 3), false},
		"the lead, older":      {ledger.Reading{Link: "bank", At: now.Add(-1)}, "+3 -1", false, bankLead, false},
		"the same time, again": {ledger.Reading{Link: "bank", At: now}, "+7 -1", true, led("bank", 0, 5), false},
		"another source":       {ledger.Reading{Link: "broker", At: now.Add(ledger.LeadLife)}, "+3 -1", false, bankLead, false},
		"the lead is old":      {ledger.Reading{Link: "broker", At: now.Add(ledger.LeadLife + 1)}, "+3 -1", true, led("broker", ledger.LeadLife+1, 3), true},
		"the lead is gone":     {ledger.Reading{Link: "broker", At: now, LeadGone: true}, "+7 -1", true, led("broker", 0, 7), true},
		"gone, but read later": {ledger.Reading{Link: "broker", At: now.Add(-1), LeadGone: true}, "+3 -1", false, bankLead, false},
	} {
		list, lead, ok := bankLead.Admit(tc.reading, whole(1, tc.first, "+9 -2"))
		if ok != tc.ok || ok && len(list.Items) != 2 || lead != tc.lead || list.Takeover != tc.takeover {
			t.Errorf("%s: %d rows, lead %+v, takeover %v", name, len(list.Items), lead, list.Takeover)
		}
	}
}

func TestLead_TakesOlderHistoryFromOneOtherSource(t *testing.T) {
	list := ledger.List{Whole: true, From: march(-90), Items: items("+1 -1", "+1 -1", "-1 -1", "+9 -2")}
	list.Items[0].Day, list.Items[1].Day, list.Items[2].Day = march(5)-8, march(5)-7, march(5)-8
	got, lead, ok := bankLead.Admit(ledger.Reading{Link: "broker", At: now.Add(1)}, list)
	want := bankLead
	want.Older = "broker"
	if !ok || lead != want || len(got.Items) != 1 || got.Items[0].Day != march(5)-8 || got.Whole {
		t.Errorf("%+v, lead %+v", got, lead)
	}
	if _, _, ok = lead.Admit(ledger.Reading{Link: "broker", At: now.Add(2)}, list); !ok {
		t.Error("the same source does not count again")
	}
	if _, _, ok = lead.Admit(ledger.Reading{Link: "third", At: now.Add(2)}, list); ok {
		t.Error("a third source counts")
	}
}

// Three sources tell the same payments, each with days and texts of its own.
func TestLead_NeverDoublesAPayment(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		type payment struct{ day, amount, off int }
		var paid []payment
		var lead ledger.Lead
		var f feed
		seen := 0 // payments, oldest first, that some list has had
		at := now
		for range rapid.IntRange(1, 10).Draw(rt, "readings") {
			day := 40 * len(paid)
			for range rapid.IntRange(0, 3).Draw(rt, "new payments") {
				day += rapid.IntRange(8, 20).Draw(rt, "after days") // far enough apart to be told apart
				paid = append(paid, payment{day: day, amount: 1 + len(paid)%3, off: rapid.IntRange(-3, 3).Draw(rt, "off")})
			}
			at = at.Add(time.Duration(rapid.IntRange(0, 20).Draw(rt, "days later")) * 24 * time.Hour)
			link := rapid.SampledFrom([]string{"bank", "broker", "app"}).Draw(rt, "link")
			first := rapid.IntRange(0, len(paid)).Draw(rt, "first")
			list := ledger.List{Whole: rapid.Bool().Draw(rt, "whole"), From: 1}
			for _, p := range paid[first:] {
				item := items(fmt.Sprintf("+1 -%d text=%s%d", p.amount, link, p.day))[0]
				if item.Day = 1000 + int32(p.day); link != "bank" {
					item.Day += int32(p.off)
				}
				item.Form = [16]byte{0: byte(len(link)), 1: byte(item.Day), 2: byte(item.Day >> 8)}
				list.Items = append(list.Items, item)
				list.From = min(max(list.From, 1), item.Day)
			}
			if len(list.Items) > 0 {
				list.From = list.Items[0].Day - 1
			}
			got, next, ok := lead.Admit(ledger.Reading{Link: link, At: at, LeadGone: rapid.IntRange(0, 4).Draw(rt, "gone") == 0}, list)
			if lead = next; !ok {
				continue
			}
			f.apply(got)
			seen = max(seen, len(paid))
			if n := len(f.live()); n > seen {
				rt.Fatalf("%d rows for %d payments", n, seen)
			}
		}
	})
}

// The other source shows the payment a day earlier, before its window.
func TestLead_DoublesNothingAtTheSeamOfATakeover(t *testing.T) {
	var f feed
	list, lead, _ := ledger.Lead{}.Admit(ledger.Reading{Link: "bank", At: now}, whole(1, "+4 -20 text=ICA", "+9 -30 text=Hyra"))
	f.apply(list)
	list, _, _ = lead.Admit(ledger.Reading{Link: "broker", At: now, LeadGone: true}, whole(5, "+6 -20 text=Kortkop", "+8 -30 text=Betalning"))
	f.apply(list)
	if n := len(f.live()); n != 2 {
		t.Errorf("%d payments instead of 2", n)
	}
}

// An account that was renumbered begins empty: what its predecessor had stays.
func TestLead_KeepsTheHistoryOfARenumberedAccount(t *testing.T) {
	var f feed
	list, lead, _ := ledger.Lead{}.Admit(ledger.Reading{Link: "old", At: now}, whole(1, "+4 -20 text=ICA", "+9 -30 text=Hyra"))
	f.apply(list)
	for _, texts := range [][]string{{}, {"+20 -40 text=Coop"}} {
		list, _, _ = lead.Admit(ledger.Reading{Link: "new", At: now, LeadGone: true}, whole(1, texts...))
		f.apply(list)
		if n := len(f.live()); n != 2+len(texts) {
			t.Errorf("%d payments instead of %d", n, 2+len(texts))
		}
	}
}
