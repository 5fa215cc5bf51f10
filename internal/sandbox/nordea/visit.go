package nordea

import (
	"net/http"
	"net/url"
	"time"
)

// Visit is a person's visit to the bank's page, which a redirect starts. It is decided once,
// through Apply.
type Visit struct {
	ID      string          `json:"id"`
	App     string          `json:"app"`
	Root    string          `json:"root"`
	Request redirectRequest `json:"request"`
	Until   time.Time       `json:"until"`

	Decided  bool   `json:"decided,omitempty"`
	Grant    string `json:"grant,omitempty"` // if the person approved
	ReturnTo string `json:"returnTo,omitempty"`
}

// Decision is the end of a visit: a grant with its code, or a failure code.
type Decision struct {
	Grant, Code string
	Failure     string
}

// Apply returns the visit after its end. A visit that has been decided stays as it is, with
// ErrState.
func (v Visit) Apply(d Decision) (Visit, error) {
	if v.Decided || (d.Code == "") == (d.Failure == "") {
		return v, ErrState
	}
	u, err := url.Parse(v.Request.Redirect)
	if err != nil {
		return v, ErrState
	}
	query := u.Query()
	query.Set("state", v.Request.State)
	if d.Failure != "" {
		query.Set("httpMessage", d.Failure) // docs/reference/families.md 3.5, T
	} else {
		query.Set("code", d.Code)
	}
	u.RawQuery = query.Encode()
	v.Decided, v.Grant, v.ReturnTo = true, d.Grant, u.String()
	return v, nil
}

// startRedirect answers with the address of the bank's page.
func (c *call) startRedirect() (response, *apiError) {
	var q redirectRequest
	if f := c.decode(&q); f != nil {
		return response{}, f
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if f := q.check(c.root, c.apps[c.app.ID], c.Behaviour); f != nil {
		return response{}, f
	}
	id, err := c.newSecret("visit")
	if err != nil {
		return response{}, serverError()
	}
	v := &Visit{ID: id, App: c.app.ID, Root: c.root, Request: q, Until: c.Clock.Now().Add(pageLife)}
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
func (b *Bank) decide(v *Visit, person string, accounts []string, failure string) (returnTo string, err error) {
	if v.Decided {
		return v.ReturnTo, nil
	}
	d, change := Decision{Failure: failure}, entry{}
	if failure == "" {
		q := v.Request
		g := Grant{
			App: v.App, Root: v.Root, Flow: Redirect, Country: q.Country, Person: person,
			Scopes: q.Scopes, Months: months(q.Months), Signed: b.Clock.Now(), Redirect: q.Redirect,
		}
		if v.Root == business {
			g.Agreement = firstAgreement(&Login{Root: v.Root, Company: q.Company, Person: person})
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
