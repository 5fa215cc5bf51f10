package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"
)

// usersCmd works with the persons of a client.
type usersCmd struct {
	Create  usersCreateCmd  `cmd:"" help:"Create a user."`
	Show    usersShowCmd    `cmd:"" help:"Show a user, by its id or your own id of it. There is no list of all users."`
	Session usersSessionCmd `cmd:"" help:"Print a session token, with which an app of the user calls the API."`
	Erase   usersEraseCmd   `cmd:"" help:"Erase a user: consents are revoked at the banks, all data becomes unreadable."`
}

type usersCreateCmd struct {
	apiFlags
	jsonFlag
	ExternalID string `arg:"" help:"Your own id of the user."`
}

type usersShowCmd struct {
	apiFlags
	jsonFlag
	User string `arg:"" help:"Id of the user, or your own id of it."`
}

type usersSessionCmd struct {
	apiFlags
	jsonFlag
	User string `arg:"" help:"Id of the user, or your own id of it."`
}

type usersEraseCmd struct {
	apiFlags
	User string `arg:"" help:"Id of the user, or your own id of it."`
	Yes  bool   `short:"y" help:"Do not ask."`
}

// userRow is a user as tables show it.
type userRow struct {
	ID         string     `json:"userUuid"`
	ExternalID *string    `json:"externalId"`
	Anonymized bool       `json:"anonymized"`
	CreatedAt  *time.Time `json:"createdAt"`
}

var userColumns = []column{{head: "USER"}, {head: "YOUR ID"}, {head: "CREATED"}, {head: "STATE"}}

func (u userRow) cells() []string {
	state, external := "active", "-"
	if u.Anonymized {
		state = "erased"
	}
	if u.ExternalID != nil {
		external = *u.ExternalID
	}
	return []string{u.ID, external, moment(u.CreatedAt), state}
}

// Run creates a user.
func (c *usersCreateCmd) Run(a *app) error {
	api, err := c.api()
	if err != nil {
		return err
	}
	data, err := api.Send(a.ctx, "POST", "", "/users", map[string]string{"externalId": c.ExternalID})
	if err != nil {
		return err
	}
	return showOne(a, c.JSON, data, userColumns, userRow.cells)
}

// Run shows a user.
func (c *usersShowCmd) Run(a *app) error {
	api, err := c.api()
	if err != nil {
		return err
	}
	var data json.RawMessage
	if uuidRE.MatchString(c.User) {
		data, err = api.Get(a.ctx, "", path("/users/", c.User, ""), nil)
	} else {
		data, err = api.Get(a.ctx, "", "/users", url.Values{"externalId": {c.User}})
	}
	if err != nil {
		return err
	}
	return showOne(a, c.JSON, data, userColumns, userRow.cells)
}

// Run prints a session token.
func (c *usersSessionCmd) Run(a *app) error {
	api, err := c.api()
	if err != nil {
		return err
	}
	id, err := userID(a.ctx, api, c.User)
	if err != nil {
		return err
	}
	data, err := api.Send(a.ctx, "POST", "", path("/users/", id, "/sessions"), nil)
	if err != nil || c.JSON {
		return errors.Join(err, c.print(a, data))
	}
	var s struct {
		Token     string
		ExpiresAt *time.Time
	}
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	fmt.Fprintf(a.err, "valid until %s; with it, calls act as this user\n", moment(s.ExpiresAt))
	_, err = fmt.Fprintln(a.out, s.Token)
	return err
}

// print prints JSON, if there is any.
func (jsonFlag) print(a *app, data json.RawMessage) error {
	if data == nil {
		return nil
	}
	return a.printJSON(data)
}

// Run erases a user.
func (c *usersEraseCmd) Run(a *app) error {
	api, err := c.api()
	if err != nil {
		return err
	}
	id, err := userID(a.ctx, api, c.User)
	if err != nil {
		return err
	}
	if err := a.confirm(c.Yes, fmt.Sprintf("Erase the user %s with all consents and data? This cannot be undone.", plain(c.User))); err != nil {
		return err
	}
	if _, err := api.Send(a.ctx, "DELETE", "", path("/users/", id, ""), nil); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.out, "erased %s\n", id)
	return err
}

// showOne is show for one object.
func showOne[T any](a *app, asJSON bool, data json.RawMessage, columns []column, row func(T) []string) error {
	if asJSON {
		return a.printJSON(data)
	}
	return show(a, false, list([]json.RawMessage{data}), columns, row, "")
}
