package v20260401

import (
	"net/http"
	"net/url"
	"time"

	"samla/internal/api"
	"samla/internal/api/collections"
	"samla/internal/collect"
	"samla/internal/collection"
	"samla/internal/fault"
	"samla/internal/jsontext"
	"samla/internal/wire"
)

// appendSummary appends a collection as an item of a list (docs/reference/api.md 5.1).
func appendSummary(b []byte, c *collection.Summary) []byte {
	b = jsontext.AppendMember(b, `{"collectionId":`, c.ID)
	b = jsontext.AppendMember(b, `,"company":`, c.Company)
	b = jsontext.AppendTimeMember(b, `,"createdAt":`, c.CreatedAt)
	b = jsontext.AppendNonEmpty(b, `,"loginMethod":`, c.LoginMethod)
	return append(jsontext.AppendMember(b, `,"status":`, string(c.Status)), '}')
}

func (o *operations) startCollection(c *api.Call) error {
	v, body, err := o.readRequest(c)
	if err != nil {
		return err
	}
	r := v.Collection()
	if err := v.Err(); err != nil {
		return err
	}
	if r.ConsentID != "" && !api.IsID(string(r.ConsentID)) {
		return fault.New(fault.ConsentNotFound)
	}
	return o.shared.Start(c, r, body, func(id string) string { return "/collections/" + id + "/status" })
}

func (o *operations) collections(c *api.Call) error {
	q, err := c.Query()
	if err != nil {
		return err
	}
	return o.listCollections(c, q, collections.OwnerOf(c))
}

func (o *operations) collectionsOfUser(c *api.Call) error {
	q, u, err := o.queryOfUser(c)
	if err != nil {
		return err
	}
	return o.listCollections(c, q, collect.Owner{ClientID: u.ClientID, UserID: u.ID})
}

func (o *operations) listCollections(c *api.Call, q url.Values, of collect.Owner) error {
	p, err := api.Page(q)
	if err != nil {
		return err
	}
	var in []collection.Status
	for _, s := range wire.Split(q["statusIn"]) {
		in = append(in, collection.Status(s.(string)))
	}
	rows, err := o.Collections.List(c.Context(), of, in, q.Get("latest") == "true", p)
	if err != nil {
		return err
	}
	return api.WritePage(c, q, p, rows, func(row *collection.Summary) string { return row.ID }, appendSummary)
}

func (o *operations) cancelCollection(c *api.Call) error {
	stopped, err := o.Collections.Stop(c.Context(), collections.OwnerOf(c), c.ID())
	if err != nil {
		return err
	}
	return c.Write(http.StatusOK, collections.AppendStatus(nil, &stopped, nil, nil, time.Time{}))
}

func (o *operations) deleteCollection(c *api.Call) error {
	if err := o.Collections.Erase(c.Context(), collections.OwnerOf(c), c.ID()); err != nil {
		return err
	}
	return c.WriteNothing()
}

// data answers with the products as they are stored, byte for byte.
func (o *operations) data(c *api.Call) error {
	data, err := o.shared.Data(c)
	if err != nil {
		return err
	}
	return c.WriteStored(data.Served())
}
