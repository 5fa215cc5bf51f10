package v20260401

import (
	"context"
	"strconv"
	"time"

	"samla/internal/api"
	"samla/internal/connect"
	"samla/internal/flow"
	"samla/internal/idempotency"
	"samla/internal/jsontext"
)

// connectLinkBody is a CreateConnectLinkRequest (docs/reference/api.md 13.1).
type connectLinkBody struct {
	UserUUID     string         `json:"userUuid"`
	Companies    []string       `json:"companies"`
	Products     []flow.Product `json:"products"`
	Balances     *bool          `json:"balances"`
	Transactions *bool          `json:"transactions"`
	ValidDays    jsonInt        `json:"validDays"`
	Collect      *bool          `json:"collect"`
	Results      *bool          `json:"results"`
	Purpose      string         `json:"purpose"`
	Language     string         `json:"language"`
	ReturnURL    string         `json:"returnUrl"`
	Origin       string         `json:"origin"`
	LinkSeconds  jsonInt        `json:"linkSeconds"`
	Person       flow.Typed     `json:"person"`
}

// jsonInt is a whole number, which JSON may write as 2.0 or 2e0.
type jsonInt int

// UnmarshalJSON implements json.Unmarshaler. The schema has been applied.
func (n *jsonInt) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		return nil
	}
	f, err := strconv.ParseFloat(string(text), 64)
	*n = jsonInt(f)
	return err
}

func (b connectLinkBody) request(clientID string) connect.LinkRequest {
	yes := func(p *bool) bool { return p == nil || *p }
	if b.Language == "" {
		b.Language = "en"
	}
	return connect.LinkRequest{ClientID: clientID, UserID: b.UserUUID, Known: b.Person, Life: time.Duration(b.LinkSeconds) * time.Second,
		Terms: flow.Terms{Companies: b.Companies, Products: b.Products, Balances: yes(b.Balances), Transactions: yes(b.Transactions), ValidDays: int(b.ValidDays),
			ConsentOnly: !yes(b.Collect), Silent: !yes(b.Results), Purpose: b.Purpose, Language: b.Language, ReturnURL: b.ReturnURL, Origin: b.Origin}}
}

func (o *operations) createConnectLink(c *api.Call) error {
	var r connectLinkBody
	body, err := c.Decode(&r)
	if err != nil {
		return err
	}
	return c.Create(body, func(ctx context.Context, respond api.Respond) error {
		_, err := o.Connect.CreateLink(ctx, r.request(c.Caller().ClientID), func(ctx context.Context, l connect.NewLink) (*idempotency.Record, error) {
			b := jsontext.AppendMember(appendLink(nil, &l.Link, l.CreatedAt), `,"url":`, l.URL)
			return respond(ctx, "/connect-links/"+l.ID, l.UserID, append(b, '}'))
		})
		return err
	})
}

func (o *operations) connectLink(c *api.Call) error {
	l, err := o.Connect.Link(c.Context(), c.Caller().ClientID, c.ID())
	if err != nil {
		return err
	}
	return c.WriteAppended(func(b []byte) []byte {
		b = appendLink(b, &l.Link, o.Clock.Now())
		if !l.OpenedAt.IsZero() {
			b = jsontext.AppendTimeMember(b, `,"openedAt":`, l.OpenedAt)
		}
		if f := l.Flow; f != nil {
			b = appendFlow(append(b, `,"flow":`...), f)
		}
		return append(b, '}')
	})
}

// appendLink appends a ConnectLink as it stands at the time now, without its end.
func appendLink(b []byte, l *flow.Link, now time.Time) []byte {
	b = jsontext.AppendMember(b, `{"connectLinkId":`, l.ID)
	b = jsontext.AppendMember(b, `,"userUuid":`, l.UserID)
	status := "OPEN"
	switch {
	case !l.OpenedAt.IsZero():
		status = "USED"
	case !now.Before(l.ExpiresAt):
		status = "EXPIRED"
	}
	b = jsontext.AppendMember(b, `,"status":`, status)
	b = jsontext.AppendTimeMember(b, `,"createdAt":`, l.CreatedAt)
	return jsontext.AppendTimeMember(b, `,"expiresAt":`, l.ExpiresAt)
}

// appendFlow appends a ConnectFlow.
func appendFlow(b []byte, f *flow.Flow) []byte {
	b = jsontext.AppendMember(b, `{"state":`, string(f.State))
	b = jsontext.AppendTimeMember(b, `,"stateSince":`, f.StateAt)
	b = jsontext.AppendNonEmpty(b, `,"company":`, f.Company)
	b = jsontext.AppendNonEmpty(b, `,"consentId":`, string(f.ConsentID))
	b = jsontext.AppendNonEmpty(b, `,"collectionId":`, f.CollectionID)
	return append(jsontext.AppendNonEmpty(b, `,"error":`, f.Failure), '}')
}
