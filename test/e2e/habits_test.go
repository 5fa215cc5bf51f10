package e2e

import (
	"errors"
	"testing"
	"time"

	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/refresh"
	"samla/internal/sandbox/persona"
	"samla/internal/visitor"
)

// The persons with habits (docs/sandbox.md).
const (
	approves    = "189001019802"
	cancels     = "189001029819"
	neverSigns  = "189001039800"
	neverOpens  = "189001049809"
	blocked     = "189001059808" // BankID
	refuses     = "189001069815"
	notEligible = "189001079806" // must first answer the bank's questions
	bankFails   = "189001089813"
	leaves      = "189001099812"
	letsOthers  = "189001109801"
)

// outcome is how a one-time collection ends, the code of the consent inside of it, and who
// has to act or caused it (docs/reference/api.md 4.1, 4.8, 5.7).
type outcome struct {
	status collection.Status
	code   consent.FailureCode
	by     fault.Attribution
}

var (
	succeeded = outcome{collection.Completed, "", ""}
	cancelled = outcome{collection.AuthenticationCancelled, consent.AuthenticationCancelled, fault.ByUser}
	tooLate   = outcome{collection.AuthenticationTimeout, consent.AuthenticationTimeout, fault.ByUser}
	rejected  = outcome{collection.AuthenticationCancelled, consent.Rejected, fault.ByUser}
	refused   = outcome{collection.AuthenticationError, consent.AuthenticationFailed, fault.ByUser}
	bankDown  = outcome{collection.ThirdPartyError, consent.BankUnavailable, fault.ByBank}
)

// outcomes are how the collections of the persons with habits end. What a bank does not tell
// apart in the address of return, the server cannot: a bank of redirect has one for all that
// is no approval, OAuth 2.0 has access_denied and server_error.
var outcomes = map[string]map[string]outcome{
	"se-demo-redirect": {approves: succeeded, cancels: cancelled, neverSigns: cancelled, neverOpens: cancelled, blocked: cancelled,
		refuses: cancelled, notEligible: cancelled, bankFails: cancelled, leaves: succeeded, letsOthers: cancelled},
	"se-demo-oauth": {approves: succeeded, cancels: cancelled, neverSigns: cancelled, neverOpens: cancelled, blocked: bankDown,
		refuses: cancelled, notEligible: cancelled, bankFails: bankDown, leaves: tooLate, letsOthers: cancelled},
	nordeaOnPage: {approves: succeeded, cancels: cancelled, neverSigns: tooLate, neverOpens: tooLate, blocked: bankDown,
		refuses: cancelled, notEligible: rejected, bankFails: bankDown, leaves: tooLate, letsOthers: refused},
	"se-demo-obie": {approves: succeeded, cancels: cancelled, neverSigns: cancelled, neverOpens: cancelled, blocked: bankDown,
		refuses: cancelled, notEligible: cancelled, bankFails: bankDown, leaves: tooLate, letsOthers: cancelled},
	gatewayBank: {approves: succeeded, cancels: cancelled, neverSigns: bankDown, neverOpens: bankDown, blocked: bankDown,
		refuses: cancelled, notEligible: bankDown, bankFails: bankDown, leaves: tooLate, letsOthers: bankDown},
}

// walk is a person's way to a bank and back, beside the test.
type walk struct {
	*person
	id    string // of the collection
	ended chan error
	last  collectionStatus
}

func (p *person) walk(t *testing.T, company string) *walk {
	t.Helper()
	v := &walk{person: p, id: p.startCollection(t, consentRequest{company: company}.body(p.personalNumber)).ID, ended: make(chan error, 1)}
	page, b := p.awaitPageOf(t, v.id), p.w.browser()
	go func() {
		back, err := b.Visit(t.Context(), page, visitor.Person{Number: p.personalNumber})
		if err == nil {
			p.w.secretsOfReturn(back)
			_, err = b.Arrive(t.Context(), back)
		}
		v.ended <- err
	}()
	return v
}

// The persons with habits at a bank of each family, all of a bank at once: each collection
// ends in its documented status, and those who approve get their products beside the others.
func TestHabits_EndAsDocumented(t *testing.T) {
	t.Parallel()
	w := newEnv(t, "", clockSpeed)
	for _, f := range pageFamilies {
		t.Run(f.company, func(t *testing.T) {
			all := map[string]*walk{}
			for _, h := range persona.Habits() {
				all[h.Number] = w.person(t, h.Number).walk(t, f.company)
			}
			slow := map[string]bool{neverSigns: true, neverOpens: true, leaves: true}
			w.await(t, "the end of all", func() bool {
				running, quick := false, false
				for number, v := range all {
					if v.last = v.pollCollection(t, v.id); v.last.PollingInterval != nil {
						running, quick = true, quick || !slow[number]
					}
				}
				if running && !quick { // nobody else acts
					w.clock.Jump(15 * time.Second)
				}
				return !running
			})
			for number, v := range all {
				v.judge(t, outcomes[f.company][number])
			}
			w.await(t, "the end of the access at the bank", func() bool { return !f.given(t, w) })
		})
	}
}

// judge checks the end of a collection.
func (v *walk) judge(t *testing.T, want outcome) {
	t.Helper()
	h, _ := persona.HabitOf(v.personalNumber)
	inner, err := v.w.Server.Store().Consent(t.Context(), consent.ID(v.w.consentOf(t, v.id)))
	if err != nil {
		t.Fatal(err)
	}
	status := collection.Status(v.last.Status)
	got := outcome{status, inner.Failure, refresh.Attribution(status)}
	if got == rejected && want == cancelled { // the bank was asked before the browser was back
		got = cancelled
	}
	if got != want {
		t.Errorf("who %s: %+v, want %+v", h.Shows, got, want)
	}
	if err := <-v.ended; (err != nil) != (h.Page == persona.PageLeaves) || err != nil && !errors.Is(err, visitor.ErrStays) {
		t.Errorf("who %s: the way ended with %v", h.Shows, err)
	}
	if want.status != collection.Completed {
		v.Do(t, "GET", "/collections/"+v.id+"/wealth/data", nil).WantProblem(t, fault.CollectionFailed)
	} else if products := v.products(t, v.id); len(products) != 1 || products[0].Transactions == nil {
		t.Errorf("who %s: %d products", h.Shows, len(products))
	}
}
