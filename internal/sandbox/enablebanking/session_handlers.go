package enablebanking

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

func (c *call) getApplication() (any, *apiError) {
	c.mu.Lock()
	defer c.mu.Unlock()
	countries := []string{}
	for _, b := range c.directory {
		if !slices.Contains(countries, b.Country) {
			countries = append(countries, b.Country)
		}
	}
	return map[string]any{
		"name": "Samla sandbox", "description": "The sandbox's own application", "kid": c.appID, "environment": "SANDBOX",
		"redirect_urls": slices.Clone(c.redirects), "active": true, "countries": countries, "services": []string{"AIS"},
	}, nil
}

func (c *call) listBanks() (any, *apiError) {
	q := c.r.URL.Query()
	country, psuType, service := q.Get("country"), q.Get("psu_type"), q.Get("service")
	if country != "" && (len(country) != 2 || strings.ToUpper(country) != country) {
		return nil, wrong("country is two capital letters")
	}
	if !slices.Contains([]string{"", "personal", "business"}, psuType) || !slices.Contains([]string{"", "AIS", "PIS"}, service) {
		return nil, wrong("psu_type or service is unknown")
	}
	list := []*bank{}
	for _, b := range c.offered() {
		if (country == "" || b.Country == country) && (psuType == "" || slices.Contains(b.PSUTypes, psuType)) && service != "PIS" && !q.Has("payment_type") {
			list = append(list, b)
		}
	}
	return map[string]any{"aspsps": list}, nil
}

// authRequest is the body of POST /auth.
type authRequest struct {
	Access *struct {
		ValidUntil   string                  `json:"valid_until"`
		Accounts     []accountIdentification `json:"accounts"`
		Balances     *bool                   `json:"balances"`
		Transactions *bool                   `json:"transactions"`
	} `json:"access"`
	Bank        *bankName         `json:"aspsp"`
	State       string            `json:"state"`
	RedirectURL string            `json:"redirect_url"`
	PSUType     string            `json:"psu_type"`
	AuthMethod  string            `json:"auth_method"`
	Credentials map[string]string `json:"credentials"`
	AutoSubmit  *bool             `json:"credentials_autosubmit"`
	Language    string            `json:"language"`
	PSUID       string            `json:"psu_id"`
}

var languageRE = regexp.MustCompile(`^[a-z]{2}$`)

// startLogin is POST /auth.
func (c *call) startLogin() (any, *apiError) {
	var q authRequest
	if f := c.decode(&q); f != nil {
		return nil, f
	}
	l, f := c.newLogin(q)
	if f != nil {
		return nil, f
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !slices.Contains(c.redirects, l.Return) {
		return nil, refuse(http.StatusUnprocessableEntity, "REDIRECT_URI_NOT_ALLOWED", "redirect_url is not registered")
	}
	if err := c.journal.Write(entry{Login: l}); err != nil {
		return nil, refuse(http.StatusInternalServerError, "", "not stored")
	}
	c.put(l)
	at := url.URL{Scheme: "https", Host: c.r.Host, Path: c.pages.Path(l.ID)}
	return map[string]any{"url": at.String(), "authorization_id": l.ID, "psu_id_hash": l.PSUIDHash}, nil
}

// newLogin checks the body of POST /auth.
func (c *call) newLogin(q authRequest) (*login, *apiError) {
	switch {
	case q.Access == nil || q.Bank == nil || q.State == "" || q.RedirectURL == "":
		return nil, wrong("access, aspsp, state or redirect_url is missing")
	case q.Language != "" && !languageRE.MatchString(q.Language):
		return nil, wrong("language is two small letters")
	case q.Credentials != nil && q.AuthMethod == "":
		return nil, wrong("credentials need auth_method")
	}
	b := c.find(*q.Bank)
	if b == nil || !slices.Contains(c.offered(), b) {
		return nil, refuse(http.StatusUnprocessableEntity, "WRONG_ASPSP_PROVIDED", "")
	}
	psuType := cmp.Or(q.PSUType, b.PSUTypes[0])
	if !slices.Contains(b.PSUTypes, psuType) {
		return nil, wrong("the bank does not have this psu_type")
	}
	if q.AuthMethod != "" && b.method(q.AuthMethod, psuType) == nil {
		return nil, wrong("the bank does not have this auth_method")
	}
	named, f := checkCredentials(b.method(q.AuthMethod, psuType), q.Credentials)
	if f != nil {
		return nil, f
	}
	now := c.Clock.Now()
	until, err := time.Parse(time.RFC3339, q.Access.ValidUntil)
	if err != nil || !until.After(now) || until.Sub(now) > time.Duration(b.MaxValidity)*time.Second {
		return nil, wrong("valid_until has no zone, is over, or is beyond maximum_consent_validity")
	}
	id, err := c.newID()
	if err != nil {
		return nil, refuse(http.StatusInternalServerError, "", "")
	}
	return &login{
		ID: id, Created: now, Status: Pending, Bank: b.bankName, PSUType: psuType, PSUIDHash: c.hash("psu", cmp.Or(q.PSUID, id)),
		State: q.State, Return: q.RedirectURL, Named: named,
		Access: access{until, q.Access.Accounts, q.Access.Balances == nil || *q.Access.Balances, q.Access.Transactions == nil || *q.Access.Transactions},
	}, nil
}

// checkCredentials returns the personal number that the credentials name.
func checkCredentials(m *authMethod, given map[string]string) (string, *apiError) {
	for name, value := range given {
		if m == nil || len(m.Credentials) == 0 || m.Credentials[0].Name != name {
			return "", refuse(http.StatusUnprocessableEntity, "WRONG_CREDENTIALS_PROVIDED", "the method does not have such a credential")
		}
		if !regexp.MustCompile(m.Credentials[0].Template).MatchString(value) {
			return "", refuse(http.StatusUnprocessableEntity, "WRONG_CREDENTIALS_PROVIDED", "a credential does not match its template")
		}
		return value, nil
	}
	return "", nil
}

// authorizeSession is POST /sessions.
func (c *call) authorizeSession() (any, *apiError) {
	var q struct{ Code string }
	if f := c.decode(&q); f != nil {
		return nil, f
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.codes[q.Code]
	if q.Code == "" || l == nil {
		return nil, refuse(http.StatusUnprocessableEntity, "WRONG_AUTHORIZATION_CODE", "")
	}
	l = c.current(l)
	switch {
	case l.Session != "":
		return nil, refuse(http.StatusUnprocessableEntity, "ALREADY_AUTHORIZED", "")
	case l.Status != Returned:
		return nil, refuse(http.StatusUnprocessableEntity, "EXPIRED_AUTHORIZATION_CODE", "")
	}
	b := c.find(l.Bank)
	id, err := c.newID()
	uids := map[string]string{}
	for _, a := range c.accountsOf(b, l) {
		if !a.usable() {
			continue
		}
		uid, idErr := c.newID()
		err = errors.Join(err, idErr)
		uids[a.key] = uid
	}
	if err == nil {
		l, err = c.change(l.ID, exchanged{id, uids})
	}
	if err != nil {
		return nil, refuse(http.StatusInternalServerError, "", "")
	}
	list := []accountResource{}
	for _, a := range c.accountsOf(b, l) {
		list = append(list, c.resource(b, a, l.UIDs[a.key]))
	}
	return map[string]any{"session_id": l.Session, "accounts": list, "aspsp": l.Bank, "psu_type": l.PSUType, "access": l.Access}, nil
}

// getSession is GET /sessions/{session_id}. Before the code is exchanged it answers under
// the authorization_id, so that all statuses can be seen (a choice).
func (c *call) getSession() (any, *apiError) {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.current(c.sessions[c.session])
	if l == nil {
		if l = c.current(c.logins[c.session]); l != nil && l.Session != "" {
			l = nil
		}
	}
	if l == nil {
		return nil, refuse(http.StatusNotFound, "SESSION_DOES_NOT_EXIST", "")
	}
	type sessionAccount struct {
		UID    string   `json:"uid"`
		Hash   string   `json:"identification_hash"`
		Hashes []string `json:"identification_hashes"`
	}
	uids, data := []string{}, []sessionAccount{}
	b := c.find(l.Bank)
	for _, a := range c.accountsOf(b, l) {
		if uid := l.UIDs[a.key]; uid != "" {
			hash, hashes := c.hashes(a)
			uids, data = append(uids, uid), append(data, sessionAccount{uid, hash, hashes})
		}
	}
	out := map[string]any{
		"status": l.Status, "accounts": uids, "accounts_data": data, "aspsp": l.Bank, "psu_type": l.PSUType,
		"psu_id_hash": l.PSUIDHash, "access": l.Access, "created": l.Created,
	}
	if !l.Authorized.IsZero() {
		out["authorized"] = l.Authorized
	}
	if !l.Ended.IsZero() {
		out["closed"] = l.Ended
	}
	return out, nil
}

// deleteSession is DELETE /sessions/{session_id}.
func (c *call) deleteSession() (any, *apiError) {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.current(c.sessions[c.session])
	if l == nil {
		return nil, refuse(http.StatusNotFound, "SESSION_DOES_NOT_EXIST", "")
	}
	if f := ended(l); f != nil {
		return nil, f
	}
	if _, err := c.change(l.ID, closed{}); err != nil {
		return nil, refuse(http.StatusInternalServerError, "", "")
	}
	return map[string]any{"message": "OK"}, nil
}

// ended returns the refusal of a session that is not authorized any more.
func ended(l *login) *apiError {
	switch l.Status {
	case Authorized:
		return nil
	case Expired:
		return refuse(http.StatusUnauthorized, "EXPIRED_SESSION", "")
	case Revoked:
		return refuse(http.StatusUnauthorized, "REVOKED_SESSION", "")
	case Closed:
		return refuse(http.StatusUnauthorized, "CLOSED_SESSION", "")
	}
	return refuse(http.StatusUnprocessableEntity, "WRONG_SESSION_STATUS", "")
}
