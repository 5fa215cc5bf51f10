package v20260401

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"samla/internal/api"
	"samla/internal/api/collections"
	"samla/internal/authorize"
	"samla/internal/collect"
	"samla/internal/collection"
	"samla/internal/fault"
	"samla/internal/idempotency"
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
	r.Owner = owner(c)
	return c.Create(body, func(ctx context.Context, respond api.Respond) error {
		_, err := o.Collections.Start(ctx, r, func(ctx context.Context, made collection.Collection) (*idempotency.Record, error) {
			return respond(ctx, "/collections/"+made.ID+"/status", made.UserID, collections.AppendStatus(nil, &made, nil, nil, o.Collections.PollBy(made)))
		})
		return err
	})
}

// owner returns whose collections the caller can see (docs/reference/api.md 5.2).
func owner(c *api.Call) collect.Owner {
	return collect.Owner{ClientID: c.Caller().ClientID, UserID: c.Caller().UserID}
}

func (o *operations) collections(c *api.Call) error {
	q, err := c.Query()
	if err != nil {
		return err
	}
	return o.listCollections(c, q, owner(c))
}

func (o *operations) collectionsOfUser(c *api.Call) error {
	q, id, err := o.queryOfUser(c)
	if err != nil {
		return err
	}
	return o.listCollections(c, q, collect.Owner{ClientID: c.Caller().ClientID, UserID: id})
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

func (o *operations) collectionStatus(c *api.Call) error {
	id, err := c.PathID("collectionId", fault.CollectionNotFound)
	if err != nil {
		return err
	}
	view, due, err := o.Collections.Poll(c.Context(), owner(c), id)
	if err != nil {
		return err
	}
	var signing *authorize.Shown
	if view.Consent != nil {
		if signing, err = o.Consents.Show(c.Context(), *view.Consent); err != nil {
			return err
		}
	}
	return c.WriteAppended(func(b []byte) []byte { return collections.AppendStatus(b, &view.Collection, signing, view.Shown, due) })
}

func (o *operations) supplement(c *api.Call) error {
	id, err := c.PathID("collectionId", fault.CollectionNotFound)
	if err != nil {
		return err
	}
	answer, err := collections.ReadSupplement(c.Body())
	if err != nil {
		return err
	}
	if err := o.Collections.Supplement(c.Context(), owner(c), id, answer); err != nil {
		return err
	}
	return c.WriteNothing()
}

func (o *operations) cancelCollection(c *api.Call) error {
	id, err := c.PathID("collectionId", fault.CollectionNotFound)
	if err != nil {
		return err
	}
	stopped, err := o.Collections.Stop(c.Context(), owner(c), id)
	if err != nil {
		return err
	}
	return c.Write(http.StatusOK, collections.AppendStatus(nil, &stopped, nil, nil, time.Time{}))
}

func (o *operations) deleteCollection(c *api.Call) error {
	id, err := c.PathID("collectionId", fault.CollectionNotFound)
	if err != nil {
		return err
	}
	if err := o.Collections.Erase(c.Context(), owner(c), id); err != nil {
		return err
	}
	return c.WriteNothing()
}

// data answers with the products as they are stored, byte for byte.
func (o *operations) data(c *api.Call) error {
	id, err := c.PathID("collectionId", fault.CollectionNotFound)
	if err != nil {
		return err
	}
	data, err := o.Collections.Data(c.Context(), owner(c), id)
	if err != nil {
		return err
	}
	return c.WriteStored(data)
}
