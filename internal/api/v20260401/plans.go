package v20260401

import (
	"encoding/json"
	"net/http"

	"samla/internal/api"
	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/jsontext"
	"samla/internal/refresh"
)

// plannedUser returns the id of the user in the path, who may be anonymized.
func (o *operations) plannedUser(c *api.Call) (id string, anonymized bool, err error) {
	if id, err = c.PathID("id", fault.UserNotFound); err != nil {
		return "", false, err
	}
	u, err := o.Users.ByID(c.Context(), c.Caller().ClientID, id)
	return id, u.Anonymized(), err
}

// putRefreshPlan sets the refresh plan of a user (docs/reference/api.md 4.8).
func (o *operations) putRefreshPlan(c *api.Call) error {
	if _, err := c.PathID("id", fault.UserNotFound); err != nil {
		return err
	}
	body, f := c.Body()
	if f != nil {
		return f
	}
	var r struct {
		TimesPerDay json.Number  `json:"timesPerDay"`
		Consents    []consent.ID `json:"consents"`
	}
	if err := json.Unmarshal(body, &r); err != nil {
		return err
	}
	perDay, err := r.TimesPerDay.Float64() // 2.0 and 2e0 are whole numbers
	if err != nil {
		return err
	}
	id, anonymized, err := o.plannedUser(c)
	if err != nil {
		return err
	}
	if anonymized {
		return fault.New(fault.UserAnonymized)
	}
	p, err := o.Refresh.PutPlan(c.Context(), c.Caller().ClientID, id, int(perDay), r.Consents)
	if err != nil {
		return err
	}
	return c.Write(http.StatusOK, appendPlan(nil, &p))
}

func (o *operations) refreshPlan(c *api.Call) error {
	id, _, err := o.plannedUser(c)
	if err != nil {
		return err
	}
	p, err := o.Refresh.Plan(c.Context(), c.Caller().ClientID, id)
	if err != nil {
		return err
	}
	return c.WriteAppended(func(b []byte) []byte { return appendPlan(b, &p) })
}

func (o *operations) deleteRefreshPlan(c *api.Call) error {
	id, _, err := o.plannedUser(c)
	if err != nil {
		return err
	}
	if err := o.Refresh.DeletePlan(c.Context(), c.Caller().ClientID, id); err != nil {
		return err
	}
	return c.WriteNothing()
}

// appendPlan appends a RefreshPlan.
func appendPlan(b []byte, p *refresh.Plan) []byte {
	b = jsontext.AppendMember(b, `{"userUuid":`, p.UserID)
	b = appendInt(b, `,"timesPerDay":`, p.PerDay)
	if p.Lineages != nil {
		b = append(b, `,"consents":[`...)
		for i, lineage := range p.Lineages {
			if i > 0 {
				b = append(b, ',')
			}
			b = jsontext.AppendString(b, string(lineage))
		}
		b = append(b, ']')
	}
	b = jsontext.AppendTimeMember(b, `,"createdAt":`, p.CreatedAt)
	b = jsontext.AppendTimeMember(b, `,"updatedAt":`, p.UpdatedAt)
	b = append(b, `,"parts":[`...)
	for i := range p.Parts {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendPart(b, &p.Parts[i])
	}
	return append(b, `]}`...)
}
