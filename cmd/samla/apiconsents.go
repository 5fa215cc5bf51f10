package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// consentsCmd works with the permissions that users gave at banks.
type consentsCmd struct {
	List   consentsListCmd   `cmd:"" help:"List the consents of a user. samla collect creates them."`
	Show   consentsShowCmd   `cmd:"" help:"Show a consent, and what it waits for."`
	Access consentsAccessCmd `cmd:"" help:"Show how often a consent can still be read without the user, and for how long."`
	Revoke consentsRevokeCmd `cmd:"" help:"Revoke a consent here and at the bank."`
}

// userFlag names whose things are meant.
type userFlag struct {
	User string `required:"" placeholder:"ID" help:"Id of the user, or your own id of it."`
}

type consentsListCmd struct {
	apiFlags
	jsonFlag
	userFlag
}

type consentsShowCmd struct {
	apiFlags
	jsonFlag
	userFlag
	Consent string `arg:"" help:"Id of the consent."`
}

type consentsAccessCmd struct {
	apiFlags
	jsonFlag
	userFlag
	Consent string `arg:"" help:"Id of the consent."`
}

type consentsRevokeCmd struct {
	apiFlags
	jsonFlag
	userFlag
	Consent string `arg:"" help:"Id of the consent."`
}

// consentRow is a consent as tables show it.
type consentRow struct {
	ID        string     `json:"consentId"`
	Company   string     `json:"company"`
	Status    string     `json:"status"`
	ExpiresAt *time.Time `json:"expiresAt"`
	Scope     struct {
		AccountIDs   []string `json:"accountIds"`
		Balances     bool     `json:"balances"`
		Transactions bool     `json:"transactions"`
	} `json:"scope"`
	Error *struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

var consentColumns = []column{{head: "CONSENT"}, {head: "COMPANY"}, {head: "STATUS"}, {head: "ENDS"}, {head: "COVERS"}}

func (c consentRow) cells() []string {
	what := []string{"all accounts"}
	if n := len(c.Scope.AccountIDs); n > 0 {
		what = []string{counted(n, "account")}
	}
	if c.Scope.Balances {
		what = append(what, "balances")
	}
	if c.Scope.Transactions {
		what = append(what, "transactions")
	}
	status := c.Status
	if c.Error != nil {
		status += " " + c.Error.Code
	}
	return []string{c.ID, c.Company, status, moment(c.ExpiresAt), strings.Join(what, ", ")}
}

// Run lists the consents of a user.
func (c *consentsListCmd) Run(a *app) error {
	api, err := c.api()
	if err != nil {
		return err
	}
	id, err := userID(a.ctx, api, c.User)
	if err != nil {
		return err
	}
	data, err := api.Get(a.ctx, "", path("/users/", id, "/consents"), nil)
	if err != nil {
		return err
	}
	return show(a, c.JSON, data, consentColumns, consentRow.cells, "the user has no consent")
}

// with asks for something about a consent as its user.
func (f apiFlags) asUser(a *app, user, method, route string) (json.RawMessage, error) {
	api, err := f.api()
	if err != nil {
		return nil, err
	}
	token, err := session(a.ctx, api, user)
	if err != nil {
		return nil, err
	}
	return api.Send(a.ctx, method, token, route, nil)
}

// Run shows a consent.
func (c *consentsShowCmd) Run(a *app) error {
	data, err := c.asUser(a, c.User, "GET", path("/consents/", c.Consent, "/status"))
	if err != nil {
		return err
	}
	return showOne(a, c.JSON, data, consentColumns, consentRow.cells)
}

// Run shows the access of a consent.
func (c *consentsAccessCmd) Run(a *app) error {
	data, err := c.asUser(a, c.User, "GET", path("/consents/", c.Consent, "/access"))
	if err != nil {
		return err
	}
	if c.JSON {
		return a.printJSON(data)
	}
	return printMembers(a.out, data)
}

// Run revokes a consent.
func (c *consentsRevokeCmd) Run(a *app) error {
	data, err := c.asUser(a, c.User, "DELETE", path("/consents/", c.Consent, ""))
	if err != nil {
		return err
	}
	if c.JSON {
		return a.printJSON(data)
	}
	var s consentRow
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.out, "%s is %s\n", plain(s.ID), plain(s.Status))
	return err
}
