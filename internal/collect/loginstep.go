package collect

import (
	"context"
	"encoding/json"
	"errors"
	"sync/atomic"
	"time"

	"samla/internal/collection"
	"samla/internal/dialogue"
	"samla/internal/institution"
	"samla/internal/seal"
	"samla/internal/store"
	"samla/internal/watch"
)

// silence is how long an institution may give no answer that can be used. Then the
// collection ends: the person is not at fault, and must not wait for the limit of the turn.
const silence = time.Minute

// watchedLogin is one login that this node watches. The scheduler makes no two steps of it at once.
type watchedLogin struct {
	*Service
	c          collection.Collection // as last stored
	secret     collection.Secret     // the content of c.Sealed; its turn may be newer
	bank       institution.Institution
	answered   time.Time     // when the institution last gave an answer that could be used
	retryAfter time.Duration // that the institution wants to wait; 0 = the pace of the turn

	changed atomic.Bool // the row has changed: read it before the next step
}

// pace returns when the next step follows.
func (t *watchedLogin) pace() watch.Pace {
	switch state := t.secret.Dialogue; {
	case t.changed.Load():
		return atOnce
	case t.retryAfter > 0:
		return watch.Pace{After: min(t.retryAfter, silence/4)}
	default:
		return paceOf(state.Turn, t.bank.Profile.LoginInterval)
	}
}

// step makes one step of a login: it sends what is to be sent, or asks for the turn. What
// it sends has a request id that is stored already. done reports that there is nothing
// more to watch.
func (t *watchedLogin) step(ctx context.Context) (done bool, err error) {
	if t.changed.Swap(false) {
		if done, err = t.reread(ctx); done || err != nil {
			if err != nil {
				t.changed.Store(true)
			}
			return done, err
		}
	}
	now := t.Clock.Now()
	if done, err = t.checkLease(ctx, now); done || err != nil {
		return done, err
	}
	state := t.secret.Dialogue
	if over, _ := state.Apply(dialogue.Ticked{}, t.limitsOf(t.c.Company), now); over.Ended != "" {
		return t.follow(ctx, dialogue.Ticked{})
	}
	switch {
	case state.Session == "":
		begun, err := t.bank.Loginer.Login(ctx, loginRequest(t.c, t.secret))
		if err != nil {
			return t.failed(ctx, err)
		}
		return t.follow(ctx, dialogue.Begun{Session: begun.ID, Turn: begun.Turn})
	case state.Pending != nil:
		return t.handOver(ctx, *state.Pending)
	}
	turn, err := t.bank.Loginer.Turn(ctx, state.Session)
	if err != nil {
		return t.failed(ctx, err)
	}
	return t.follow(ctx, dialogue.Told{Turn: turn})
}

// handOver hands over the answer of the person.
func (t *watchedLogin) handOver(ctx context.Context, p dialogue.Pending) (done bool, err error) {
	sealed, err := t.Store.DialogueAnswer(ctx, t.c.ID)
	if err != nil {
		return false, err
	}
	var a dialogue.Answer
	plain, err := t.Vault.Open(ctx, t.c.Subject(), answerPlace(t.c.ID), sealed)
	if err != nil {
		return false, err
	}
	if json.Unmarshal(plain, &a) != nil {
		return false, errors.New("collect: the answer of a person does not parse")
	}
	a.Question = p.Question // the person need not name it
	turn, err := t.bank.Loginer.Answer(ctx, t.secret.Dialogue.Session, p.RequestID, a)
	switch {
	case institution.KindOf(err) == institution.QuestionOver && err != nil:
		return t.follow(ctx, dialogue.Over{RequestID: p.RequestID})
	case err != nil:
		return t.failed(ctx, err)
	}
	return t.follow(ctx, dialogue.Handed{RequestID: p.RequestID, Turn: turn})
}

func answerPlace(id string) seal.Place {
	return seal.Place{Table: "dialogues", Column: "answer", Row: id}
}

// failed decides what follows a failed call. A call that may succeed later is repeated,
// with the same request id, until the institution has been silent for too long.
func (t *watchedLogin) failed(ctx context.Context, cause error) (done bool, err error) {
	if ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled) {
		return false, nil // this node stops
	}
	var said *institution.Error
	kind := institution.KindOf(cause)
	switch {
	case kind == institution.SessionGone:
		return t.follow(ctx, dialogue.Lost{})
	case kind.Transient(), kind == institution.MalformedResponse, kind == institution.TurnNeeded:
		if t.Clock.Now().Sub(t.answered) >= silence {
			t.Log.Info("a login ends because the institution does not answer", "company", t.c.Company, "collection", t.c.ID, "error", cause)
			return t.follow(ctx, dialogue.Silent{})
		}
		if t.retryAfter = time.Second; errors.As(cause, &said) && said.RetryAfter > 0 {
			t.retryAfter = said.RetryAfter
		}
		return false, nil
	}
	t.Log.Info("a login failed at the institution", "company", t.c.Company, "collection", t.c.ID, "error", cause)
	c := t.c
	if t.secret.Dialogue.Session == "" { // it refused to begin: there is no session to end
		refused := *t.secret.Dialogue
		refused.Sent = false
		t.secret.Dialogue = &refused
		if c, err = t.sealed(ctx, c, t.secret); err != nil {
			return false, err
		}
	}
	rest, cancel := context.WithTimeout(context.WithoutCancel(ctx), concludeWithin)
	defer cancel()
	err = t.fail(rest, c, statusOfLoginError(kind))
	return err == nil, err
}

// follow commits what follows an event before anybody is told.
func (t *watchedLogin) follow(ctx context.Context, e dialogue.Event) (done bool, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), concludeWithin)
	defer cancel()
	before, now := *t.secret.Dialogue, t.Clock.Now()
	switch e.(type) {
	case dialogue.Begun, dialogue.Told, dialogue.Handed, dialogue.Over:
		t.answered = now
	}
	next, err := before.Apply(e, t.limitsOf(t.c.Company), now)
	if err != nil {
		return false, err
	}
	if next.Moved(before) {
		t.secret.Dialogue = &next
		if next.Turn.Wait != nil && *next.Turn.Wait != *before.Turn.Wait { // the QR code has moved
			t.setKnown(t.c, next)
		}
		return false, nil
	}
	after, err := t.c.Follow(next, now)
	if err != nil {
		return false, err
	}
	secret := t.secret
	secret.Dialogue = &next
	if after.Status.Terminal() {
		c, err := t.sealed(ctx, t.c, secret) // with the session, which is to be ended
		if err == nil {
			err = t.fail(ctx, c, after.Status)
		}
		return err == nil, err
	}
	if after, err = t.sealed(ctx, after, secret); err != nil {
		return false, err
	}
	err = t.Store.Write(ctx, func(tx store.Tx) (err error) {
		stored, err := tx.PutCollection(ctx, after)
		if err != nil {
			return err
		}
		if before.Pending != nil && next.Pending == nil {
			err = tx.PutDialogueAnswer(ctx, after.ID, nil)
		}
		if err == nil && next.In() {
			err = tx.SetDialogueDue(ctx, after.ID, now)
		}
		after.Rev = stored.Rev
		return err
	})
	if err != nil {
		return false, err
	}
	t.c, t.secret = after, secret
	t.setKnown(t.c, next)
	if next.In() {
		t.Jobs.Wake(store.Dialogues)
	}
	return next.In(), nil
}

// reread reads the row after another writer has changed it, and reports whether there
// is nothing more to watch.
func (t *watchedLogin) reread(ctx context.Context) (done bool, err error) {
	c, err := t.Store.Collection(ctx, t.c.ID)
	if err != nil || c.Status.Terminal() {
		return err == nil, err
	}
	secret, err := t.Service.secret(ctx, c)
	if err != nil {
		return false, err
	}
	t.c, t.secret = c, secret
	t.setKnown(c, *secret.Dialogue)
	return secret.Dialogue.In(), nil
}

// checkLease ends a collection that is not polled, by all nodes' polls.
func (t *watchedLogin) checkLease(ctx context.Context, now time.Time) (ended bool, err error) {
	c := t.c
	c.PolledAt = t.polls.last(c)
	if now.Before(c.LeaseEnds(t.Lease)) {
		return false, nil
	}
	row, err := t.Store.Collection(ctx, c.ID)
	if err != nil {
		return false, err
	}
	if row.Rev != c.Rev {
		return false, store.ErrConflict
	}
	t.c.PolledAt = row.PolledAt
	if c.PolledAt = t.polls.last(row); now.Before(c.LeaseEnds(t.Lease)) {
		return false, nil
	}
	err = t.conclude(ctx, c, collection.Ticked{Lease: t.Lease, ChoiceOpen: t.secret.Dialogue.ChoiceOpen()}, nil)
	return err == nil, err
}
