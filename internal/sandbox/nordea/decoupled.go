package nordea

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"samla/internal/sandbox/bankid"
	"samla/internal/sandbox/nordea/grant"
	"samla/internal/sandbox/persona"
)

// loginAnswer is AuthenticationResponse of Nordea's file, and qr_data of its newer text
// (docs/reference/families.md 3.4).
type loginAnswer struct {
	ID          string            `json:"session_id"`
	AutoStart   string            `json:"auto_start_token,omitempty"`
	QR          string            `json:"qr_data,omitempty"`
	Status      grant.LoginStatus `json:"status"`
	VerifyAfter int64             `json:"verify_after"`
	Code        string            `json:"code,omitempty"`
}

// startLogin starts a decoupled login.
func (c *call) startLogin() (response, *apiError) {
	var q authenticationRequest
	if f := c.decode(&q); f != nil {
		return response{}, f
	}
	if f := q.check(c.root); f != nil {
		return response{}, f
	}
	id, err := c.newID()
	if err != nil {
		return response{}, serverError()
	}
	order, err := c.BankID.Auth(bankid.AuthRequest{
		Requirement: q.PSU, EndUserIP: c.r.Header.Get("X-Nordea-Originating-User-Ip"),
		UserVisibleData: c.app.Name + " asks to see your accounts at " + c.DisplayName + ".",
	})
	var known *bankid.Error
	switch {
	case errors.As(err, &known) && known.Code == bankid.AlreadyInProgress:
		return response{}, newError(http.StatusBadRequest, codeInProgress, "The person has a login in progress; both are cancelled.")
	case errors.As(err, &known) && known.Code == bankid.TooManyRequests:
		return response{}, newError(http.StatusServiceUnavailable, codeUnavailable, "BankID has too many orders.")
	case err != nil:
		return response{}, serverError()
	}
	l := &grant.Login{
		ID: id, App: c.app.ID, Root: c.root, PSU: q.PSU, Company: q.Company,
		Order: order, Started: c.Clock.Now(), Status: grant.Assignment,
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.save(entry{Login: l}); err != nil {
		return response{}, serverError()
	}
	c.stats.Logins++
	return response{http.StatusOK, nil, c.loginBody(l)}, nil
}

// pollLogin returns the status of a login.
func (c *call) pollLogin() (response, *apiError) {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.logins[c.id]
	if l == nil || l.App != c.app.ID || l.Root != c.root {
		return response{}, notFound()
	}
	now := c.Clock.Now()
	if last, ok := c.polls[l.ID]; ok && now.Sub(last) < pollEvery {
		c.stats.EarlyPolls++
	}
	c.polls[l.ID] = now
	if err := c.follow(l); err != nil {
		return response{}, serverError()
	}
	l = c.logins[l.ID]
	if l.Status == grant.Ended {
		return c.ended(l)
	}
	return response{http.StatusOK, nil, c.loginBody(l)}, nil
}

// ended answers a poll of a login that failed.
func (c *call) ended(l *grant.Login) (response, *apiError) {
	switch {
	case l.Reason == grant.Broken:
		return response{}, serverError()
	case c.CancelledStatus:
		return response{http.StatusOK, nil, loginAnswer{ID: l.ID, Status: "cancelled", VerifyAfter: pollEvery.Milliseconds()}}, nil
	case l.Reason == grant.TimedOut:
		return response{}, newError(http.StatusBadRequest, codeTimedOut, "The person did not sign in time.")
	case l.Reason == grant.Cancelled:
		return response{}, newError(http.StatusBadRequest, codeCancelled, "The person cancelled.")
	}
	return response{}, newError(http.StatusBadRequest, codeBankID, "BankID refused the person.")
}

// loginBody is the answer about a login that has not ended. The QR text is that of this
// second, and gone once the app is open.
func (c *call) loginBody(l *grant.Login) loginAnswer {
	a := loginAnswer{ID: l.ID, Status: l.Status, VerifyAfter: pollEvery.Milliseconds()}
	switch l.Status {
	case grant.Assignment:
		a.AutoStart = l.Order.AutoStartToken
		a.QR = bankid.QRData(l.Order.QRStartToken, l.Order.QRStartSecret, int(c.Clock.Now().Sub(l.Order.StartedAt)/time.Second))
	case grant.Confirmation:
		a.AutoStart = l.Order.AutoStartToken
	case grant.Completed, grant.Authorized:
		a.Status, a.Code = grant.Completed, l.Code
	}
	return a
}

// follow asks BankID about a pending login and stores what has changed. The caller holds mu.
func (b *Bank) follow(l *grant.Login) error {
	if !l.Pending() {
		return nil
	}
	got, err := b.BankID.Collect(l.Order.OrderRef)
	var known *bankid.Error
	if err != nil && !errors.As(err, &known) {
		return err
	}
	var event grant.LoginEvent
	switch {
	case err != nil: // BankID has forgotten the order
		event = grant.Failed{Reason: grant.TimedOut}
	case got.User != nil:
		if event, err = b.signed(got.User.PersonalNumber); err != nil {
			return err
		}
	case got.Status != "failed":
		if got.HintCode == "outstandingTransaction" || l.Status == grant.Confirmation {
			return nil
		}
		event = grant.Opened{}
	case got.HintCode == "startFailed" || got.HintCode == "expiredTransaction":
		event = grant.Failed{Reason: grant.TimedOut}
	case got.HintCode == "userCancel" || got.HintCode == "cancelled":
		event = grant.Failed{Reason: grant.Cancelled}
	default:
		event = grant.Failed{Reason: grant.NoBankID}
	}
	return b.applyLogin(l, event)
}

// signed returns what happens when this person has signed.
func (b *Bank) signed(number string) (grant.LoginEvent, error) {
	if h, ok := persona.HabitOf(number); ok && h.Page == persona.PageFails {
		return grant.Failed{Reason: grant.Broken}, nil
	}
	code, err := b.newSecret("login")
	return grant.Signed{Person: number, Code: code}, err
}

func (b *Bank) applyLogin(l *grant.Login, e grant.LoginEvent) error {
	next, err := l.Apply(e, b.Clock.Now())
	if err != nil {
		return err
	}
	return b.save(entry{Login: &next})
}

// authorize exchanges the code of a login for the code of a grant
// (docs/reference/families.md 3.4, step 3).
func (c *call) authorize() (response, *apiError) {
	var q grant.AuthorizeRequest
	if f := c.decode(&q); f != nil {
		return response{}, f
	}
	if f := checkAuthorization(q, c.Behaviour); f != nil {
		return response{}, f
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	l, f := c.loginOf(q.Code)
	if f != nil {
		return response{}, f
	}
	if c.root == business {
		if list := agreements(l); len(list) > 1 {
			if err := c.applyLogin(l, grant.AgreementsShown{Code: q.Code, Request: q}); err != nil {
				return response{}, fault(err)
			}
			return response{}, &apiError{status: http.StatusConflict, body: map[string]any{"agreements": list}}
		}
	}
	return c.grant(l, q, firstAgreement(l))
}

// authorizeAgreement chooses one of the agreements that the authorization before it listed.
func (c *call) authorizeAgreement() (response, *apiError) {
	var q struct {
		Code string `json:"code"`
	}
	if f := c.decode(&q); f != nil {
		return response{}, f
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	l, f := c.loginOf(q.Code)
	if f != nil {
		return response{}, f
	}
	switch {
	case l.Asked == nil:
		return response{}, newError(http.StatusBadRequest, codeCode, "No agreement was to be chosen.")
	case !slices.ContainsFunc(agreements(l), func(a agreement) bool { return a.ID == c.id }):
		return response{}, notFound()
	}
	request := *l.Asked
	request.Code = q.Code
	return c.grant(l, request, c.id)
}

// loginOf returns the login of a code that can be used. The caller holds mu.
func (c *call) loginOf(code string) (*grant.Login, *apiError) {
	l := c.logins[c.codes[code]]
	if l == nil || l.App != c.app.ID || l.Root != c.root || !l.Usable(code, c.Clock.Now()) {
		return nil, fault(grant.ErrCode)
	}
	return l, nil
}

// grant uses the code of a login and creates a grant. The caller holds mu.
func (c *call) grant(l *grant.Login, q grant.AuthorizeRequest, agreement string) (response, *apiError) {
	if h, ok := persona.HabitOf(l.Person); ok && h.Page == persona.PageNotEligible {
		return response{}, denied("The customer must first answer the bank's questions.")
	}
	g := grant.Grant{
		App: l.App, Root: l.Root, Flow: grant.Decoupled, Country: "SE", Person: l.Person, Agreement: agreement,
		Scopes: q.Scopes, Months: months(q.Months), Signed: l.CodeUntil.Add(-grant.CodeLife),
	}
	if f := c.share(&g, q.Accounts); f != nil {
		return response{}, f
	}
	next, err := l.Apply(grant.CodeUsed{Code: q.Code}, c.Clock.Now())
	if err != nil {
		return response{}, fault(err)
	}
	if err := c.complete(&g, q.Duration); err != nil {
		return response{}, serverError()
	}
	if err := c.save(entry{Login: &next, Grant: &g}); err != nil {
		return response{}, serverError()
	}
	c.stats.Grants++
	return response{http.StatusOK, nil, map[string]string{"code": g.Code}}, nil
}

func months(asked *int) int {
	if asked == nil {
		return defaultMonths
	}
	return *asked
}

// complete gives a new grant its id, its code and its end.
func (b *Bank) complete(g *grant.Grant, minutes int) error {
	var err error
	if g.ID, err = b.newID(); err != nil {
		return err
	}
	if g.Code, err = b.newSecret("grant"); err != nil {
		return err
	}
	now := b.Clock.Now()
	g.CodeUntil, g.Ends = now.Add(grant.CodeLife), now.Add(time.Duration(minutes)*time.Minute)
	return nil
}
