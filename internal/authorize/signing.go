package authorize

import (
	"context"
	"time"

	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/store"
)

// newSigning returns what the row says of the authorization that the person sees.
func (j *job) newSigning() consent.Signing {
	s := consent.Signing{Started: j.secret.StartedAt, Deadline: j.c.AuthorizeBy, Renewed: j.secret.Renewed, Expired: j.secret.Expired}
	if s.Started.IsZero() { // stored by an earlier version
		s.Started = j.c.StatusChangedAt
	}
	s.Careful = j.secret.PersonalNumber != "" && (j.bank.Profile.NeedsPSUID || !j.bank.Profile.OpensWithoutNumber) ||
		j.Clock.Now().Sub(s.Started) > consent.TakenOver
	if i := j.secret.Instructions; i != nil && !j.secret.Outdated {
		s.Until, s.Shown = i.ExpiresAt, i.IsOrder()
	}
	return s
}

// question asks the bank once how the authorization stands and commits what
// follows. done reports that it has ended.
func (j *job) question(ctx context.Context) (done bool, err error) {
	now := j.Clock.Now()
	if !now.Before(j.c.AuthorizeBy) {
		return true, j.lastLook(ctx)
	}
	_, polled := j.instructions.state(j.c.ID, now)
	j.signing.Present = now.Sub(polled) <= presentWithin
	if j.secret.AuthorizationID == "" && j.secret.StatusLink == "" {
		return j.decide(ctx)
	}
	a, err := j.bank.Authorizer.AuthorizationStatus(ctx, j.access(), j.secret.AuthorizationID, j.secret.StatusLink, otherDevice(j.c))
	if err == nil && a.State == institution.AuthorizationDone && a.Brought != nil {
		return true, j.brought(ctx, a.Brought)
	}
	a.Instructions = j.leading(a.Instructions)
	if err == nil && a.State == institution.AuthorizationPending {
		j.firstShown(ctx, a.Instructions)
	}
	var next consent.Verdict
	j.signing, next = j.signing.Heard(answerOf(a, err), now)
	if j.signing.Expired && !j.secret.Expired && next.Action == consent.AskAgain {
		j.secret.Expired = true // the bank may say so once, and the person be back at another node
		j.store(ctx)
	}
	if err == nil && a.State == institution.AuthorizationPending {
		j.instructions.put(j.c, j.signing, a.Instructions)
	}
	if next.Action == consent.ReadConsent {
		return j.decide(ctx)
	}
	return j.follow(ctx, next, institution.ConsentInfo{}, err)
}

// answerOf returns what an answer about an authorization says. An error that says
// nothing about the authorization is no answer.
func answerOf(a institution.Authorization, err error) consent.Answer {
	switch {
	case err != nil && saysNothing(err):
		return consent.Answer{Word: consent.SaysNothing}
	case err != nil:
		return consent.Answer{Word: consent.Refuses}
	case a.State == institution.AuthorizationFailed:
		return consent.Answer{Word: consent.SaysFailed, Failure: a.Failure}
	case a.State == institution.AuthorizationDone:
		return consent.Answer{Word: consent.SaysSigned}
	}
	answer := consent.Answer{Progress: a.Progress}
	if i := a.Instructions; i != nil {
		answer.Until, answer.Code = i.ExpiresAt, i.HasCode()
	}
	return answer
}

// saysNothing reports whether the failure of a call is not the bank's word about what
// was asked: there was no answer, one that cannot be read, or one of a gateway.
func saysNothing(err error) bool {
	kind := institution.KindOf(err)
	return kind.Transient() || kind == institution.MalformedResponse || kind == institution.ForeignAddress
}

// firstShown stores instructions that the bank gives only after the start, so that
// other nodes show them. The order began just before.
func (j *job) firstShown(ctx context.Context, i *consent.Instructions) {
	if j.signing.Shown || i == nil || !i.Usable() {
		return
	}
	if stored := j.secret.Instructions; !i.IsOrder() && stored != nil && stored.RedirectURL == i.RedirectURL {
		return
	}
	j.secret.Instructions, j.secret.StartedAt, j.secret.Outdated = i, j.Clock.Now(), false
	j.signing.Started, j.signing.Until, j.signing.Shown = j.secret.StartedAt, i.ExpiresAt, i.IsOrder()
	j.store(ctx)
}

// store stores the secret while the authorization is watched here. Without it, other
// nodes know less, until they ask the bank.
func (j *job) store(ctx context.Context) {
	if !j.watching.Watches(string(j.c.ID)) {
		return // the lease is another node's
	}
	c, err := j.sealSecret(ctx, j.c, j.secret)
	if err == nil {
		c, err = j.save(ctx, j.c, c, j.leaseEnd())
	}
	if err != nil {
		j.Log.Warn("what a bank said of an authorization could not be stored", "company", j.c.Company, "consent", j.c.ID, "error", err)
		return
	}
	j.c = c
	j.watching.Add(j.item()) // with the new lease
}

// presentWithin is how long ago the last poll may be for another authorization to start
// in place of one that nobody has scanned.
const presentWithin = 15 * time.Second

// decide reads the consent. A signature alone is not enough: the bank's own status
// decides (docs/reference/banks.md 4).
func (j *job) decide(ctx context.Context) (decided bool, err error) {
	if j.bank.ConsentReader == nil {
		return true, j.apply(ctx, consent.FailedWith{Code: consent.InternalError}, j.Clock.Now())
	}
	info, err := j.readConsent(ctx)
	if err == nil && info.State == institution.ConsentPartlySigned && !j.secret.PartlySigned && j.mayGrant() &&
		j.secondSignerUntil(j.Clock.Now()).After(j.c.AuthorizeBy) {
		return true, j.partlySigned(ctx)
	}
	reading := readingOf(info, err)
	if j.secret.PartlySigned && reading.Word == consent.ConsentRefused && reading.Failure.Cause != "" {
		// The bank says that the consent, or the grant that it is read with, has ended. Each of
		// these readings is a job of its own, so that no row of refusals is counted.
		return j.follow(ctx, consent.Verdict{Action: consent.Fail, Failure: reading.Failure}, info, err)
	}
	var next consent.Verdict
	j.signing, next = j.signing.Read(reading, j.Clock.Now())
	return j.follow(ctx, next, info, err)
}

// readingOf returns what a reading of a consent that is being signed says.
func readingOf(info institution.ConsentInfo, err error) consent.Reading {
	switch {
	case err != nil && saysNothing(err):
		return consent.Reading{Word: consent.ConsentUnread}
	case err != nil:
		return consent.Reading{Word: consent.ConsentRefused,
			Failure: consent.FailedWith{Code: failureOf(institution.KindOf(err)), Cause: causeOfRefusal(err)}}
	case info.State == institution.ConsentValid:
		return consent.Reading{Word: consent.ConsentIsValid}
	case info.State == institution.ConsentPending, info.State == institution.ConsentPartlySigned:
		return consent.Reading{Word: consent.ConsentIsPending}
	}
	return consent.Reading{Word: consent.ConsentHasEnded, Failure: consent.FailedWith{Code: consent.Rejected, Cause: causeOf(info.State)}}
}

// follow commits a verdict. info is the consent as read, cause the error of the call.
func (j *job) follow(ctx context.Context, v consent.Verdict, info institution.ConsentInfo, cause error) (done bool, err error) {
	now := j.Clock.Now()
	switch v.Action {
	case consent.Grant:
		if !j.mayGrant() {
			return false, nil
		}
		return true, j.grant(ctx, info)
	case consent.Fail:
		j.Log.Info("a bank ended an authorization", "company", j.c.Company, "consent", j.c.ID, "failure", v.Failure.Code, "error", cause)
		return true, j.apply(ctx, v.Failure, now)
	case consent.Renew:
		return true, j.renew(ctx, func(v *consent.Visit) consent.Event { return consent.Renewing{RequestID: j.IDs.New(), Visit: v} })
	case consent.Reopen:
		return true, j.renew(ctx, func(v *consent.Visit) consent.Event {
			return consent.Reopening{OpenRequestID: j.IDs.New(), RequestID: j.IDs.New(), Visit: v}
		})
	}
	return false, nil
}

// renew commits that another authorization is started in place of one that nobody has
// scanned, and makes the row due: whichever handler claims it sends the request, with
// the id that is stored here. So two nodes do not start two.
func (j *job) renew(ctx context.Context, eventBy func(*consent.Visit) consent.Event) error {
	before := j.secret
	visit, err := j.anotherWay(j.loginEnds())
	if err != nil {
		return err
	}
	e := eventBy(visit)
	if i := j.secret.Instructions; i != nil { // they stay on the screen until there are others
		old := *i
		old.ExpiresAt = j.signing.ShownUntil()
		j.secret.Instructions = &old
	}
	j.secret.Expired, j.secret.StartedAt = true, j.Clock.Now()
	j.secret.Renewed++
	if _, reopens := e.(consent.Reopening); reopens {
		j.secret.RemoteID, j.secret.AuthorizationID, j.secret.StatusLink, j.secret.OpenSent = "", "", "", false
	}
	if err := j.apply(ctx, e, j.Clock.Now()); err != nil {
		j.secret = before
		return err
	}
	j.renews = true
	if !j.watching.Watches(string(j.c.ID)) {
		j.Jobs.Wake(store.Consents)
	}
	return nil
}

// watchAgain goes on with the authorization that there is, after the bank has not
// started another one. The next answers decide.
func (j *job) watchAgain(ctx context.Context, cause error) (more bool, err error) {
	j.Log.Info("a bank did not start another authorization", "company", j.c.Company, "consent", j.c.ID, "error", cause)
	err = j.apply(ctx, consent.Instructed{}, j.leaseEnd())
	return err == nil, err
}

// lateLooks is how long after its deadline a renewal is read again whose bank gives no
// word. If the person has signed it, the bank may have ended the old consent for it, and
// the person would have none. nextLook is when it is read again.
const (
	lateLooks = time.Hour
	nextLook  = 15 * time.Second
)

// lastLook reads the consent once more at its deadline, because the person may have
// signed without the bank's saying so, and ends it otherwise.
func (j *job) lastLook(ctx context.Context) error {
	if j.bank.ConsentReader != nil && j.secret.RemoteID != "" {
		look, cancel := context.WithTimeout(ctx, lastLookTime)
		info, err := j.readConsent(look)
		cancel()
		if err == nil && info.State == institution.ConsentValid && j.mayGrant() {
			return j.grant(ctx, info)
		}
		if now := j.Clock.Now(); err != nil && saysNothing(err) && j.c.Renews != "" && now.Before(j.c.AuthorizeBy.Add(lateLooks)) {
			return j.reschedule(context.WithoutCancel(ctx), now.Add(nextLook))
		}
	}
	return j.apply(ctx, consent.Ticked{}, j.Clock.Now())
}

// lastLookTime is how long a consent may outlive its deadline because it is read.
const lastLookTime = 3 * time.Second

// started stores a new authorization with its instructions. more reports that there is
// something to watch.
func (j *job) started(ctx context.Context, a institution.Authorization) (more bool, err error) {
	if a.State == institution.AuthorizationFailed && j.c.Status == consent.Initiated {
		return false, j.apply(ctx, consent.FailedWith{Code: a.Failure}, j.Clock.Now())
	}
	j.secret.AuthorizationID, j.secret.StatusLink = a.ID, a.StatusLink
	j.secret.StartedAt, j.secret.Expired = j.Clock.Now(), false
	j.secret.Silent = a.Silent
	if a.State == institution.AuthorizationDone && a.Brought != nil {
		j.secret.Exchange = j.newExchange("", a.Brought)
	}
	switch i := j.leading(a.Instructions); {
	case i != nil && i.Usable():
		j.secret.Instructions, j.secret.Outdated = i, false
	case j.c.Status == consent.Initiated:
		j.secret.Instructions = i
	default:
		j.secret.Outdated = a.State != institution.AuthorizationFailed
	}
	var e consent.Event = consent.Instructed{}
	if j.c.Step == consent.StepLogin || j.c.Step == consent.StepLoggingIn {
		e = consent.LoginStarted{}
	}
	if err = j.apply(ctx, e, j.leaseEnd()); err == nil && j.secret.Exchange != nil {
		err = j.apply(ctx, consent.Brought{}, j.Clock.Now())
		j.Jobs.Wake(store.Consents)
		return false, err
	}
	return err == nil, err
}
