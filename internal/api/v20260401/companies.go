package v20260401

import (
	"samla/internal/api"
	"samla/internal/company"
)

// companyBody is a company on the wire (docs/reference/api.md 6.1).
type companyBody struct {
	Company            string               `json:"company"`
	CompanyDisplayName string               `json:"companyDisplayName"`
	Functional         bool                 `json:"functional"`
	Status             company.Availability `json:"status"`
	LoginMethods       []string             `json:"loginMethods"`
	Market             string               `json:"market"`
	PSD2               bool                 `json:"psd2"`
}

func (o *operations) availability(c *api.Call) error {
	now := o.Clock.Now()
	institutions := o.Institutions.Offered()
	list := make([]companyBody, 0, len(institutions))
	for _, i := range institutions {
		co := i.Company
		availability := o.Health.Availability(co.ID, now)
		methods := co.LoginMethods
		if methods == nil {
			methods = []string{}
		}
		list = append(list, companyBody{Company: co.ID, CompanyDisplayName: co.DisplayName, Functional: availability.Functional(),
			Status: availability, LoginMethods: methods, Market: co.Market(), PSD2: co.PSD2})
	}
	return c.WriteJSON(list)
}
