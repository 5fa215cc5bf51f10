package cases

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/test/harness"
)

// What a step uses of the API.
const (
	loginMethod    = "SWEDISH_MOBILE_BANKID_OTHER_DEVICE"
	personalNumber = "191212121212"
	address        = "192.0.2.7"
)

// Limits of waiting. They are far above what a correct server needs, and longer on a busy
// machine.
const (
	signingTime      = 25 * time.Second
	collectionTime   = 60 * time.Second
	consentTime      = 10 * time.Second // for what the server does after a step
	instructionsTime = 5 * time.Second  // after the bank was asked to start the authorisation
)

// player plays one case for a user of its own.
type player struct {
	*testing.T
	caseFile
	env     *env
	company string
	bank    *bank
	clock   *clock.Fast
	jumps   bool // a day passes by the clock
	backend *harness.Client
	user    string         // id of the user
	client  harness.Client // with a session of the user

	answers      *script // of the case
	standard     *script // nil in a case that signs
	signed       int     // consents of a standard signing
	consent      string  // id of the last consent
	collections  []collection
	instructions any
	unattended   map[string]any
	unusable     error // of the entry in the banks file
}

// collection is the outcome of a collection.
type collection struct {
	status   any
	products any    // nil: there are none
	id       string // empty: it was not started
}

// dailyLook is the step that lets a day pass.
const dailyLook = "daily look"

// steps are what a case can do.
var steps map[string]func(*player)

func init() {
	steps = map[string]func(*player){
		"sign":                func(p *player) { p.sign() },
		"start authorisation": (*player).startAuthorisation,
		"collect":             func(p *player) { p.collect(true) },
		"collect unattended":  func(p *player) { p.collect(false) },
		"start unattended x4": (*player).startUnattended,
		"renew":               (*player).renew,
		dailyLook:             (*player).lookDaily,
	}
}

// play performs the steps of the case.
func (p *player) play() {
	p.answers = newScript(p.Input.Bank)
	if p.signs() {
		p.bank.use(true, p.answers)
	} else {
		p.signStandard()
	}
	for _, step := range p.Input.Do {
		steps[step](p)
	}
}

// signs reports whether the case has the signing as a step.
func (p *player) signs() bool {
	return slices.Contains(p.Input.Do, "sign") || slices.Contains(p.Input.Do, "start authorisation")
}

// signStandard signs a consent with the standard answers; after that the answers of the
// case come first.
func (p *player) signStandard() {
	p.Helper()
	p.signed++
	p.standard = newScript(standard(fmt.Sprintf("bank-%d", p.signed), p.Input.Granted, p.clock.Now()))
	p.bank.use(false, p.standard)
	if status := p.sign(); status["status"] != "AUTHORIZED" {
		p.Fatalf("the standard signing ended as %s; the bank received%s", brief(status), p.bank.received())
	}
	p.bank.use(true, p.answers, p.standard)
}

// createConsent asks for a consent.
func (p *player) createConsent() {
	p.Helper()
	access := map[string]any{"type": "PSD2_AIS_CONSENT", "psuIpAddress": address, "psuLocale": "sv-SE"}
	for name, value := range p.Input.Scope {
		access[name] = value
	}
	if p.Input.Days > 0 {
		access["validUntil"] = today(p.clock.Now()).AddDate(0, 0, p.Input.Days).Format(time.DateOnly)
	}
	var made struct{ ConsentID string }
	p.client.Do(p.T, http.MethodPost, "/consents", map[string]any{"company": p.company, "loginMethod": loginMethod, "parameters": []any{
		access, map[string]any{"type": "SWEDISH_BANKID", "personalNumber": personalNumber},
	}}).WantStatus(p.T, http.StatusCreated, &made)
	p.consent = made.ConsentID
}

// sign asks for a consent and returns its status when the signing has ended.
func (p *player) sign() map[string]any {
	p.Helper()
	p.createConsent()
	return p.pollConsent(p.deadline(signingTime), func(s map[string]any) bool {
		return s["status"] != "INITIATED" && s["status"] != "AWAITING_AUTHORIZATION"
	})
}

// startAuthorisation asks for a consent, waits for the wanted instructions and deletes
// the consent.
func (p *player) startAuthorisation() {
	p.createConsent()
	end, started := p.deadline(signingTime), false
	p.pollConsent(func() bool {
		if !started && !p.bank.authorisationStarted().IsZero() {
			end, started = p.deadline(instructionsTime), true
		}
		return end()
	}, func(s map[string]any) bool {
		if i := s["authInstructions"]; i != nil {
			p.instructions = i
		}
		return p.misfit("instructions", p.Want.Instructions, p.instructions) == ""
	})
	p.client.Do(p.T, http.MethodDelete, "/consents/"+p.consent, nil)
}

// pollConsent polls the last consent until done or the end, and returns its status.
func (p *player) pollConsent(end func() bool, done func(map[string]any) bool) map[string]any {
	p.Helper()
	return p.poll("/consents/"+p.consent+"/status", end, done)
}

// startCollection starts a collection under the last consent.
func (p *player) startCollection(attended bool) harness.Response {
	p.Helper()
	stored := map[string]any{"type": "STORED_CONSENT", "consentId": p.consent}
	if attended {
		stored["psuIpAddress"], stored["psuUserAgent"] = address, "cases/1.0"
	}
	return p.client.Do(p.T, http.MethodPost, "/collections", map[string]any{"company": p.company, "parameters": []any{stored}})
}

// collect makes a collection and reads its products. It does nothing if a step has
// signed the consent without success.
func (p *player) collect(attended bool) {
	if p.signs() {
		s := p.pollConsent(p.deadline(0), func(map[string]any) bool { return true })
		if s["status"] != "AUTHORIZED" {
			return
		}
	}
	p.collections = append(p.collections, p.read(p.startCollection(attended)))
}

// read waits for the end of a collection and reads its products.
func (p *player) read(started harness.Response) collection {
	p.Helper()
	return p.readWithin(started, collectionTime)
}

// readWithin is read with another limit.
func (p *player) readWithin(started harness.Response, limit time.Duration) collection {
	p.Helper()
	if started.Status != http.StatusCreated {
		return collection{status: fmt.Sprintf("not started: %d %s", started.Status, started.Body)}
	}
	var made struct{ ID string }
	started.WantStatus(p.T, http.StatusCreated, &made)
	s := p.poll("/collections/"+made.ID+"/status", p.deadline(limit), func(s map[string]any) bool {
		return !slices.Contains([]any{"RUNNING", "LOGIN", "COLLECTING"}, s["status"])
	})
	c := collection{id: made.ID, status: s["status"]}
	if data := p.client.Do(p.T, http.MethodGet, "/collections/"+made.ID+"/wealth/data", nil); data.Status == http.StatusOK {
		c.products = p.decode(data.Body)
	}
	return c
}

// startUnattended starts up to four collections without the person, until one is
// refused.
func (p *player) startUnattended() {
	started, code := 0, any(nil)
	for range 4 {
		res := p.startCollection(false)
		if res.Status != http.StatusCreated {
			problem, _ := p.decode(res.Body).(map[string]any)
			code = problem["code"]
			break
		}
		started++
	}
	p.unattended = map[string]any{"started": json.Number(fmt.Sprint(started)), "code": code}
}

// renew signs a new consent, under which the bank has other answers.
func (p *player) renew() {
	p.answers = newScript(p.Input.Then)
	if p.signs() {
		p.bank.use(true, p.answers)
	} else {
		p.signStandard()
	}
}

// lookDaily lets a day pass, after which the server checks the consent. Without a clock
// that can be moved the bank refuses a read instead: the server then checks the consent
// too.
func (p *player) lookDaily() {
	if p.jumps {
		p.clock.Jump(day)
		p.openSession()
		return
	}
	p.bank.use(true, newScript(refused()), p.answers, p.standard)
	p.read(p.startCollection(true))
	p.bank.use(true, p.answers, p.standard)
}

// openSession opens a new session of the user.
func (p *player) openSession() {
	p.Helper()
	p.client = p.backend.Session(p.T, p.user)
}

// patience is a clock that is slow where the machine is: a clock of factor 1 never is.
var patience = clock.NewFast(time.Now(), 2)

// deadline returns a function that reports whether a time has passed from now on.
func (p *player) deadline(d time.Duration) func() bool {
	end := patience.Now().Add(2 * d)
	return func() bool { return !patience.Now().Before(end) }
}

// poll reads a status until it is done or the end has come, and returns the last one. It
// polls less often as time passes, because many cases poll at once.
func (p *player) poll(path string, end func() bool, done func(map[string]any) bool) map[string]any {
	p.Helper()
	for wait := 25 * time.Millisecond; ; wait = min(2*wait, 200*time.Millisecond) {
		res := p.client.Do(p.T, http.MethodGet, path, nil).WantStatus(p.T, http.StatusOK, nil)
		status, _ := p.decode(res.Body).(map[string]any)
		if done(status) || end() {
			return status
		}
		if err := clock.Sleep(p.Context(), p.clock, wait); err != nil {
			p.Fatal(err)
		}
	}
}

func (p *player) decode(data []byte) any {
	p.Helper()
	v, err := decode(data)
	if err != nil {
		p.Fatalf("%v: %s", err, data)
	}
	return v
}
