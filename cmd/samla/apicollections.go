package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"time"

	"samla/internal/apiclient"
)

// collectionsCmd works with what was collected.
type collectionsCmd struct {
	List   collectionsListCmd   `cmd:"" help:"List collections, the newest first: of one user, or of all. samla collect starts them."`
	Show   collectionsShowCmd   `cmd:"" help:"Show the status of a collection."`
	Data   collectionsDataCmd   `cmd:"" help:"Show the products of a collection, or write them to files."`
	Cancel collectionsCancelCmd `cmd:"" help:"Stop a collection that is running."`
	Delete collectionsDeleteCmd `cmd:"" help:"Stop a collection, and erase its data."`
}

type collectionsListCmd struct {
	apiFlags
	jsonFlag
	User   string   `placeholder:"ID" help:"Id of the user, or your own id of it; without it, all users."`
	Status []string `placeholder:"STATUS" help:"Only those with one of these statuses, such as COMPLETED."`
	Latest bool     `help:"Only the newest one of each company."`
	Limit  int      `default:"50" help:"How many, at most."`
}

type collectionFlags struct {
	apiFlags
	Collection string `arg:"" help:"Id of the collection."`
}

type collectionsShowCmd struct {
	collectionFlags
	jsonFlag
}

type collectionsDataCmd struct {
	collectionFlags
	jsonFlag
	outFlags
	User string `placeholder:"ID" help:"Id of the collection's user, or your own id of it: with it, transactions in files have their lasting ids, as in samla accounts export."`
}

type collectionsCancelCmd struct{ collectionFlags }

type collectionsDeleteCmd struct {
	collectionFlags
	Yes bool `short:"y" help:"Do not ask."`
}

// collectionRow is a collection as tables show it. A status has id, a summary collectionId.
type collectionRow struct {
	CollectionID string     `json:"collectionId"`
	ID           string     `json:"id"`
	Company      string     `json:"company"`
	Status       string     `json:"status"`
	CreatedAt    *time.Time `json:"createdAt"`
	LoginMethod  string     `json:"loginMethod"`
}

func (c collectionRow) cells() []string {
	return []string{c.CollectionID + c.ID, c.Company, c.Status, moment(c.CreatedAt), c.LoginMethod}
}

var collectionColumns = []column{{head: "COLLECTION"}, {head: "COMPANY"}, {head: "STATUS"}, {head: "STARTED"}, {head: "LOGIN METHOD"}}

// Run lists collections.
func (c *collectionsListCmd) Run(a *app) error {
	api, err := c.api()
	if err != nil {
		return err
	}
	route, query := "/collections", url.Values{}
	if c.User != "" {
		id, err := userID(a.ctx, api, c.User)
		if err != nil {
			return err
		}
		route = path("/users/", id, "/collections")
	}
	if c.Latest {
		query.Set("latest", "true")
	}
	if len(c.Status) > 0 {
		query["statusIn"] = c.Status
	}
	items, more, err := api.List(a.ctx, "", route, query, c.Limit)
	if err != nil {
		return err
	}
	if err := show(a, c.JSON, list(items), collectionColumns, collectionRow.cells, "there is no such collection"); err != nil {
		return err
	}
	if more {
		fmt.Fprintf(a.err, "there are more: --limit %d shows more of them\n", 10*c.Limit)
	}
	return nil
}

// Validate reports a limit that shows nothing.
func (c *collectionsListCmd) Validate() error { return checkLimit(c.Limit) }

func checkLimit(n int) error {
	if n < 1 || n > 100_000 {
		return fmt.Errorf("--limit %d is not from 1 to 100000", n)
	}
	return nil
}

// Run shows a collection.
func (c *collectionsShowCmd) Run(a *app) error {
	api, err := c.api()
	if err != nil {
		return err
	}
	data, err := api.Get(a.ctx, "", path("/collections/", c.Collection, "/status"), nil)
	if err != nil || c.JSON {
		return errorsOr(err, func() error { return a.printJSON(data) })
	}
	var s collectionRow
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	if err := showOne(a, false, data, collectionColumns[:3], func(r collectionRow) []string { return r.cells()[:3] }); err != nil {
		return err
	}
	if text := statusText(s.Status); text != "" {
		fmt.Fprintln(a.out, "\n"+text)
	}
	return nil
}

// errorsOr returns err, or what do returns.
func errorsOr(err error, do func() error) error {
	if err != nil {
		return err
	}
	return do()
}

// Run shows the products of a collection.
func (c *collectionsDataCmd) Run(a *app) error {
	api, err := c.api()
	if err != nil {
		return err
	}
	s, err := api.PollCollection(a.ctx, "", url.PathEscape(c.Collection))
	if err != nil {
		return err
	}
	d := delivered{id: s.ID, company: s.Company, partial: s.Status == "COMPLETED_PARTIAL"}
	if d.data, err = api.Data(a.ctx, "", url.PathEscape(c.Collection)); err != nil {
		return err
	}
	if c.JSON {
		return a.printJSON(d.data)
	}
	if c.Out != "" {
		if err := c.complete(a, api, &d); err != nil {
			return err
		}
	}
	return c.deliver(a, d)
}

// searched is how many collections are searched for one, the newest first.
const searched = 5000

// complete finds out what files need besides the products: when they were read, and the
// lasting ids.
func (c *collectionsDataCmd) complete(a *app, api *apiclient.Client, d *delivered) error {
	route := "/collections"
	if c.User != "" {
		id, err := userID(a.ctx, api, c.User)
		if err != nil {
			return err
		}
		route = path("/users/", id, "/collections")
		if d.lasting, err = lastingIDs(a.ctx, api, id); err != nil {
			return err
		}
	}
	items, _, err := api.List(a.ctx, "", route, url.Values{}, searched)
	if err != nil {
		return err
	}
	for _, item := range items {
		var row collectionRow
		if err := json.Unmarshal(item, &row); err != nil {
			return err
		}
		if row.CollectionID == d.id && row.CreatedAt != nil {
			d.readAt = *row.CreatedAt
			return nil
		}
	}
	return fmt.Errorf("it is not among the newest %d collections, so the day of its balances is not known: name its user with --user, or write the accounts with samla accounts export", searched)
}

// Run stops a collection.
func (c *collectionsCancelCmd) Run(a *app) error {
	api, err := c.api()
	if err != nil {
		return err
	}
	data, err := api.Send(a.ctx, "POST", "", path("/collections/", c.Collection, "/cancel"), nil)
	if err != nil {
		return err
	}
	var s collectionRow
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.out, "%s is %s\n", plain(s.ID), plain(s.Status))
	return err
}

// Run erases a collection.
func (c *collectionsDeleteCmd) Run(a *app) error {
	api, err := c.api()
	if err != nil {
		return err
	}
	if err := a.confirm(c.Yes, fmt.Sprintf("Erase the data of the collection %s?", plain(c.Collection))); err != nil {
		return err
	}
	if _, err := api.Send(a.ctx, "DELETE", "", path("/collections/", c.Collection, ""), nil); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.out, "erased %s\n", plain(c.Collection))
	return err
}
