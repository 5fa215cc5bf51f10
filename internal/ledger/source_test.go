package ledger_test

import (
	"testing"

	"samla/internal/ledger"
)

// whole is a list that was read from the day of March on.
func whole(from int32, texts ...string) ledger.List {
	return ledger.List{Whole: true, From: march(from), Items: items(texts...)}
}

var bankLead = ledger.Lead{Link: "bank", At: now, From: march(5)}

func TestLead_IsTheFirstSource(t *testing.T) {
	list, lead, ok := ledger.Lead{}.Admit(ledger.Reading{Link: "bank", At: now}, whole(1, "+5 -1", "+9 -2", "-0 -3"))
	if !ok || lead != bankLead || len(list.Items) != 3 {
		t.Errorf("%+v", lead)
	}
}

func TestLead_Admits(t *testing.T) {
	for name, tc := range map[string]struct {
		reading  ledger.Reading
		ok       bool
		rows     int
		lead     ledger.Lead
		takeover bool
	}{
		"the lead":             {ledger.Reading{Link: "bank", At: now.Add(1)}, true, 2, ledger.Lead{Link: "bank", At: now.Add(1), From: march(3)}, false},
		"the lead, older":      {ledger.Reading{Link: "bank", At: now.Add(-1)}, false, 0, bankLead, false},
		"another source":       {ledger.Reading{Link: "broker", At: now.Add(ledger.LeadLife)}, true, 0, bankLead, false},
		"the lead is old":      {ledger.Reading{Link: "broker", At: now.Add(ledger.LeadLife + 1)}, true, 2, ledger.Lead{Link: "broker", At: now.Add(ledger.LeadLife + 1), From: march(3)}, true},
		"the lead is gone":     {ledger.Reading{Link: "broker", At: now, LeadGone: true}, true, 2, ledger.Lead{Link: "broker", At: now, From: march(3)}, true},
		"gone, but newer":      {ledger.Reading{Link: "broker", At: now.Add(-1), LeadGone: true}, false, 0, bankLead, false},
		"the same time, again": {ledger.Reading{Link: "bank", At: now}, true, 2, ledger.Lead{Link: "bank", At: now, From: march(3)}, false},
	} {
		list, lead, ok := bankLead.Admit(tc.reading, whole(1, "+3 -1", "+9 -2"))
		if ok != tc.ok || len(list.Items) != tc.rows || lead != tc.lead || list.Takeover != tc.takeover {
			t.Errorf("%s: %d rows, lead %+v, takeover %v", name, len(list.Items), lead, list.Takeover)
		}
	}
}

func TestLead_TakesOlderHistoryFromAnotherSource(t *testing.T) {
	list := ledger.List{Whole: true, From: march(-90), Items: items("+1 -1", "+1 -1", "-1 -1", "+9 -2")}
	list.Items[0].Day, list.Items[1].Day, list.Items[2].Day = march(5)-8, march(5)-7, march(5)-8
	got, lead, ok := bankLead.Admit(ledger.Reading{Link: "broker", At: now.Add(1)}, list)
	if !ok || lead != bankLead || len(got.Items) != 1 || got.Items[0].Day != march(5)-8 || got.To != march(5)-8 || !got.BookedOnly {
		t.Errorf("%+v", got)
	}
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
