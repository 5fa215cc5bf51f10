package views

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"samla/internal/console"
	"samla/internal/store"
	"samla/internal/webhook"
	"samla/internal/webhooks"
	"samla/internal/words"
)

// The forms of a time that somebody types, in the zone of the console unless it has its own.
var timeForms = []string{time.RFC3339, "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly}

const typedTime = "2006-01-02 15:04:05"

var errPlace = errors.New("neither a time nor the id of an event")

// place returns the time of a place in the order of events: a time as it is typed, or the id
// of an event of the client. after is the time after that event: a range ends with it.
// Errors: errPlace; store.ErrNotFound for an event that there is not, or not any more.
func (v *views) place(ctx context.Context, clientID, typed string, after bool) (time.Time, error) {
	if typed = strings.TrimSpace(typed); !timeOf(typed).IsZero() {
		e, err := v.Store.Event(ctx, clientID, typed)
		if after {
			e.Seq++
		}
		return time.UnixMicro(e.Seq), err
	}
	for _, form := range timeForms {
		if t, err := time.ParseInLocation(form, typed, v.Zone); err == nil {
			return t, nil
		}
	}
	return time.Time{}, errPlace
}

// rangePage is what the page about a replay of a range shows.
type rangePage struct {
	Endpoint                   string
	From, To                   string // as they were typed
	FromProblem, ToProblem     string
	Counted                    bool
	Events                     int
	Said, Begins, Ends, Extras string // what would be sent, and after what
	FirstAt, LastAt            string // of the range, as the act takes them
	Running                    string // how far the replay is that runs; "" = none does
	After                      string // id of the last replay; "" = there was none
	Zone                       string // of the times that are typed
}

// endpointOf returns the endpoint that a path names, or says that there is none.
func (v *views) endpointOf(w http.ResponseWriter, r *http.Request) (webhook.Endpoint, bool) {
	e, err := v.Store.WebhookEndpoint(r.Context(), r.PathValue("id"))
	switch {
	case errors.Is(err, store.ErrNotFound):
		gone(w, r, "endpoint")
	case err != nil:
		failed(w, r, err)
	}
	return e, err == nil
}

// showRange asks for a range of events, and says how many there are before they are sent.
func (v *views) showRange(w http.ResponseWriter, r *http.Request) {
	e, ok := v.endpointOf(w, r)
	if !ok {
		return
	}
	ctx, q, now := r.Context(), r.URL.Query(), v.Clock.Now()
	p := rangePage{Endpoint: e.ID, From: q.Get("from"), To: q.Get("to"), Zone: words.ZoneName(v.Zone)}
	running, err := v.replayState(ctx, e)
	if err != nil {
		failed(w, r, err)
		return
	}
	p.After = running.id
	if running.left > 0 || running.runs {
		p.Running = running.text
	}
	asked := q.Has("from")
	if !asked {
		p.From, p.To = now.Add(-24*time.Hour).In(v.Zone).Format(typedTime), now.In(v.Zone).Format(typedTime)
	}
	from, wrong := v.place(ctx, e.ClientID, p.From, false)
	p.FromProblem = placeProblem(wrong)
	to, wrongTo := now, error(nil)
	if strings.TrimSpace(p.To) != "" {
		to, wrongTo = v.place(ctx, e.ClientID, p.To, true)
		p.ToProblem = placeProblem(wrongTo)
	}
	for _, err := range []error{wrong, wrongTo} {
		if err != nil && !errors.Is(err, errPlace) && !errors.Is(err, store.ErrNotFound) {
			failed(w, r, err)
			return
		}
	}
	if to.After(now) {
		to = now // what comes later is sent in any case; so the number stands
	}
	switch {
	case p.FromProblem+p.ToProblem != "":
	case !to.After(from):
		p.ToProblem = "The end must be later than the beginning, and the beginning must be over."
	case to.Sub(from) > webhook.LongestReplay:
		p.ToProblem = "One replay takes 30 days at most: events are kept that long."
	case asked:
		if p.Events, err = v.Webhooks.CountRange(ctx, e.ClientID, e.ID, from, to); err != nil {
			failed(w, r, err)
			return
		}
		p.Counted, p.Said = true, count(p.Events, "event", "events")
		p.Begins, p.Ends = from.In(v.Zone).Format(typedTime), to.In(v.Zone).Format(typedTime)
		p.FirstAt, p.LastAt = from.UTC().Format(time.RFC3339Nano), to.UTC().Format(time.RFC3339Nano)
		p.Extras = "They come after all events that wait for this endpoint. The receiver gets each of them once more, with the same event id."
		if e.State == webhook.Paused {
			p.Extras = "The endpoint is paused: they are sent when it delivers again. The receiver gets each of them once more, with the same event id."
		}
	}
	v.show(w, r, "REPLAY", "v/range", page{Title: "Replay a range", Crumb: link{Text: "Endpoint " + short(e.ID), Address: "/webhooks/" + e.ID}, Data: p})
}

func placeProblem(err error) string {
	switch {
	case errors.Is(err, store.ErrNotFound):
		return "The client has no event of this id, or it is older than 30 days."
	case err != nil:
		return "Write a time such as 2026-11-26 13:00, or the id of an event."
	}
	return ""
}

// replayRange delivers a range of events again. The form has the id of the replay before, so
// that sent twice it makes one replay.
func (v *views) replayRange(w http.ResponseWriter, r *http.Request) {
	from, errFrom := time.Parse(time.RFC3339Nano, r.PostFormValue("from"))
	to, errTo := time.Parse(time.RFC3339Nano, r.PostFormValue("to"))
	if errFrom != nil || errTo != nil || !to.After(from) || to.Sub(from) > webhook.LongestReplay {
		console.Message(w, r, http.StatusBadRequest, "Which events?", "Go back, and choose a beginning and an end, at most 30 days apart.")
		return
	}
	after := r.PostFormValue("after")
	about := map[string]string{"from": from.Format(time.RFC3339Nano), "to": to.Format(time.RFC3339Nano)}
	v.hook(w, r, "replay range", about, func(ctx context.Context, clientID, id string) error {
		_, err := v.Webhooks.ReplayRangeOnce(ctx, clientID, id, after, from, to)
		return err
	})
}

// replayState says how far the last replay of a range is.
type replayState struct {
	id   string // "" = there was none
	text string // "" = there was none
	runs bool
	left int
}

func (v *views) replayState(ctx context.Context, e webhook.Endpoint) (s replayState, err error) {
	last, left, err := v.Webhooks.Replay(ctx, e.ClientID, e.ID)
	switch {
	case missing(err):
		return s, nil
	case err != nil:
		return s, err
	case last.Running():
		s = replayState{text: count(last.Total, "event", "events") + " since " + v.at(last.StartedAt) + ", " + number(left) + " left", runs: true, left: left}
	default:
		s.text = count(last.Total, "event", "events") + ", done " + v.at(last.EndedAt)
	}
	s.id = last.ID
	return s, nil
}

// showRotate asks whether an endpoint gets a new secret.
func (v *views) showRotate(w http.ResponseWriter, r *http.Request) {
	e, ok := v.endpointOf(w, r)
	if !ok {
		return
	}
	v.show(w, r, "ROTATE", "v/confirm", page{Title: "A new signing secret", Crumb: link{Text: "Endpoint " + short(e.ID), Address: "/webhooks/" + e.ID}, Data: confirm{
		Says: []string{"The new secret is shown once, to you. Give it to the client by a way that only they read.",
			"For 24 hours each event is signed with both secrets, so that the receiver can change over at any time. Another new secret before that ends the older one at once."},
		Action: "/webhooks/" + e.ID + "/secret", Label: "Make the secret", Kind: "main", Fields: []field{{"rev", strconv.FormatInt(e.Rev, 10)}},
		Choice: choice{Name: "immediate", Text: "The secret of now is known to somebody else: stop signing with it at once", Sub: "The receiver refuses events until it has the new one. They are tried again."},
	}})
}

// rotateSecret makes a new secret for an endpoint and shows it once.
func (v *views) rotateSecret(w http.ResponseWriter, r *http.Request) {
	e, ok := v.endpointOf(w, r)
	if !ok {
		return
	}
	rev, err := strconv.ParseInt(r.PostFormValue("rev"), 10, 64)
	if err != nil {
		console.Message(w, r, http.StatusBadRequest, "Which secret?", "Go back to the endpoint, and ask for a new secret there.")
		return
	}
	immediate := r.PostFormValue("immediate") != ""
	about := map[string]string{"endpoint": e.ID}
	if immediate {
		about["immediate"] = "true"
	}
	if err := v.record(r.Context(), "rotate secret", about); err != nil {
		failed(w, r, err)
		return
	}
	rotated, err := v.Webhooks.RotateOnce(r.Context(), e.ClientID, e.ID, rev, immediate)
	switch {
	case errors.Is(err, webhooks.ErrChanged):
		console.Message(w, r, http.StatusConflict, "The endpoint has changed meanwhile", "No new secret was made. If you sent this form twice, the first one made the secret. Go back to the endpoint to see how it stands.")
	case missing(err):
		gone(w, r, "endpoint")
	case err != nil:
		failed(w, r, err)
	default:
		ends := "The older one ends in 24 hours."
		if immediate {
			ends = "The older one has ended."
		}
		v.show(w, r, "SECRET", "v/secret", page{Title: "The new signing secret", Crumb: link{Text: "Endpoint " + short(e.ID), Address: "/webhooks/" + e.ID},
			Data: shownOnce{What: "The signing secret", Secret: rotated.Secret.Reveal(), After: ends, Back: link{Text: "Back to the endpoint", Address: "/webhooks/" + e.ID}}})
	}
}
