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

// putRefreshPlan sets the refresh plan of a user (docs/reference/api.md 4.8).
func (o *operations) putRefreshPlan(c *api.Call) error {
	var r struct {
		TimesPerDay json.Number  `json:"timesPerDay"`
		Consents    []consent.ID `json:"consents"`
	}
	if _, err := c.Decode(&r); err != nil {
		return err
	}
	perDay, err := r.TimesPerDay.Float64() // 2.0 and 2e0 are whole numbers
	if err != nil {
		return err
	}
	u, err := o.user(c)
	if err != nil {
		return err
	}
	if u.Anonymized() {
		return fault.New(fault.UserAnonymized)
	}
	p, err := o.Refresh.PutPlan(c.Context(), u.ClientID, u.ID, int(perDay), r.Consents)
	if err != nil {
		return err
	}
	return c.Write(http.StatusOK, appendPlan(nil, &p))
}

func (o *operations) refreshPlan(c *api.Call) error {
	u, err := o.user(c)
	if err != nil {
		return err
	}
	p, err := o.Refresh.Plan(c.Context(), u.ClientID, u.ID)
	if err != nil {
		return err
	}
	return c.WriteAppended(func(b []byte) []byte { return appendPlan(b, &p) })
}

func (o *operations) deleteRefreshPlan(c *api.Call) error {
	u, err := o.user(c)
	if err != nil {
		return err
	}
	if err := o.Refresh.DeletePlan(c.Context(), u.ClientID, u.ID); err != nil {
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
