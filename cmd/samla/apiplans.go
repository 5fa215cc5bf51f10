package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// plansCmd works with refresh plans: how often a user's consents are read without the user
// (docs/reference/api.md 4.8).
type plansCmd struct {
	Show   plansShowCmd   `cmd:"" help:"Show the plan of a user: what is read when, and what waits."`
	Set    plansSetCmd    `cmd:"" help:"Read the consents of a user without the user, some times a day."`
	Delete plansDeleteCmd `cmd:"" help:"End the plan of a user."`
}

// planFlags name the user of a plan.
type planFlags struct {
	apiFlags
	User string `arg:"" help:"Id of the user, or your own id of it."`
}

type plansShowCmd struct {
	planFlags
	jsonFlag
}

type plansSetCmd struct {
	planFlags
	jsonFlag
	TimesPerDay int      `required:"" placeholder:"N" help:"How often a day, 1 to 4; never more than the bank allows."`
	Consent     []string `placeholder:"ID" help:"Only this consent (repeatable); all of the user by default, also those that follow."`
}

type plansDeleteCmd struct{ planFlags }

// partRow is a consent in a plan, as tables show it.
type partRow struct {
	ConsentID string     `json:"consentId"`
	Company   string     `json:"company"`
	State     string     `json:"state"`
	Reason    string     `json:"reason"`
	Next      *time.Time `json:"nextTry"`
}

var partColumns = []column{{head: "CONSENT"}, {head: "COMPANY"}, {head: "STATE"}, {head: "REASON"}, {head: "NEXT READ"}}

func (p partRow) cells() []string {
	next := ""
	if p.Next != nil {
		next = moment(p.Next)
	}
	return []string{p.ConsentID, p.Company, p.State, p.Reason, next}
}

// Validate reports a number of reads that no bank allows.
func (c *plansSetCmd) Validate() error {
	if c.TimesPerDay < 1 || c.TimesPerDay > 4 {
		return fmt.Errorf("--times-per-day %d is not from 1 to 4: more is not allowed without the user", c.TimesPerDay)
	}
	return nil
}

// send calls the route of the plan.
func (f planFlags) send(a *app, method string, body any) (json.RawMessage, error) {
	api, err := f.api()
	if err != nil {
		return nil, err
	}
	id, err := userID(a.ctx, api, f.User)
	if err != nil {
		return nil, err
	}
	return api.Send(a.ctx, method, "", path("/users/", id, "/refresh-plan"), body)
}

// showPlan prints a plan: how often, and its parts.
func showPlan(a *app, asJSON bool, data json.RawMessage) error {
	if asJSON {
		return a.printJSON(data)
	}
	var plan struct {
		TimesPerDay int             `json:"timesPerDay"`
		Parts       json.RawMessage `json:"parts"`
	}
	if err := json.Unmarshal(data, &plan); err != nil {
		return fmt.Errorf("the server's answer cannot be read: %w", err)
	}
	if _, err := fmt.Fprintf(a.out, "%s a day, without the user\n", map[bool]string{true: "once", false: strconv.Itoa(plan.TimesPerDay) + " times"}[plan.TimesPerDay == 1]); err != nil {
		return err
	}
	if len(plan.Parts) == 0 {
		plan.Parts = json.RawMessage("[]")
	}
	return show(a, false, plan.Parts, partColumns, partRow.cells, "the user has no consent that could be read: samla collect gives one")
}

// Run shows the plan.
func (c *plansShowCmd) Run(a *app) error {
	data, err := c.send(a, http.MethodGet, nil)
	if err != nil {
		return err
	}
	return showPlan(a, c.JSON, data)
}

// Run makes or replaces the plan.
func (c *plansSetCmd) Run(a *app) error {
	body := map[string]any{"timesPerDay": c.TimesPerDay}
	if len(c.Consent) > 0 {
		body["consents"] = c.Consent
	}
	data, err := c.send(a, http.MethodPut, body)
	if err != nil {
		return err
	}
	return showPlan(a, c.JSON, data)
}

// Run ends the plan.
func (c *plansDeleteCmd) Run(a *app) error {
	if _, err := c.send(a, http.MethodDelete, nil); err != nil {
		return err
	}
	_, err := fmt.Fprintln(a.out, "there is no plan any more")
	return err
}
