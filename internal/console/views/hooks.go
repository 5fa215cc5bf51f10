package views

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"samla/internal/console"
	"samla/internal/operator"
	"samla/internal/store"
	"samla/internal/webhook"
)

const (
	// mostEndpoints is how many endpoints the first page looks at.
	mostEndpoints = 1000
	// failingShare of the attempts of an hour fail at an endpoint that is unwell.
	failingShare = 0.05
)

// unwell reports whether an endpoint needs a look.
func unwell(e store.EndpointRow) bool {
	return e.State == webhook.Paused && e.Reason != webhook.ByClient || e.State == webhook.Active && float64(e.Failed) > failingShare*float64(e.Attempts)
}

func reasonOf(r webhook.Reason) string {
	return map[webhook.Reason]string{webhook.ByClient: "the client has paused it", webhook.Gone: "the receiver answered 410", webhook.Failing: "every attempt failed for days",
		webhook.Restored: "its secret is older than a restored backup"}[r]
}

func endpointState(e store.EndpointRow) cell {
	switch {
	case e.State == webhook.Paused && e.Reason == webhook.ByClient:
		return cell{Text: "Paused", Chip: "plain", Icon: "wait", Sub: reasonOf(e.Reason)}
	case e.State == webhook.Paused:
		return cell{Text: "Paused", Chip: "bad", Icon: "bad", Sub: reasonOf(e.Reason)}
	case unwell(e):
		return cell{Text: "Failing", Chip: "warn", Icon: "warn"}
	}
	return text("Delivering")
}

// listEndpoints lists the endpoints of all clients.
func (v *views) listEndpoints(a asked) (page, error) {
	t, err := listed(a.Request, rowsOf(a, func(ctx context.Context, f store.RowFilter, p store.Page) ([]store.EndpointRow, error) {
		return v.Store.EndpointRows(ctx, f, v.Clock.Now().Add(-24*time.Hour), p)
	}), func(e store.EndpointRow) string { return e.ID }, func(all []store.EndpointRow) table { return v.endpointTable(all, a.names) })
	return page{Title: "Webhooks", Tables: []table{t},
		Filters: []filter{statusFilter("State", []webhook.State{webhook.Active, webhook.Paused}, a.query.Get("status")), clientFilter(a.clients, a.filter.ClientID)}}, err
}

// endpointTable lists endpoints.
func (v *views) endpointTable(all []store.EndpointRow, names map[string]string) table {
	t := table{Caption: "Webhook endpoints", Heads: heads("Endpoint", "Client", "State", "Since", "Delivered, 24 h>", "Takes>", "Waiting>"), Empty: "No webhook endpoints yet. A client makes one with POST /webhook-endpoints."}
	for _, e := range all {
		mean := none("no attempt")
		if e.Attempts > 0 {
			mean = text(took(e.Took))
		}
		t.Rows = append(t.Rows, []cell{id(short(e.ID), "/webhooks/"+e.ID), text(names[e.ClientID]), endpointState(e), v.timeCell(e.ChangedAt), text(number(e.Attempts-e.Failed) + " of " + number(e.Attempts)), mean, text(number(e.Waiting))})
	}
	return t
}

// countEndpoints counts those that need a look.
func (v *views) countEndpoints(ctx context.Context) (n int) {
	of, err := v.needed(ctx)
	if err != nil {
		return 0
	}
	for _, e := range of.endpoints {
		if unwell(e) {
			n++
		}
	}
	return n
}

// showEndpoint shows an endpoint with its deliveries, attempt by attempt.
func (v *views) showEndpoint(w http.ResponseWriter, r *http.Request) {
	endpointID := r.PathValue("id")
	e, err := v.Store.WebhookEndpoint(r.Context(), endpointID)
	if errors.Is(err, store.ErrNotFound) {
		gone(w, r, "endpoint")
		return
	}
	var names map[string]string
	if err == nil {
		names, _, err = v.names(r)
	}
	if err != nil {
		failed(w, r, err)
		return
	}
	t, err := listed(r, func(after string, limit int) ([]webhook.Attempt, error) {
		return v.Store.WebhookAttempts(r.Context(), endpointID, store.Page{After: after, Limit: limit})
	}, func(a webhook.Attempt) string { return a.ID }, v.attemptTable)
	if err != nil {
		failed(w, r, err)
		return
	}
	waiting := 0
	for _, lane := range webhook.Lanes() {
		n, err := v.Store.PendingDeliveries(r.Context(), endpointID, lane)
		if err != nil {
			failed(w, r, err)
			return
		}
		waiting += n
	}
	row := store.EndpointRow{Endpoint: e}
	n := note{Well: e.State == webhook.Active && e.FailingSince.IsZero(), Strong: "It delivers.", Text: count(waiting, "event waits", "events wait") + "."}
	switch {
	case e.State == webhook.Paused:
		n.Strong = "Paused since " + v.at(e.ChangedAt) + ": " + reasonOf(e.Reason) + "."
		n.Text = count(waiting, "event waits", "events wait") + " and " + plural(waiting, "is", "are") + " kept. Nothing is lost."
		n.Well = e.Reason == webhook.ByClient
	case !e.FailingSince.IsZero():
		n.Strong = "Every attempt has failed since " + v.at(e.FailingSince) + "."
	}
	acts := []act{{Action: "/webhooks/" + endpointID + "/test", Label: "Send a test event"}, {Link: "/webhooks/" + endpointID + "/replay", Label: "Replay a range"}}
	if console.OperatorOf(r.Context()).Role.May(operator.Administer) {
		acts = append(acts, act{Link: "/webhooks/" + endpointID + "/secret", Label: "New secret"})
	}
	if e.State == webhook.Paused {
		acts = append(acts, act{Action: "/webhooks/" + endpointID + "/resume", Label: "Resume", Kind: "main"})
	} else {
		acts = append(acts, act{Action: "/webhooks/" + endpointID + "/pause", Label: "Pause"})
	}
	facts := []fact{{Name: "Client", Value: names[e.ClientID]}, {Name: "Id", Value: e.ID, Mono: true}, {Name: "Events", Value: strings.Join(e.Events, ", ")}, {Name: "Made", Value: v.at(e.CreatedAt)},
		{Name: "Address and secrets", Value: "Sealed. The console cannot open them"}}
	replay, err := v.replayState(r.Context(), e)
	if err != nil {
		failed(w, r, err)
		return
	}
	if replay.text != "" {
		facts = append(facts, fact{Name: "Last replay of a range", Value: replay.text})
	}
	if s := endpointState(row); s.Chip != "" {
		facts = append(facts, fact{Name: "State", Value: s.Text})
	}
	v.show(w, r, "ENDPOINT", "v/endpoint", page{Title: "Endpoint " + short(endpointID), Crumb: link{Text: "Webhooks", Address: "/webhooks"}, Note: &n, Acts: acts, Tables: []table{t}, Data: facts})
}

// attemptTable lists attempts to deliver to one endpoint.
func (v *views) attemptTable(all []webhook.Attempt) table {
	t := table{Title: "Deliveries, attempt by attempt", Caption: "Attempts to deliver, the newest first", Heads: heads("At", "Event", "Try>", "Answer", "Took>", "Next try", ""), Empty: "Nothing was sent yet."}
	for _, a := range all {
		answer := cell{Text: number(a.Status)}
		if !a.Success() {
			answer = cell{Text: attemptText(a.Outcome), Chip: "bad", Icon: "cross"}
		}
		next := none("none")
		if !a.NextAt.IsZero() {
			next = v.timeCell(a.NextAt)
		}
		t.Rows = append(t.Rows, []cell{v.timeCell(a.At), id(short(a.EventID), ""), text(number(a.Number)), answer, text(took(a.Took)), next,
			{Acts: []act{{Action: "/webhooks/" + a.EndpointID + "/replay", Label: "Replay", Hidden: "event " + short(a.EventID), Fields: []field{{"event", a.EventID}}},
				{Link: "/webhooks/" + a.EndpointID + "/replay?from=" + a.EventID, Label: "From here", Hidden: "event " + short(a.EventID), Kind: "text"}}}})
	}
	return t
}

func attemptText(o webhook.Outcome) string {
	if o.Status > 0 {
		return number(o.Status)
	}
	return causeText(string(o.Err))
}

// hook carries an act on an endpoint out.
func (v *views) hook(w http.ResponseWriter, r *http.Request, command string, more map[string]string, do func(ctx context.Context, clientID, id string) error) {
	e, ok := v.endpointOf(w, r)
	if !ok {
		return
	}
	endpointID := e.ID
	about := map[string]string{"endpoint": endpointID}
	for name, value := range more {
		about[name] = value
	}
	v.act(w, r, "/webhooks/"+endpointID, command, about, func(ctx context.Context) error { return do(ctx, e.ClientID, endpointID) })
}

func (v *views) pauseEndpoint(w http.ResponseWriter, r *http.Request) {
	v.hook(w, r, "pause endpoint", nil, func(ctx context.Context, clientID, id string) error {
		_, err := v.Webhooks.Pause(ctx, clientID, id)
		return err
	})
}

func (v *views) resumeEndpoint(w http.ResponseWriter, r *http.Request) {
	v.hook(w, r, "resume endpoint", nil, func(ctx context.Context, clientID, id string) error {
		_, err := v.Webhooks.Resume(ctx, clientID, id)
		return err
	})
}

func (v *views) testEndpoint(w http.ResponseWriter, r *http.Request) {
	v.hook(w, r, "test endpoint", nil, func(ctx context.Context, clientID, id string) error {
		_, err := v.Webhooks.Test(ctx, clientID, id)
		return err
	})
}

// replayEndpoint delivers one event again.
func (v *views) replayEndpoint(w http.ResponseWriter, r *http.Request) {
	eventID := r.PostFormValue("event")
	if timeOf(eventID).IsZero() {
		console.Message(w, r, http.StatusBadRequest, "Which event?", "Choose one in the list of deliveries.")
		return
	}
	v.hook(w, r, "replay event", map[string]string{"event": eventID}, func(ctx context.Context, clientID, id string) error {
		return v.Webhooks.ReplayEvent(ctx, clientID, id, eventID)
	})
}
