package nordea

import (
	"net/http"

	"samla/internal/sandbox/nordea/grant"
)

// startRedirect answers with the address of the bank's page.
func (c *call) startRedirect() (response, *apiError) {
	var q grant.RedirectRequest
	if f := c.decode(&q); f != nil {
		return response{}, f
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if f := checkRedirect(q, c.root, c.apps[c.app.ID], c.Behaviour); f != nil {
		return response{}, f
	}
	id, err := c.newSecret("visit")
	if err != nil {
		return response{}, serverError()
	}
	v := &grant.Visit{ID: id, App: c.app.ID, Root: c.root, Request: q, Until: c.Clock.Now().Add(pageLife)}
	if err := c.save(entry{Visit: v}); err != nil {
		return response{}, serverError()
	}
	c.stats.Visits++
	return response{http.StatusFound, map[string]string{"Location": "https://" + c.r.Host + c.PagePath(id)}, nil}, nil
}

// PagePath returns the path of the page of a visit.
func (b *Bank) PagePath(visit string) string { return "/" + b.Company + "/login/" + visit }

// decide ends a visit. accounts are the ids of the accounts and cards that the person chose.
// A second decision returns the address of the first. The caller holds mu.
func (b *Bank) decide(v *grant.Visit, person string, accounts []string, failure string) (returnTo string, err error) {
	if v.Decided {
		return v.ReturnTo, nil
	}
	d, change := grant.Decision{Failure: failure}, entry{}
	if failure == "" {
		q := v.Request
		g := grant.Grant{
			App: v.App, Root: v.Root, Flow: grant.Redirect, Country: q.Country, Person: person,
			Scopes: q.Scopes, Months: months(q.Months), Signed: b.Clock.Now(), Redirect: q.Redirect,
		}
		if v.Root == business {
			g.Agreement = firstAgreement(&grant.Login{Root: v.Root, Company: q.Company, Person: person})
		}
		b.choose(&g, accounts)
		if err := b.complete(&g, q.Duration); err != nil {
			return "", err
		}
		d.Grant, d.Code, change.Grant = g.ID, g.Code, &g
	}
	next, err := v.Apply(d)
	if err != nil {
		return "", err
	}
	change.Visit = &next
	if err := b.save(change); err != nil {
		return "", err
	}
	if change.Grant != nil {
		b.stats.Grants++
	}
	return next.ReturnTo, nil
}
