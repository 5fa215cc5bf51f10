package ledger_test

import (
	"testing"
	"time"

	"samla/internal/ledger"
)

var (
	bank   = ledger.Source{Company: "se-bank-psd2", Link: "acc-1"}
	broker = ledger.Source{Company: "se-broker", Link: "acc-2"}
)

// whole is a list that was read from the day of March on.
func whole(from int32, texts ...string) ledger.List {
	return ledger.List{Whole: true, From: march(from), Items: items(texts...)}
}

func TestLead_LetsOneSourceDecide(t *testing.T) {
	_, lead, ok := ledger.Lead{}.Admit(bank, now, whole(5, "+5 -1", "+9 -2"))
	if !ok || lead.Source != bank || lead.From != march(5) {
		t.Fatalf("the first source: %+v", lead)
	}
	list, after, ok := lead.Admit(broker, now.Add(time.Hour), whole(1, "+1 -1", "+9 -2", "-0 -3"))
	if !ok || after != lead || len(list.Items) != 0 {
		t.Errorf("another source: %d rows count, lead %+v", len(list.Items), after)
	}
	if list, after, ok = lead.Admit(broker, now.Add(ledger.LeadLife+1), whole(1, "+1 -1")); !ok || after.Source != broker || len(list.Items) != 1 || !list.Takeover {
		t.Errorf("another source after the lead was not read for long: %+v", after)
	}
	renamed := ledger.Source{Company: bank.Company, Link: "acc-9"}
	if list, after, ok = lead.Admit(renamed, now.Add(1), whole(7, "+8 -1")); !ok || after.Source != renamed || after.From != march(5) || list.Takeover {
		t.Errorf("the same company under another id: %+v", after)
	}
	if _, after, ok = lead.Admit(bank, now.Add(-1), whole(1)); ok || after != lead {
		t.Error("an older reading counts")
	}
}

func TestLead_TakesOlderHistoryFromAnotherSource(t *testing.T) {
	lead := ledger.Lead{Source: bank, At: now, From: march(1)}
	list := ledger.List{Whole: true, From: march(-90), Items: items("+1 -1", "+9 -2")}
	list.Items[0].Day = march(1) - ledger.Reach
	got, after, ok := lead.Admit(broker, now, list)
	if !ok || after != lead || len(got.Items) != 1 || got.To != march(1)-ledger.Reach || !got.BookedOnly {
		t.Errorf("%+v", got)
	}
}

// The other source shows the payment a day earlier, before its window.
func TestLead_DoublesNothingAtTheSeamOfATakeover(t *testing.T) {
	var f feed
	list, lead, _ := ledger.Lead{}.Admit(bank, now, whole(1, "+4 -20 text=ICA", "+9 -30 text=Hyra"))
	f.apply(list)
	list, _, _ = lead.Admit(broker, now.Add(ledger.LeadLife+1), whole(5, "+6 -20 text=Kortkop", "+8 -30 text=Betalning"))
	if did := f.apply(list); did != "a3 d2 m1" && did != "m1 m2" {
		t.Errorf("the takeover: %s", did)
	}
	if n := len(f.live()); n != 2 {
		t.Errorf("%d payments instead of 2", n)
	}
}
