package v20260401

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"samla/internal/api"
	"samla/internal/fault"
	"samla/internal/idempotency"
	"samla/internal/jsontext"
	"samla/internal/webhook"
	"samla/internal/webhooks"
	"samla/internal/wire"
)

// appendEndpoint appends a webhook endpoint, with its secret if it is to be shown.
func appendEndpoint(b []byte, e *webhooks.Endpoint, secret bool) []byte {
	b = jsontext.AppendMember(b, `{"id":`, e.ID)
	b = jsontext.AppendMember(b, `,"url":`, e.URL)
	b = append(b, `,"events":[`...)
	for i, t := range e.Events {
		if i > 0 {
			b = append(b, ',')
		}
		b = jsontext.AppendMember(b, ``, t)
	}
	b = jsontext.AppendMember(b, `],"state":`, string(e.State))
	b = jsontext.AppendNonEmpty(b, `,"reason":`, string(e.Reason))
	b = jsontext.AppendTimeMember(b, `,"stateSince":`, e.ChangedAt)
	if !e.FailingSince.IsZero() {
		b = jsontext.AppendTimeMember(b, `,"failingSince":`, e.FailingSince)
	}
	b = jsontext.AppendTimeMember(b, `,"createdAt":`, e.CreatedAt)
	if secret {
		b = jsontext.AppendMember(b, `,"secret":`, e.Secret.Reveal())
	}
	return append(b, '}')
}

// writeEndpoint answers 200 with an endpoint.
func writeEndpoint(c *api.Call, e webhooks.Endpoint, err error) error {
	if err != nil {
		return err
	}
	return c.WriteAppended(func(b []byte) []byte { return appendEndpoint(b, &e, false) })
}

func (o *operations) createWebhookEndpoint(c *api.Call) error {
	var r struct {
		URL    string   `json:"url"`
		Events []string `json:"events"`
	}
	body, err := c.Decode(&r)
	if err != nil {
		return err
	}
	return c.Create(body, func(ctx context.Context, respond api.Respond) error {
		_, err := o.Webhooks.Create(ctx, c.Caller().ClientID, r.URL, r.Events, func(ctx context.Context, e webhooks.Endpoint) (*idempotency.Record, error) {
			return respond(ctx, "", "", appendEndpoint(nil, &e, true))
		})
		return err
	})
}

func (o *operations) webhookEndpoints(c *api.Call) error {
	all, err := o.Webhooks.List(c.Context(), c.Caller().ClientID)
	if err != nil {
		return err
	}
	return c.WriteAppended(func(b []byte) []byte {
		b = append(b, '[')
		for i := range all {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendEndpoint(b, &all[i], false)
		}
		return append(b, ']')
	})
}

func (o *operations) updateWebhookEndpoint(c *api.Call) error {
	var r struct {
		URL    *string  `json:"url"`
		Events []string `json:"events"`
	}
	if _, err := c.Decode(&r); err != nil {
		return err
	}
	e, err := o.Webhooks.Update(c.Context(), c.Caller().ClientID, c.ID(), webhooks.Patch(r))
	return writeEndpoint(c, e, err)
}

func (o *operations) deleteWebhookEndpoint(c *api.Call) error {
	if err := o.Webhooks.Delete(c.Context(), c.Caller().ClientID, c.ID()); err != nil {
		return err
	}
	return c.WriteNothing()
}

func (o *operations) rotateWebhookSecret(c *api.Call) error {
	var r struct {
		Immediate bool `json:"immediate"`
	}
	body, err := c.Decode(&r)
	if err != nil {
		return err
	}
	return c.Once(http.StatusOK, body, func(ctx context.Context, respond api.Respond) error {
		_, err := o.Webhooks.Rotate(ctx, c.Caller().ClientID, c.ID(), r.Immediate, func(ctx context.Context, e webhooks.Endpoint) (*idempotency.Record, error) {
			return respond(ctx, "", "", appendEndpoint(nil, &e, true))
		})
		return err
	})
}

func (o *operations) pauseWebhookEndpoint(c *api.Call) error {
	e, err := o.Webhooks.Pause(c.Context(), c.Caller().ClientID, c.ID())
	return writeEndpoint(c, e, err)
}

func (o *operations) resumeWebhookEndpoint(c *api.Call) error {
	e, err := o.Webhooks.Resume(c.Context(), c.Caller().ClientID, c.ID())
	return writeEndpoint(c, e, err)
}

func (o *operations) testWebhookEndpoint(c *api.Call) error {
	e, err := o.Webhooks.Test(c.Context(), c.Caller().ClientID, c.ID())
	if err != nil {
		return err
	}
	return c.Write(http.StatusAccepted, append(jsontext.AppendMember(nil, `{"eventId":`, e.ID), '}'))
}

func (o *operations) webhookDeliveries(c *api.Call) error {
	q, err := c.Query()
	if err != nil {
		return err
	}
	p, err := api.Page(q)
	if err != nil {
		return err
	}
	all, err := o.Webhooks.Attempts(c.Context(), c.Caller().ClientID, c.ID(), p)
	if err != nil {
		return err
	}
	return api.WritePage(c, q, p, all, func(a *webhook.Attempt) string { return a.ID }, appendAttempt)
}

func appendAttempt(b []byte, a *webhook.Attempt) []byte {
	b = jsontext.AppendMember(b, `{"eventId":`, a.EventID)
	b = strconv.AppendInt(append(b, `,"attempt":`...), int64(a.Number), 10)
	b = jsontext.AppendTimeMember(b, `,"at":`, a.At)
	if a.Status > 0 {
		b = strconv.AppendInt(append(b, `,"responseStatus":`...), int64(a.Status), 10)
	}
	b = jsontext.AppendNonEmpty(b, `,"error":`, string(a.Err))
	b = strconv.AppendInt(append(b, `,"durationMs":`...), a.Took.Milliseconds(), 10)
	if !a.NextAt.IsZero() {
		b = jsontext.AppendTimeMember(b, `,"nextAttemptAt":`, a.NextAt)
	}
	return append(b, '}')
}

func (o *operations) replayWebhookEvents(c *api.Call) error {
	var r struct {
		EventID string `json:"eventId"`
		From    string `json:"from"`
		To      string `json:"to"`
	}
	_, err := c.Decode(&r)
	if err != nil {
		return err
	}
	replayed, client := 1, c.Caller().ClientID
	switch {
	case r.EventID != "" && (r.From != "" || r.To != ""):
		return fault.Param("/eventId", fault.NotAllowed, "must not be given together with from and to")
	case r.EventID != "":
		err = o.Webhooks.ReplayEvent(c.Context(), client, c.ID(), r.EventID)
	default:
		var from, to time.Time
		if from, to, err = rangeOf(r.From, r.To); err == nil {
			var started webhook.Replay
			started, err = o.Webhooks.ReplayRange(c.Context(), client, c.ID(), from, to)
			replayed = started.Total
		}
	}
	if err != nil {
		return err
	}
	return c.Write(http.StatusAccepted, append(strconv.AppendInt([]byte(`{"replayed":`), int64(replayed), 10), '}'))
}

// rangeOf reads a range of time, whose format the contract has validated.
func rangeOf(from, to string) (start, end time.Time, err error) {
	var missing []fault.Field
	for _, m := range []struct{ name, text string }{{"from", from}, {"to", to}} {
		if m.text == "" {
			missing = append(missing, fault.Field{Pointer: "/" + m.name, Code: fault.Required, Message: "is missing; or give eventId"})
		}
	}
	if len(missing) > 0 {
		return start, end, fault.Params(missing...)
	}
	if start, err = wire.ParseTime(from); err == nil {
		end, err = wire.ParseTime(to)
	}
	return start, end, err
}

func (o *operations) webhookReplay(c *api.Call) error {
	r, remaining, err := o.Webhooks.Replay(c.Context(), c.Caller().ClientID, c.ID())
	if err != nil {
		return err
	}
	state := "RUNNING"
	if !r.Running() {
		state = "DONE"
	}
	return c.WriteAppended(func(b []byte) []byte {
		b = jsontext.AppendMember(b, `{"state":`, state)
		b = strconv.AppendInt(append(b, `,"replayed":`...), int64(r.Total), 10)
		b = strconv.AppendInt(append(b, `,"remaining":`...), int64(remaining), 10)
		b = jsontext.AppendTimeMember(b, `,"startedAt":`, r.StartedAt)
		if !r.Running() {
			b = jsontext.AppendTimeMember(b, `,"endedAt":`, r.EndedAt)
		}
		return append(b, '}')
	})
}
