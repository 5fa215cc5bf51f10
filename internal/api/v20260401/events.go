package v20260401

import (
	"net/url"
	"strconv"
	"time"

	"samla/internal/api"
	"samla/internal/event"
	"samla/internal/events"
	"samla/internal/jsontext"
	"samla/internal/wire"
)

// listEvents answers with a page of the client's events (docs/reference/api.md 7.4).
func (o *operations) listEvents(c *api.Call) error {
	q, err := c.Query()
	if err != nil {
		return err
	}
	limit, err := api.Limit(q)
	if err != nil {
		return err
	}
	p, err := o.Events.Page(c.Context(), events.Query{ClientID: c.Caller().ClientID, UserID: q.Get("userId"), Type: event.Type(q.Get("type")),
		From: timeIn(q, "from"), To: timeIn(q, "to"), Cursor: q.Get("cursor"), Limit: limit})
	if err != nil {
		return err
	}
	return c.WriteAppended(func(b []byte) []byte { return appendEvents(b, p) })
}

// timeIn returns a time of the query, which the contract has validated, or zero.
func timeIn(q url.Values, name string) time.Time {
	at, _ := wire.ParseTime(q.Get(name))
	return at
}

func appendEvents(b []byte, p events.Page) []byte {
	b = append(b, `{"events":[`...)
	for i := range p.Events {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendEvent(b, &p.Events[i])
	}
	b = jsontext.AppendMember(b, `],"cursor":`, p.Cursor)
	return append(strconv.AppendBool(append(b, `,"more":`...), p.More), '}')
}

func appendEvent(b []byte, e *event.Event) []byte {
	b = jsontext.AppendMember(b, `{"eventId":`, e.ID)
	b = jsontext.AppendMember(b, `,"type":`, string(e.Type))
	b = jsontext.AppendMember(b, `,"version":`, e.Version)
	b = jsontext.AppendTimeMember(b, `,"recordedAt":`, e.RecordedAt())
	b = jsontext.AppendNonEmpty(b, `,"userId":`, e.UserID)
	return append(append(append(b, `,"body":`...), e.Body...), '}')
}
