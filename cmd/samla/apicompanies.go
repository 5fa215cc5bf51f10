package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"samla/internal/apiclient"
	"samla/internal/clock"
)

type companiesCmd struct {
	apiFlags
	jsonFlag
	Text string `arg:"" optional:"" help:"Only those whose id or name has this text."`
}

// companyRow is an institution as tables show it.
type companyRow struct {
	ID           string   `json:"company"`
	Name         string   `json:"companyDisplayName"`
	Status       string   `json:"status"`
	PSD2         bool     `json:"psd2"`
	LoginMethods []string `json:"loginMethods"`
}

// Run lists institutions, and whether they work.
func (c *companiesCmd) Run(a *app) error {
	api, err := c.api()
	if err != nil {
		return err
	}
	data, err := api.Get(a.ctx, "", "/companies/availability", nil)
	if err != nil {
		return err
	}
	if c.Text != "" {
		var all, kept []json.RawMessage
		if err := json.Unmarshal(data, &all); err != nil {
			return err
		}
		for _, one := range all {
			var row companyRow
			if err := json.Unmarshal(one, &row); err != nil {
				return err
			}
			if text := strings.ToLower(c.Text); strings.Contains(strings.ToLower(row.ID), text) || strings.Contains(strings.ToLower(row.Name), text) {
				kept = append(kept, one)
			}
		}
		if len(kept) == 0 {
			return fmt.Errorf("no id and no name of a company has the text %q: samla companies lists all", c.Text)
		}
		data = list(kept)
	}
	columns := []column{{head: "COMPANY"}, {head: "NAME", most: nameWidth}, {head: "STATUS"}, {head: "BY"}, {head: "LOGIN METHODS"}}
	return show(a, c.JSON, data, columns, func(r companyRow) []string {
		by := "login"
		if r.PSD2 {
			by = "consent"
		}
		return []string{r.ID, r.Name, r.Status, by, strings.Join(r.LoginMethods, ", ")}
	}, "there is no such company")
}

type eventsCmd struct {
	apiFlags
	jsonFlag
	Type   string        `placeholder:"TYPE" help:"Only events of one type, such as COLLECTION."`
	User   string        `placeholder:"ID" help:"Only events of one user: its id, or your own id of it."`
	From   string        `placeholder:"TIME" help:"Only events recorded then or later, such as 2026-11-27T08:00:00Z."`
	To     string        `placeholder:"TIME" help:"Only events recorded before."`
	Cursor string        `help:"Go on where an earlier call ended, which printed its cursor to standard error."`
	Limit  int           `default:"50" help:"How many, at most."`
	Follow bool          `short:"f" help:"Wait for more, until it is stopped with Ctrl-C. Prints JSON, a line for each event, with --json."`
	Every  time.Duration `default:"2s" help:"With --follow: how often to ask."`
}

// Validate reports values that ask for nothing.
func (c *eventsCmd) Validate() error {
	if c.Every < time.Second/10 {
		return errors.New("--every is at least 100ms")
	}
	return checkLimit(c.Limit)
}

// eventPage is an answer of GET /events (docs/reference/api.md 7.4).
type eventPage struct {
	Events []json.RawMessage `json:"events"`
	Cursor string            `json:"cursor"`
	More   bool              `json:"more"`
}

// Run prints events, the oldest first: a line of JSON each with --json.
func (c *eventsCmd) Run(a *app) error {
	api, err := c.api()
	if err != nil {
		return err
	}
	query := url.Values{}
	for name, value := range map[string]string{"type": c.Type, "from": c.From, "to": c.To, "cursor": c.Cursor} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if c.User != "" {
		id, err := userID(a.ctx, api, c.User)
		if err != nil {
			return err
		}
		query.Set("userId", id)
	}
	p := &eventPrinter{app: a, json: c.JSON}
	for left := c.Limit; ; {
		more, err := c.page(a, api, query, p, &left)
		switch {
		case err != nil:
			if cursor := query.Get("cursor"); cursor != "" {
				fmt.Fprintf(a.err, "cursor: %s\n", plain(cursor))
			}
			return err
		case more && (c.Follow || left > 0):
			continue
		case !c.Follow:
			fmt.Fprintf(a.err, "cursor: %s\n", plain(query.Get("cursor")))
			return nil
		}
		if err := clock.Sleep(a.ctx, clock.System(), c.Every); err != nil {
			fmt.Fprintf(a.err, "cursor: %s\n", plain(query.Get("cursor")))
			return nil // it was stopped
		}
	}
}

// page prints a page, and moves the cursor of the query behind it.
func (c *eventsCmd) page(a *app, api *apiclient.Client, query url.Values, p *eventPrinter, left *int) (more bool, err error) {
	size := 200
	if !c.Follow {
		size = min(size, *left)
	}
	query.Set("limit", strconv.Itoa(size))
	data, err := api.Get(a.ctx, "", "/events", query)
	if err != nil {
		return false, err
	}
	var page eventPage
	if err := json.Unmarshal(data, &page); err != nil {
		return false, err
	}
	*left -= len(page.Events)
	query.Set("cursor", page.Cursor)
	return page.More, p.print(page.Events)
}

// eventPrinter prints events as they come, in columns of one width.
type eventPrinter struct {
	*app
	json   bool
	headed bool
}

// typeWidth is the width of the longest type of an event.
const typeWidth = len("REFRESH_PLAN_CHANGED")

func (p *eventPrinter) print(events []json.RawMessage) error {
	t := table{columns: []column{{least: momentWidth}, {least: typeWidth}, {least: 36}, {}}}
	for _, one := range events {
		if p.json {
			if err := p.printJSON(one); err != nil {
				return err
			}
			continue
		}
		var e struct {
			Type       string          `json:"type"`
			RecordedAt *time.Time      `json:"recordedAt"`
			UserID     string          `json:"userId"`
			Body       json.RawMessage `json:"body"`
		}
		if err := json.Unmarshal(one, &e); err != nil {
			return err
		}
		t.rows = append(t.rows, []string{moment(e.RecordedAt), e.Type, e.UserID, eventText(e.Body)})
	}
	if len(t.rows) > 0 && !p.headed {
		p.headed = true
		for i, head := range []string{"RECORDED", "TYPE", "USER", "WHAT"} {
			t.columns[i].head = head
		}
	}
	return t.print(p.out)
}

// eventText is what a body says, in one line: the members that are texts or numbers.
func eventText(body json.RawMessage) string {
	var members map[string]any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if decoder.Decode(&members) != nil {
		return ""
	}
	var parts []string
	for name, value := range members {
		switch value := value.(type) {
		case string:
			if !slices.Contains([]string{"event", "eventId", "timestamp", "userId"}, name) {
				parts = append(parts, name+" "+value)
			}
		case json.Number, bool:
			parts = append(parts, fmt.Sprint(name, " ", value))
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}
