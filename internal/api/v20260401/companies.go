package v20260401

import (
	"slices"

	"samla/internal/api"
	"samla/internal/company"
	"samla/internal/institution"
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
	institutions := slices.DeleteFunc(o.Institutions.All(), func(i institution.Institution) bool { return i.Retired && !i.Gone })
	list := make([]companyBody, 0, len(institutions))
	for _, i := range institutions {
		co := i.Company
		availability := o.Health.Availability(co.ID, now)
		if i.Gone {
			availability = company.Unavailable
		}
		methods := co.LoginMethods
		if methods == nil {
			methods = []string{}
		}
		list = append(list, companyBody{Company: co.ID, CompanyDisplayName: co.DisplayName, Functional: availability.Functional(),
			Status: availability, LoginMethods: methods, Market: co.Market(), PSD2: co.PSD2})
	}
	return c.WriteJSON(list)
}
