package collect

import (
	"context"
	"errors"
	"time"

	"samla/internal/clock"
	"samla/internal/consent"
	"samla/internal/institution"
)

// tries is how often a run asks a question at most.
const tries = 3

// preparedTries is how often a question is asked whose answer is being prepared, in all
// runs together: its tries from the first one that the institution answers in this way. The
// deadline of the collection holds too. The number is stored before each further try, so
// that a run that is lost does not give the next one all tries again.
const preparedTries = 20

// The waits between two tries, unless the institution sends a Retry-After.
const (
	firstWait   = 200 * time.Millisecond
	longestWait = 2 * time.Second
	// longestRetryAfter is the longest Retry-After that is waited for: the person is
	// waiting. After a longer one the question is not asked again: each try may count.
	longestRetryAfter = 5 * time.Second
)

// errOutcomeUnknown is the error of a question that an earlier run has asked and that
// must not be repeated.
var errOutcomeUnknown = &institution.Error{Kind: institution.Unreachable}

// errNeverReady is the error of a question that earlier runs have asked preparedTries times.
var errNeverReady = &institution.Error{Kind: institution.Preparing}

// answer returns the answer to a question, decoded. What earlier runs have stored is read
// as long as this run lasts. The waits between two tries end with a context of their own.
func (c *crawl) answer(run, ctx, waits context.Context, t task) outcome {
	o := outcome{question: t.question}
	switch {
	case t.outcomeUnknown:
		o.err = errOutcomeUnknown
	case t.overdue:
		o.err = errOverdue
	case t.exceeded:
		o.err = errQuotaUsed
	case t.neverReady:
		o.err = errNeverReady
	case t.stored != nil:
		c.readStored(run, t, &o)
	default:
		o.prepared = t.prepared
		c.ask(ctx, waits, &o)
		if o.instead = c.instead(o, t.reduced); o.instead != nil {
			refusal, _ := asRefusal(o.err)
			o.answer = &institution.Answer{Question: o.question, FetchedAt: c.Clock.Now(), Refusal: refusal}
		}
		c.pack(&o)
	}
	return o
}

// readStored decodes the answer that an earlier run has stored.
func (c *crawl) readStored(ctx context.Context, t task, o *outcome) {
	defer c.room.shrink(len(t.stored))
	if c.room.grow(ctx, t.stored.size()) != nil {
		o.err = errCancelled
		return
	}
	a, err := t.stored.unpack()
	switch {
	case err != nil:
		o.err = err
	case a.Refusal != nil:
		o.err = a.Refusal
		o.instead = c.instead(*o, t.reduced)
	default:
		o.size = len(a.Body)
		if o.reading, o.err = c.read(ctx, a); errors.Is(o.err, errNotRead) {
			o.err = errCancelled
		}
	}
}

// fetch asks a question once. It takes the memory of the answer.
func (c *crawl) fetch(ctx context.Context, q institution.Question) (institution.Answer, error) {
	taken, err := c.room.reserve(ctx)
	if err != nil {
		return institution.Answer{}, &institution.Error{Kind: institution.Unreachable, Reason: institution.NoRoom, NotSent: true, Cause: err}
	}
	a, err := c.bearer.ask(institution.WithRoom(ctx, taken.more), c.from, q)
	taken.settle(len(a.Body))
	return a, err
}

// heavyBody is the size above which answers are decoded a few at a time: that takes a
// multiple of their size for a moment.
const heavyBody = 256 << 10

// errNotRead says that a context ended before an answer was decoded.
var errNotRead = errors.New("collect: there was no time to decode the answer")

// read decodes an answer. Errors: errNotRead, or one of the family.
func (c *crawl) read(ctx context.Context, a institution.Answer) (institution.Reading, error) {
	if len(a.Body) > heavyBody {
		select {
		case c.heavy <- struct{}{}:
			defer func() { <-c.heavy }()
		case <-ctx.Done():
			return institution.Reading{}, errNotRead
		}
	}
	return c.from.Read(a)
}

// pack makes the new answer of an outcome ready to be stored. Of its body, only the form
// to store stays in memory.
func (c *crawl) pack(o *outcome) {
	if o.answer == nil {
		return
	}
	p, err := pack(*o.answer)
	if err != nil {
		o.answer, o.err = nil, err
		return
	}
	o.packed, o.answer.Body = p, nil
}

// The number of smaller questions in place of one that was refused. An institution
// decides what it counts: without the person only a refusal that it says is about the form
// of the question is followed by a smaller one, and few of them
// (docs/decisions/2026-11-26-asking-for-less.md).
const (
	maxReduced           = 12
	maxReducedUnattended = 2
)

// instead returns the smaller question to ask in place of one that was refused, or nil.
// The same refusal gives the same question in every run. reduced is the number of
// questions that the refused one is already in place of.
func (c *crawl) instead(o outcome, reduced int) *institution.Question {
	said, refused := asRefusal(o.err)
	if !refused || o.answer != nil {
		return nil
	}
	if c.attended && reduced >= maxReduced || !c.attended && (reduced >= maxReducedUnattended || !said.NotCounted) {
		return nil
	}
	smaller, ok := c.from.Instead(o.question, said, c.created)
	if !ok {
		return nil
	}
	return &smaller
}

// asRefusal returns the answer of an institution that it does not answer a question.
func asRefusal(err error) (*institution.Error, bool) {
	var said *institution.Error
	return said, errors.As(err, &said) && said.HTTPStatus != 0 && !said.Kind.Transient()
}

// ask asks the question of an outcome and decodes the answer. It tries again after a
// failure that is repeatable. If a context ends, the error is that of tried.cut.
func (c *crawl) ask(ctx, waits context.Context, o *outcome) {
	before := tried{prepared: o.prepared}
	for {
		a, err := institution.Answer{}, c.checkConsent(ctx)
		fetched := err == nil
		if fetched {
			a, err = c.fetch(ctx, o.question)
		}
		o.answer, o.err = nil, err
		switch {
		case err == nil:
			o.answer, o.size = &a, len(a.Body)
			o.reading, o.err = c.read(ctx, a)
		}
		if errors.Is(o.err, errNotRead) { // the answer is stored, and the next run decodes it
			o.err = before.cut(ctx)
			return
		}
		if fetched && o.err != nil {
			before.add(o.err)
			o.prepared = before.prepared
		}
		if err != nil && ctx.Err() != nil {
			c.leave(o, before.cut(ctx))
			return
		}
		wait, again := c.repeat(before, o.err)
		if !again {
			return
		}
		if before.prepared > 0 {
			c.noteTries(waits, o.question, before.prepared+1) // if waits has ended, the question is not asked again
		}
		if clock.Sleep(waits, c.Clock, wait) != nil {
			o.answer = nil
			c.leave(o, before.cut(waits))
			return
		}
	}
}

// leave gives an outcome the error of a question that is cut off. If the next run asks it
// again, it does so after the Retry-After of the institution.
func (c *crawl) leave(o *outcome, err error) {
	var said *institution.Error
	if errors.As(o.err, &said) && said.Kind == institution.Preparing {
		o.retryAt = c.Clock.Now().Add(said.RetryAfter)
	}
	o.err = err
}

// tried are the failed tries to ask a question in one run, and those of all runs since its
// answer is being prepared.
type tried struct {
	times    int
	prepared int   // with those that failed otherwise since
	counted  bool  // the institution may have counted one of them
	late     error // of one that was not answered in time
}

// add adds a try. One that was refused here because the institution is overloaded uses up
// no try: the question waits.
func (t *tried) add(err error) {
	var said *institution.Error
	known := errors.As(err, &said)
	switch {
	case known && said.Kind == institution.Preparing:
		t.prepared++
	case !known || said.Reason != institution.Overloaded:
		t.times++
		if t.prepared > 0 && (!known || !said.NotSent) {
			t.prepared++
		}
	}
	if !known || !said.NotSent && !said.NotCounted {
		t.counted = true
	}
	if known && said.Reason == institution.NoAnswerInTime {
		t.late = err
	}
}

// cut returns the error of a question whose context has ended: errOverdue at the deadline,
// and the error of a try that was not answered in time, if there is one. That try has waited
// as long as an exchange may take. If the next run began again, an institution that hangs
// would keep the collection until its deadline.
func (t *tried) cut(ctx context.Context) error {
	switch {
	case errors.Is(context.Cause(ctx), errOverdue):
		return errOverdue
	case t.late != nil:
		return t.late
	case !t.counted:
		return errNotCounted
	}
	return errCancelled
}

// repeat reports whether a question may be asked again after err, and returns how long to
// wait before. An institution allows few unattended reads a day and counts the requests
// that it receives, even if it does not answer them (RTS art. 36(5)(b)): without the
// person a question is repeated only if it was not counted. With the person it is
// repeated after a failure that may pass soon, and after an answer that cannot be
// understood, such as the page of a gateway.
func (c *crawl) repeat(before tried, err error) (wait time.Duration, again bool) {
	var said *institution.Error
	if !errors.As(err, &said) {
		return 0, false
	}
	wait = said.RetryAfter
	if wait == 0 {
		wait = clock.Backoff(max(before.times, 1), firstWait, longestWait)
	}
	switch {
	case before.prepared >= preparedTries:
		return 0, false
	case said.Kind == institution.Preparing:
		return wait, c.Clock.Now().Add(wait).Before(c.until)
	case before.times >= tries, wait > longestRetryAfter:
		return 0, false
	case !c.attended:
		return wait, said.NotSent
	}
	garbled := said.Kind == institution.MalformedResponse && said.Reason != institution.AnswerTooLarge
	return wait, garbled || said.Kind.Transient()
}

// errConsentEnded means that the consent ended during the collection.
var errConsentEnded = errors.New("collect: the consent has ended")

// checkConsent returns errConsentEnded unless the consent is still valid. It is called
// before each question, so that nothing is read after a revocation on any node.
func (c *crawl) checkConsent(ctx context.Context) error {
	if c.consent == "" {
		return c.checkRunning(ctx)
	}
	under, err := c.Store.ConsentStatus(ctx, c.consent)
	if err != nil {
		return err
	}
	if under.UserAnonymized || under.Status != consent.Authorized || !c.Clock.Now().Before(under.ExpiresAt) {
		return errConsentEnded
	}
	return nil
}
