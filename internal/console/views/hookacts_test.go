package views_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"samla/internal/console/viewstest"
	"samla/internal/event"
	"samla/internal/operator"
	"samla/internal/store"
)

// tenEvents adds ten events of a client, one a second from Noon on.
func tenEvents(e *viewstest.Env) (all []event.Event) {
	e.Helper()
	for i := range 10 {
		at := viewstest.Noon.Add(time.Duration(i) * time.Second)
		e.Write(func(tx store.Tx) error {
			v := event.Event{ID: e.ID(at), ClientID: e.One.ID, Type: event.TypeCollection, Version: "2026-04-01", Resource: "r", At: at, Body: []byte(`{}`)}
			if err := tx.AddEvent(e.Context(), v); err != nil {
				return err
			}
			sequenced, err := tx.SequenceEvents(e.Context(), at, 10)
			all = append(all, sequenced...)
			return err
		})
	}
	e.Clock.Set(viewstest.Noon.Add(time.Minute))
	return all
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([a-z]+)" value="([^"]*)">`)

// formOf returns the hidden members of a form of a page.
func formOf(page, action string) url.Values {
	_, rest, _ := strings.Cut(page, `action="`+action+`"`)
	rest, _, _ = strings.Cut(rest, "</form>")
	form := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(rest, -1) {
		form.Set(m[1], m[2])
	}
	return form
}

// A range is counted, by time or by events, before it is sent; and as many are sent.
func TestReplayRange_SaysHowManyBeforeItSends(t *testing.T) {
	viewstest.OnStores(t, func(e *viewstest.Env) {
		hook := e.Endpoint(e.One)
		events := tenEvents(e)
		e.Role = operator.Acting
		at := "/webhooks/" + hook.ID
		e.Has(e.Get(at+"/replay", 200), "Which events", "A time (Stockholm) such as", `value="2026-11-25 14:03:11"`, "It is included.")
		for query, want := range map[string]string{
			"from=2026-11-26":                                   "10 events would be sent again.",
			"from=2026-11-26+14:02:14&to=":                      "7 events would",
			"from=" + events[8].ID:                              "2 events would",
			"from=" + events[2].ID + "&to=" + events[4].ID:      "3 events would",
			"from=2026-11-26T13:02:11Z&to=2026-11-26T13:02:12Z": "1 event would be sent again.",
			"from=2026-11-26+14:03":                             "There is no event to send again.",
			"from=yesterday":                                    "Write a time such as",
			"from=" + e.ID(viewstest.Noon):                      "no event of this id",
			"from=2026-11-26&to=2026-11-26":                     "must be later than the beginning",
			"from=2027-01-01":                                   "must be over",
			"from=2026-09-01":                                   "30 days at most",
		} {
			page := e.Get(at+"/replay?"+query, 200)
			e.Has(page, want)
			if sends := strings.Contains(page, "/replay-range"); sends != strings.Contains(want, "would") {
				e.Errorf("%s: a button to send is %v", query, sends)
			}
		}
		form := formOf(e.Get(at+"/replay?from="+events[2].ID+"&to="+events[4].ID, 200), at+"/replay-range")
		for _, r := range []operator.Role{"", operator.Viewer} {
			e.Role = r
			status := map[bool]int{true: 401, false: 403}[r == ""]
			e.Post(at+"/replay-range", form, status)
			if r != "" {
				e.Has(e.Get(at+"/replay", status), "This takes the role operator", "with the role viewer")
				e.HasNot(e.Get(at, 200), "Replay a range", "From here")
			}
		}
		e.Role = operator.Acting
		e.Post(at+"/replay-range", url.Values{"from": {"x"}}, 400)
		if said := e.Commands(); len(said) != 0 {
			t.Fatalf("refused, and recorded: %q", said)
		}
		e.Post(at+"/replay-range", form, 303)
		if r := viewstest.Must(e.DB.WebhookReplay(e.Context(), hook.ID))(t); r.Total != 3 || r.After != events[2].Seq-1 || r.Before != events[4].Seq+1 {
			t.Errorf("the replay is %+v", r)
		}
		said := e.Commands()
		e.Has(said[len(said)-1], `"command":"console: replay range"`, `"endpoint":"`+hook.ID+`"`, `"from":"20`)
		e.Has(e.Get(at, 200), "Last replay of a range", "3 events since 14:03:11, 3 left")
		e.Has(e.Get(at+"/replay", 200), "A replay runs: 3 events since")
		e.Has(e.Post(at+"/replay-range", form, 409), "Another replay runs")
		e.Get("/webhooks/"+e.ID(viewstest.Noon)+"/replay", 404)
		if strings.Contains(e.Get(at+"/replay", 200), "data-live") {
			t.Error("the page changes while somebody reads how many there are")
		}
	})
}

// A form that is sent twice sends the events once, also when the first replay is done.
func TestReplayRange_SendsAFormOnce(t *testing.T) {
	viewstest.OnStores(t, func(e *viewstest.Env) {
		hook := e.Endpoint(e.One)
		events := tenEvents(e)
		at := "/webhooks/" + hook.ID
		form := func() url.Values { return formOf(e.Get(at+"/replay?from="+events[8].ID, 200), at+"/replay-range") }
		done := func() { // the range has no event: it is done at once
			e.Write(func(tx store.Tx) error {
				_, err := tx.FeedReplay(e.Context(), hook.ID, e.Clock.Now(), 10)
				return err
			})
		}
		first := form()
		none := url.Values{"from": {"2026-11-25T00:00:00Z"}, "to": {"2026-11-25T01:00:00Z"}, "after": first["after"]}
		e.Post(at+"/replay-range", none, 303)
		done()
		for _, again := range []url.Values{first, none} {
			e.Has(e.Post(at+"/replay-range", again, 409), "A replay has begun since you counted")
		}
		second := form()
		if last := viewstest.Must(e.DB.WebhookReplay(e.Context(), hook.ID))(t); second.Get("after") != last.ID || last.Total != 0 {
			t.Errorf("the form is %v after %+v", second, last)
		}
		e.Post(at+"/replay-range", second, 303)
	})
}

// A new secret is shown once, to an admin; the same form makes no second one.
func TestRotate_ShowsTheSecretOnce(t *testing.T) {
	viewstest.OnStores(t, func(e *viewstest.Env) {
		hook := e.Endpoint(e.One)
		at := "/webhooks/" + hook.ID
		e.Role = operator.Acting
		e.HasNot(e.Get(at, 200), "New secret")
		e.Has(e.Get(at+"/secret", 403), "This takes the role admin")
		e.Role = operator.Admin
		e.Has(e.Get(at, 200), at+`/secret">New secret`)
		page := e.Get(at+"/secret", 200)
		e.Has(page, "For 24 hours each event is signed with both secrets")
		form := formOf(page, at+"/secret")
		e.Role = operator.Acting
		e.Post(at+"/secret", form, 403)
		e.Role = operator.Admin
		e.Post(at+"/secret", nil, 400)
		if said := e.Commands(); len(said) != 0 {
			t.Fatalf("refused, and recorded: %q", said)
		}
		page = e.Post(at+"/secret", form, 200)
		e.Has(page, "Copy it now", `id="secret">whsec_`, "The older one ends in 24 hours.")
		_, rest, _ := strings.Cut(page, `id="secret">`)
		secret, _, _ := strings.Cut(rest, "<")
		e.Has(e.Post(at+"/secret", form, 409), "The endpoint has changed meanwhile")
		e.HasNot(e.Get(at, 200), secret)
		said := strings.Join(e.Commands(), "\n")
		e.Has(said, `"command":"console: rotate secret"`)
		e.HasNot(said, secret, "immediate")
		form = formOf(e.Get(at+"/secret", 200), at+"/secret")
		form.Set("immediate", "yes")
		e.Has(e.Post(at+"/secret", form, 200), "The older one has ended.")
	})
}
