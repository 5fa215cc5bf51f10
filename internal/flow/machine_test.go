package flow_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"samla/internal/flow"
)

var morning = time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)

func fresh(companies ...string) flow.Flow {
	l := flow.Link{ID: "link", ClientID: "client", UserID: "user", Terms: flow.Terms{Companies: companies}, ExpiresAt: morning.Add(time.Minute)}
	_, f, err := l.Opened("flow", "key", morning)
	if err != nil {
		panic(err)
	}
	return f
}

// walk applies events, each of which must be possible.
func walk(t *testing.T, f flow.Flow, events ...flow.Event) flow.Flow {
	t.Helper()
	for _, e := range events {
		next, err := f.Apply(e, morning)
		if err != nil {
			t.Fatal(err)
		}
		f = next
	}
	return f
}

func sees(s flow.State) flow.See {
	return flow.See{Sight: flow.Sight{State: s, Signed: s == flow.Returned || s == flow.Reading}}
}

func TestFlow_GoesFromTheChoiceToData(t *testing.T) {
	f := walk(t, fresh(), flow.Choose{Company: "se-a"}, flow.Begin{Method: "M", ConsentID: "c"}, sees(flow.Opening), sees(flow.QR),
		sees(flow.InApp), sees(flow.QR), flow.Prefer{OnDevice: true}, sees(flow.App), sees(flow.Returned), flow.Read{CollectionID: "k"}, sees(flow.Reading), sees(flow.AskCode), sees(flow.Reading), sees(flow.Done))
	if f.State != flow.Done || f.ConsentID != "c" || f.CollectionID != "k" || f.Company != "se-a" || !f.Signed {
		t.Errorf("%+v", f)
	}
	f = walk(t, f, flow.Change{})
	if f.State != flow.Start || f.Company != "" || f.ConsentID != "" || f.CollectionID != "" || f.Signed {
		t.Errorf("one more: %+v", f)
	}
}

func TestFlow_BeginsAtReviewWithOneCompany(t *testing.T) {
	f := fresh("se-a")
	if f.State != flow.Review || f.Company != "se-a" {
		t.Fatalf("%+v", f)
	}
	for _, e := range []flow.Event{flow.Change{}, flow.Choose{Company: "se-b"}} {
		if _, err := f.Apply(e, morning); err == nil {
			t.Errorf("%T is possible", e)
		}
	}
}

// An approval is read once: the second of two pages that hear of it at once changes nothing.
func TestFlow_ReadsOnce(t *testing.T) {
	f := walk(t, fresh("se-a"), flow.Begin{ConsentID: "c"}, sees(flow.Returned), flow.Read{CollectionID: "k"})
	if _, err := f.Apply(flow.Read{CollectionID: "l"}, morning); err == nil {
		t.Error("a second collection")
	}
	unsigned := walk(t, fresh("se-a"), flow.Begin{ConsentID: "c"}, flow.See{Sight: flow.Sight{State: flow.Returned}})
	if _, err := unsigned.Apply(flow.Read{CollectionID: "k"}, morning); err == nil {
		t.Error("read before it was signed")
	}
}

func TestFlow_StaleActChangesNothing(t *testing.T) {
	f := fresh()
	f.Rev = 7
	if got, err := f.Act(6, flow.Choose{Company: "se-a"}, morning); !errors.Is(err, flow.ErrStale) || !got.Same(f) {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := f.Act(7, flow.Choose{Company: "se-a"}, morning); err != nil || got.State != flow.Review {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := f.Act(1, flow.Cancel{}, morning); err != nil || got.State != flow.Cancelled {
		t.Errorf("a late cancel: %+v, %v", got, err)
	}
}

func TestFlow_EndsWhenNobodyLooks(t *testing.T) {
	f := fresh()
	f.Sealed = []byte{1}
	if got, _ := f.Apply(flow.Tick{}, morning.Add(flow.Idle-1)); got.State != flow.Start {
		t.Error(got.State)
	}
	if got, _ := f.Apply(flow.Tick{}, morning.Add(flow.Idle)); got.State != flow.Ended || got.Sealed != nil {
		t.Errorf("%+v", got)
	}
}

func TestFlow_HoldsWhatReadsForAWhile(t *testing.T) {
	f := walk(t, fresh("se-a"), flow.Begin{CollectionID: "k"}, sees(flow.Reading))
	for after, want := range map[time.Duration]bool{0: true, flow.Held - 1: true, flow.Held: false} {
		if f.Holds(morning.Add(after)) != want {
			t.Errorf("after %v", after)
		}
	}
	if done := walk(t, f, sees(flow.Done)); done.Holds(morning) {
		t.Error("held although it is done")
	}
}

var events = rapid.Custom(func(t *rapid.T) flow.Event {
	s := rapid.SampledFrom(flow.States()).Draw(t, "state")
	sight := flow.Sight{State: s, Signed: rapid.Bool().Draw(t, "signed")}
	if s.Asks() || rapid.IntRange(0, 9).Draw(t, "asks") == 0 {
		sight.Question = "q"
	}
	if s == flow.Failed || rapid.IntRange(0, 9).Draw(t, "broken") == 0 {
		sight.Failure = "FAILED"
	}
	return rapid.SampledFrom([]flow.Event{flow.Choose{Company: "se-a"}, flow.Change{}, flow.Begin{Method: "M", ConsentID: "c"}, flow.Begin{CollectionID: "k"},
		flow.Prefer{OnDevice: true}, flow.Prefer{}, flow.See{Sight: sight}, flow.See{Sight: sight}, flow.See{Sight: sight}, flow.Read{CollectionID: "k"},
		flow.Cancel{}, flow.Again{}, flow.Leave{}, flow.Tick{}}).Draw(t, "event")
})

// Whatever happens in whatever order, the rules of the flow hold.
func TestFlow_KeepsItsRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := fresh()
		if rapid.Bool().Draw(t, "one company") {
			f = fresh("se-a")
			if rapid.Bool().Draw(t, "begun") {
				f, _ = f.Apply(flow.Begin{ConsentID: "c"}, morning)
			}
		}
		f.Sealed = []byte{1}
		now := morning
		for range rapid.IntRange(20, 60).Draw(t, "events") {
			now = now.Add(rapid.SampledFrom([]time.Duration{0, 0, 0, time.Second, time.Second, time.Second, time.Hour}).Draw(t, "time"))
			e := events.Draw(t, "e")
			if _, tick := e.(flow.Tick); tick && rapid.Bool().Draw(t, "looked") {
				f.SeenAt = now
			}
			next, err := f.Apply(e, now)
			var illegal *flow.IllegalError
			switch {
			case err != nil && (!errors.As(err, &illegal) || !next.Same(f)):
				t.Fatalf("%v, and the flow changed", err)
			case f.State == flow.Ended && !next.Same(f):
				t.Fatalf("%T after the end", e)
			case f.State == flow.Reading && next.State.Approving() && !slices.Contains([]flow.State{flow.Bank, flow.InApp}, next.State) && !next.State.Asks():
				t.Fatalf("from reading to %s", next.State)
			case next.State != f.State && !next.StateAt.Equal(now):
				t.Fatalf("the time of %s is that of another state", next.State)
			case (next.State == flow.Failed) != (next.Failure != ""):
				t.Fatalf("%s with failure %q", next.State, next.Failure)
			case next.Question != "" && !next.State.Asks():
				t.Fatalf("a question in %s", next.State)
			case next.State == flow.Start && (next.Company != "" || len(next.Terms.Companies) == 1):
				t.Fatalf("start with %q", next.Company)
			case next.State != flow.Start && next.State != flow.Cancelled && next.State != flow.Ended && next.Company == "":
				t.Fatalf("%s without a company", next.State)
			case next.State == flow.Start || next.State == flow.Review:
				if next.ConsentID != "" || next.CollectionID != "" || next.Signed {
					t.Fatalf("%s with an approval", next.State)
				}
			case next.State == flow.Ended && next.Sealed != nil:
				t.Fatal("what was typed is kept at the end")
			case next.Rev != f.Rev || next.Key != f.Key || next.UserID != f.UserID || next.LinkID != f.LinkID:
				t.Fatal("something else has changed")
			}
			f = next
		}
	})
}

// The institution's side can be seen in every state that is not the person's own.
func TestFlow_FollowsTheInstitution(t *testing.T) {
	begun := walk(t, fresh("se-a"), flow.Begin{ConsentID: "c"})
	for _, s := range flow.States() {
		sight := flow.Sight{State: s}
		if s == flow.Failed {
			sight.Failure = "FAILED"
		}
		own := s == flow.Start || s == flow.Review || s == flow.Ended
		if got, err := begun.Apply(flow.See{Sight: sight}, morning); (err != nil) != own || !own && got.State != s {
			t.Errorf("%s: %s, %v", s, got.State, err)
		}
	}
}

// A link is opened once, in time.
func TestLink_OpensOnce(t *testing.T) {
	l := flow.Link{ID: "link", ExpiresAt: morning.Add(time.Minute), Sealed: []byte{1}}
	if _, _, err := l.Opened("f", "k", morning.Add(time.Minute)); !errors.Is(err, flow.ErrExpired) {
		t.Errorf("late: %v", err)
	}
	opened, f, err := l.Opened("f", "k", morning)
	if err != nil || opened.FlowID != "f" || opened.Sealed != nil || f.ID != "f" || f.Key != "k" {
		t.Fatalf("%+v %+v %v", opened, f, err)
	}
	if _, _, err := opened.Opened("g", "k", morning); !errors.Is(err, flow.ErrUsed) {
		t.Errorf("twice: %v", err)
	}
	if _, _, err := opened.Opened("g", "k", morning.Add(time.Hour)); !errors.Is(err, flow.ErrUsed) {
		t.Errorf("twice and late: %v", err)
	}
	if flow.HashOf("a") == flow.HashOf("b") || len(flow.HashOf("a")) != 43 {
		t.Error(flow.HashOf("a"))
	}
}

func TestTerms_OfferWhatTheLinkNames(t *testing.T) {
	for _, c := range []struct {
		terms   flow.Terms
		company string
		psd2    bool
		want    bool
	}{
		{flow.Terms{}, "se-a", true, true},
		{flow.Terms{Companies: []string{"se-a"}}, "se-b", true, false},
		{flow.Terms{Products: []flow.Product{flow.Accounts}}, "se-a", true, true},
		{flow.Terms{Products: []flow.Product{flow.Accounts}}, "se-a", false, false},
		{flow.Terms{Companies: []string{"se-a"}, Products: []flow.Product{flow.Wealth}}, "se-a", false, true},
	} {
		if got := c.terms.Offers(c.company, c.psd2); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}
