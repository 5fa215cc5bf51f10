package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// webhooksCmd works with the endpoints that events are sent to (docs/reference/api.md 7).
type webhooksCmd struct {
	List   webhooksListCmd   `cmd:"" help:"List the endpoints, and whether events reach them."`
	Log    webhooksLogCmd    `cmd:"" help:"Show the attempts to deliver to an endpoint, the newest first."`
	Replay webhooksReplayCmd `cmd:"" help:"Deliver an event again, or all of a time."`
	Pause  webhooksPauseCmd  `cmd:"" help:"Stop the deliveries to an endpoint; events wait, for 30 days at most."`
	Resume webhooksResumeCmd `cmd:"" help:"Deliver to an endpoint again, and what has waited first."`
	Test   webhooksTestCmd   `cmd:"" help:"Send an event TEST to an endpoint."`
}

type webhooksListCmd struct {
	apiFlags
	jsonFlag
}

// endpointFlags name an endpoint.
type endpointFlags struct {
	apiFlags
	jsonFlag
	Endpoint string `arg:"" help:"Id of the endpoint, as samla webhooks list shows it."`
}

type webhooksLogCmd struct {
	endpointFlags
	Limit int `default:"50" help:"How many, at most."`
}

type webhooksReplayCmd struct {
	endpointFlags
	Event string    `placeholder:"ID" help:"Only this event."`
	From  time.Time `placeholder:"DAY" help:"All events from the beginning of this day (UTC) on, such as 2026-11-27, at most 30 days ago."`
	To    time.Time `placeholder:"DAY" help:"With --from: those before this day; until now by default."`
}

type (
	webhooksPauseCmd  struct{ endpointFlags }
	webhooksResumeCmd struct{ endpointFlags }
	webhooksTestCmd   struct{ endpointFlags }
)

// endpointRow is an endpoint as tables show it.
type endpointRow struct {
	ID           string     `json:"id"`
	URL          string     `json:"url"`
	State        string     `json:"state"`
	Reason       string     `json:"reason"`
	FailingSince *time.Time `json:"failingSince"`
	Events       []string   `json:"events"`
}

var endpointColumns = []column{{head: "ENDPOINT"}, {head: "STATE"}, {head: "FAILING SINCE"}, {head: "ADDRESS", most: 60}, {head: "EVENTS", most: 30, rest: true}}

func (e endpointRow) cells() []string {
	failing := ""
	if e.FailingSince != nil {
		failing = moment(e.FailingSince)
	}
	return []string{e.ID, strings.TrimSpace(e.State + " " + e.Reason), failing, e.URL, strings.Join(e.Events, ", ")}
}

// attemptRow is an attempt as tables show it.
type attemptRow struct {
	EventID    string     `json:"eventId"`
	Attempt    int        `json:"attempt"`
	At         *time.Time `json:"at"`
	Status     int        `json:"responseStatus"`
	Error      string     `json:"error"`
	DurationMS int        `json:"durationMs"`
	Next       *time.Time `json:"nextAttemptAt"`
}

var attemptColumns = []column{{head: "AT"}, {head: "EVENT"}, {head: "TRY", right: true}, {head: "ANSWER"}, {head: "MS", right: true}, {head: "NEXT TRY"}}

func (r attemptRow) cells() []string {
	answer, next := r.Error, ""
	if r.Status != 0 {
		answer = strings.TrimSpace(strconv.Itoa(r.Status) + " " + r.Error)
	}
	if r.Next != nil {
		next = moment(r.Next)
	}
	return []string{moment(r.At), r.EventID, strconv.Itoa(r.Attempt), answer, strconv.Itoa(r.DurationMS), next}
}

const endpoints = "/webhook-endpoints"

// Run lists the endpoints.
func (c *webhooksListCmd) Run(a *app) error {
	api, err := c.api()
	if err != nil {
		return err
	}
	data, err := api.Get(a.ctx, "", endpoints, nil)
	if err != nil {
		return err
	}
	return show(a, c.JSON, data, endpointColumns, endpointRow.cells, "there is no endpoint: POST /webhook-endpoints makes one (docs/reference/api.md 7.3)")
}

// Validate reports a limit that shows nothing.
func (c *webhooksLogCmd) Validate() error { return checkLimit(c.Limit) }

// Run shows the attempts.
func (c *webhooksLogCmd) Run(a *app) error {
	api, err := c.api()
	if err != nil {
		return err
	}
	items, more, err := api.List(a.ctx, "", path(endpoints+"/", c.Endpoint, "/deliveries"), nil, c.Limit)
	if err != nil {
		return err
	}
	if err := show(a, c.JSON, list(items), attemptColumns, attemptRow.cells, "nothing was sent to this endpoint in the last 30 days"); err != nil {
		return err
	}
	if more {
		fmt.Fprintf(a.err, "there are more: --limit %d shows more of them\n", 10*c.Limit)
	}
	return nil
}

// Validate reports that it is not said what to deliver again.
func (c *webhooksReplayCmd) Validate() error {
	switch {
	case (c.Event == "") == c.From.IsZero():
		return errors.New("say what to deliver again: --event ID, or --from DAY")
	case !c.To.IsZero() && c.From.IsZero():
		return errors.New("--to needs --from")
	case !c.To.IsZero() && !c.From.Before(c.To):
		return errors.New("--to must be later than --from")
	}
	return nil
}

// Run asks for a replay.
func (c *webhooksReplayCmd) Run(a *app) error {
	what := map[string]any{"eventId": c.Event}
	if c.Event == "" {
		to := c.To
		if to.IsZero() {
			to = time.Now()
		}
		what = map[string]any{"from": c.From.UTC().Format(time.RFC3339), "to": to.UTC().Format(time.RFC3339)}
	}
	data, err := c.post(a, "/replay", what)
	if err != nil || c.JSON {
		return errors.Join(err, c.json(a, data))
	}
	var answer struct{ Replayed int }
	if err := json.Unmarshal(data, &answer); err != nil {
		return fmt.Errorf("the server's answer cannot be read: %w", err)
	}
	_, err = fmt.Fprintf(a.out, "%s delivered again, after all that waits\n", counted(answer.Replayed, "event"))
	return err
}

// post does something with the endpoint.
func (f endpointFlags) post(a *app, what string, body any) (json.RawMessage, error) {
	api, err := f.api()
	if err != nil {
		return nil, err
	}
	return api.Send(a.ctx, http.MethodPost, "", path(endpoints+"/", f.Endpoint, what), body)
}

func (f endpointFlags) json(a *app, data json.RawMessage) error {
	if !f.JSON || len(data) == 0 {
		return nil
	}
	return a.printJSON(data)
}

// change posts, and shows the endpoint as it is then.
func (f endpointFlags) change(a *app, what string) error {
	data, err := f.post(a, what, nil)
	if err != nil {
		return err
	}
	return showOne(a, f.JSON, data, endpointColumns, endpointRow.cells)
}

// Run pauses the endpoint.
func (c *webhooksPauseCmd) Run(a *app) error { return c.change(a, "/pause") }

// Run resumes the endpoint.
func (c *webhooksResumeCmd) Run(a *app) error { return c.change(a, "/resume") }

// Run sends a test event.
func (c *webhooksTestCmd) Run(a *app) error {
	data, err := c.post(a, "/test", nil)
	if err != nil || c.JSON {
		return errors.Join(err, c.json(a, data))
	}
	var sent struct{ EventID string }
	if err := json.Unmarshal(data, &sent); err != nil {
		return fmt.Errorf("the server's answer cannot be read: %w", err)
	}
	_, err = fmt.Fprintf(a.out, "event %s is on its way; samla webhooks log %s shows how it went\n", plain(sent.EventID), plain(c.Endpoint))
	return err
}
