// Package dryrun shows what an institution will be asked, without asking it: it calls
// each verb of an institution whose transport answers by itself, and records the
// requests. An operator compares them with the bank's documentation before the first
// person does.
package dryrun

import (
	"context"
	"net/url"
	"slices"
	"time"

	"samla/internal/company"
	"samla/internal/consent"
	"samla/internal/dialogue"
	"samla/internal/institution"
	"samla/internal/psu"
)

// Step is a request that the institution gets at one point of a flow.
type Step struct {
	Name string // what the request is for
	Request
}

// The persons and ids of a dry run. The number is one of Skatteverket's test numbers.
var (
	person = psu.Context{PersonalNumber: "191212121212", IPAddress: "192.0.2.7", UserAgent: "{user agent}", Locale: "sv-SE"}
	today  = "{date}"
	way    = institution.Way{State: "{state}", Return: returnTo, OnceReturn: returnTo, Verifier: "{verifier}", Nonce: "{nonce}"}
)

// returnTo stands for our address where persons come back.
const returnTo = "https://samla.invalid/callback"

// rounds limits the questions of a collection that a dry run follows.
const rounds = 20

// Steps calls the verbs of an institution, which must have been opened with the
// transport of r, and returns the requests in the order of the flow. An error of a
// verb ends it: the requests until then are returned too.
func Steps(ctx context.Context, i institution.Institution, r *Recorder) ([]Step, error) {
	run := &run{Recorder: r}
	if i.Loginer != nil && i.Opener == nil {
		return run.login(ctx, i)
	}
	if i.Opener == nil {
		return run.collect(ctx, i, institution.Access{PSU: person})
	}
	return run.consent(ctx, i)
}

// consent follows a consent whose person signs at once.
func (r *run) consent(ctx context.Context, i institution.Institution) ([]Step, error) {
	access := institution.Access{PSU: person}
	open := institution.OpenRequest{Scope: consent.Scope{Balances: true, Transactions: true},
		ValidUntil: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), Recurring: true, PSU: person, OtherDevice: true}
	if i.Profile.Redirects || i.Profile.LoginFirst {
		open.Way = way
	}
	start := institution.AuthorizeRequest{PSU: person, OtherDevice: true, Way: open.Way, Scope: open.Scope, ValidUntil: open.ValidUntil, Recurring: open.Recurring}
	if i.Profile.LoginFirst && i.Authorizer != nil {
		login := start
		login.Login = true
		a, err := i.Authorizer.StartAuthorization(ctx, login)
		if r.note("start the login"); err != nil {
			return r.steps, err
		}
		r.browser(a, "log in")
		if err := r.completed(ctx, i, a, &access); err != nil {
			return r.steps, err
		}
		open.Token, start.Token = access.Token, access.Token
	}
	opened, err := i.Opener.OpenConsent(ctx, open)
	if r.note("open a consent"); err != nil {
		return r.steps, err
	}
	access.ConsentID, start.ConsentID = opened.ConsentID, opened.ConsentID
	if err := r.authorize(ctx, i, opened.Started, start, &access); err != nil {
		return r.steps, err
	}
	if i.ConsentReader != nil {
		_, err := i.ConsentReader.Consent(ctx, access)
		if r.note("read the consent"); err != nil {
			return r.steps, err
		}
	}
	if _, err := r.collect(ctx, i, access); err != nil {
		return r.steps, err
	}
	if i.Refresher != nil && access.Refresh != "" {
		_, err := i.Refresher.Refresh(ctx, access)
		if r.note("replace the token"); err != nil {
			return r.steps, err
		}
	}
	if i.Revoker != nil {
		err = i.Revoker.Revoke(ctx, access)
		r.note("revoke the consent")
	}
	return r.steps, err
}

// authorize follows the authorization of a consent. One that the institution has started by
// itself on a page is not started again.
func (r *run) authorize(ctx context.Context, i institution.Institution, started *institution.Authorization, start institution.AuthorizeRequest, access *institution.Access) error {
	if i.Authorizer == nil {
		return nil
	}
	if started == nil || pageOf(*started) == "" {
		a, err := i.Authorizer.StartAuthorization(ctx, start)
		if r.note("start the authorization"); err != nil {
			return err
		}
		started = &a
	}
	r.browser(*started, "sign")
	if !started.Silent {
		a, err := i.Authorizer.AuthorizationStatus(ctx, *access, started.ID, started.StatusLink, true)
		if r.note("ask for its status"); err != nil {
			return err
		}
		if a.Brought != nil && i.Completer != nil {
			return r.exchange(ctx, i, *started, access, a.Brought)
		}
	}
	return r.completed(ctx, i, *started, access)
}

func pageOf(a institution.Authorization) string {
	if a.Instructions == nil {
		return ""
	}
	return a.Instructions.RedirectURL
}

// browser notes the page that the browser of the person is sent to.
func (r *run) browser(a institution.Authorization, what string) {
	if address := pageOf(a); address != "" {
		r.steps = append(r.steps, Step{"the person's browser, to " + what, Request{Method: "GET", URL: placeholders(address)}})
	}
}

// completed completes what the person has done on a page.
func (r *run) completed(ctx context.Context, i institution.Institution, a institution.Authorization, access *institution.Access) error {
	if pageOf(a) == "" || i.Completer == nil {
		return nil
	}
	return r.exchange(ctx, i, a, access, url.Values{"state": {way.State}, "code": {"{code}"}})
}

// exchange completes what an authorization has brought.
func (r *run) exchange(ctx context.Context, i institution.Institution, a institution.Authorization, access *institution.Access, brought url.Values) error {
	c := institution.Completion{ConsentID: access.ConsentID, AuthorizationID: a.ID, Link: a.StatusLink, Token: access.Token, PSU: person, Way: way, Brought: brought}
	for c.Brought != nil {
		done, err := i.Completer.Complete(ctx, c)
		if r.note("complete it"); err != nil {
			return err
		}
		if done.State == institution.AuthorizationFailed && access.Token == "" {
			access.Token = "{token}" // the family wants what the institution has signed, which nobody can here
		}
		if done.Tokens != nil {
			access.Token, access.Refresh = done.Tokens.Access, done.Tokens.Refresh
		}
		if done.Remote != "" {
			access.ConsentID = done.Remote
		}
		c.ConsentID, c.Token, c.Refresh, c.Brought = access.ConsentID, access.Token, access.Refresh, done.Next
	}
	return nil
}

// login follows a login by dialogue whose person is in at once.
func (r *run) login(ctx context.Context, i institution.Institution) ([]Step, error) {
	request := institution.LoginRequest{PSU: person}
	if i.Company.NeedsToKnow(company.NeedsEmail) {
		request.Email = "{e-mail address}"
	}
	if i.Company.NeedsToKnow(company.NeedsUserID) {
		request.UserID = "{user id}"
	}
	if methods := i.Company.LoginMethods; len(methods) > 0 {
		request.LoginMethod = methods[0]
	}
	begun, err := i.Loginer.Login(ctx, request)
	if r.note("begin a login"); err != nil {
		return r.steps, err
	}
	_, err = i.Loginer.Turn(ctx, begun.ID)
	if r.note("ask for the turn"); err != nil {
		return r.steps, err
	}
	_, err = i.Loginer.Answer(ctx, begun.ID, "", dialogue.Answer{Question: "{question}", Code: "{code}"})
	if r.note("hand over an answer"); err != nil {
		return r.steps, err
	}
	if _, err := r.collect(ctx, i, institution.Access{Session: begun.ID}); err != nil {
		return r.steps, err
	}
	err = i.Loginer.EndLogin(ctx, begun.ID, "")
	r.note("end the session")
	return r.steps, err
}

type run struct {
	*Recorder
	steps []Step
}

// note adds the requests since the last call as steps of a name, except for those that
// are steps already. It returns the number of requests.
func (r *run) note(name string) int {
	requests := r.take()
	for _, request := range requests {
		if !slices.ContainsFunc(r.steps, func(s Step) bool { return s.Method == request.Method && s.URL == request.URL && s.Body == request.Body }) {
			r.steps = append(r.steps, Step{name, request})
		}
	}
	return len(requests)
}

// collect asks the questions of a collection. Questions about one account that lead to
// no request are left out: the recorder's answer lists accounts of every kind, also of
// those that this institution cannot be asked about.
func (r *run) collect(ctx context.Context, i institution.Institution, a institution.Access) ([]Step, error) {
	if i.Collector == nil {
		return r.steps, nil
	}
	questions := i.Collector.Start(consent.Scope{Balances: true, Transactions: true}, today)
	for n := 0; len(questions) > 0 && n < rounds; n++ {
		q := questions[0]
		questions = questions[1:]
		answer, err := i.Collector.Fetch(ctx, a, q)
		sent := r.note("collect: " + q.Kind)
		if err != nil && sent == 0 && q.Account != "" {
			continue
		}
		if err != nil {
			return r.steps, err
		}
		read, err := i.Collector.Read(answer)
		if err != nil {
			return r.steps, err
		}
		questions = append(questions, read.Questions...)
	}
	return r.steps, nil
}
