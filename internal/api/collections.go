package api

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"samla/internal/authorize"
	"samla/internal/collect"
	"samla/internal/collection"
	"samla/internal/dedupe"
	"samla/internal/fault"
	"samla/internal/idempotency"
	"samla/internal/jsontext"
	"samla/internal/wire"
)

// summaryBody is a collection in a list (docs/reference/api.md 5.1).
type summaryBody struct {
	CollectionID string            `json:"collectionId"`
	Company      string            `json:"company"`
	CreatedAt    string            `json:"createdAt"`
	LoginMethod  string            `json:"loginMethod,omitempty"`
	Status       collection.Status `json:"status"`
}

func summaryOf(c collection.Collection) summaryBody {
	return summaryBody{c.ID, c.Company, jsontext.Time(c.CreatedAt), c.LoginMethod, c.Status}
}

func (h *Handler) startCollection(c *call) error {
	form, raw, err := h.readForm(c)
	if err != nil {
		return err
	}
	r := form.checkCollection()
	if err := form.done(); err != nil {
		return err
	}
	if r.ConsentID != "" && !isID(string(r.ConsentID)) {
		return fault.New(fault.ConsentNotFound)
	}
	r.Owner = c.owner()
	return c.idempotent(raw, func(ctx context.Context, claim *dedupe.Claim) (dedupe.Response, error) {
		var resp dedupe.Response
		_, err := h.Collections.Start(ctx, r, func(ctx context.Context, made collection.Collection) (*idempotency.Record, error) {
			var due time.Time
			if made.Leased() {
				due = made.PolledAt.Add(collection.Lease)
			}
			resp = created("/collections/"+made.ID+"/status", made.UserID, appendCollectionStatus(nil, &made, nil, due))
			return claim.Prepare(ctx, resp)
		})
		return resp, err
	})
}

func (h *Handler) collections(c *call) error {
	q, f := c.query()
	if f != nil {
		return f
	}
	return h.listCollections(c, q, c.owner())
}

func (h *Handler) collectionsOfUser(c *call) error {
	q, id, err := h.queryOfUser(c)
	if err != nil {
		return err
	}
	return h.listCollections(c, q, collect.Owner{ClientID: c.who.ClientID, UserID: id})
}

func (h *Handler) listCollections(c *call, q url.Values, o collect.Owner) error {
	p, f := page(q)
	if f != nil {
		return f
	}
	var in []collection.Status
	for _, s := range wire.Split(q["statusIn"]) {
		in = append(in, collection.Status(s.(string)))
	}
	rows, err := h.Collections.List(c.ctx(), o, in, q.Get("latest") == "true", p)
	if err != nil {
		return err
	}
	return writePage(c, q, p, rows, func(row collection.Collection) string { return row.ID }, summaryOf)
}

func (h *Handler) collectionStatus(c *call) error {
	id, err := c.pathID("collectionId", fault.CollectionNotFound)
	if err != nil {
		return err
	}
	view, due, err := h.Collections.Poll(c.ctx(), c.owner(), id)
	if err != nil {
		return err
	}
	var shown *authorize.Shown
	if view.Consent != nil {
		if shown, err = h.Consents.Show(c.ctx(), *view.Consent); err != nil {
			return err
		}
	}
	return c.append(func(b []byte) []byte { return appendCollectionStatus(b, &view.Collection, shown, due) })
}

func (h *Handler) cancelCollection(c *call) error {
	id, err := c.pathID("collectionId", fault.CollectionNotFound)
	if err != nil {
		return err
	}
	stopped, err := h.Collections.Stop(c.ctx(), c.owner(), id)
	if err != nil {
		return err
	}
	return c.write(http.StatusOK, appendCollectionStatus(nil, &stopped, nil, time.Time{}))
}

func (h *Handler) deleteCollection(c *call) error {
	id, err := c.pathID("collectionId", fault.CollectionNotFound)
	if err != nil {
		return err
	}
	if err := h.Collections.Erase(c.ctx(), c.owner(), id); err != nil {
		return err
	}
	return c.nothing()
}

// data answers with the products, byte for byte as they were stored.
func (h *Handler) data(c *call) error {
	id, err := c.pathID("collectionId", fault.CollectionNotFound)
	if err != nil {
		return err
	}
	products, err := h.Collections.Data(c.ctx(), c.owner(), id)
	if err != nil {
		return err
	}
	return c.write(http.StatusOK, products)
}
