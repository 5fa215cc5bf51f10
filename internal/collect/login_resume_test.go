package collect_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"samla/internal/clock/clocktest"
	"samla/internal/collect"
	"samla/internal/collection"
	"samla/internal/dialogue"
	"samla/internal/fault"
	"samla/internal/institution"
	"samla/internal/jobs"
	"samla/internal/outbox"
	"samla/internal/seal"
	"samla/internal/store"
)

func failing(v institution.Verb, k institution.ErrorKind, ns ...int) func(institution.Verb, int) error {
	return func(verb institution.Verb, n int) error {
		for _, at := range ns {
			if verb == v && n == at {
				return &institution.Error{Kind: k, HTTPStatus: 409}
			}
		}
		return nil
	}
}

// An institution may want the person again in the middle of the data. What was read is
// not read again.
func TestLogin_GoesOnWhileDataIsRead(t *testing.T) {
	onBothStores(t, func(t *testing.T, b *loginEnv) {
		b.source.first = in()
		b.source.fails = failing(institution.VerbCollect, institution.TurnNeeded, 2)
		c := b.start()
		b.want(b.step(c.ID), collection.Collecting)
		b.want(b.claim(b.Service, c.ID), collection.Collecting)
		b.source.set(waiting("again"))
		b.claim(b.Service, c.ID)
		b.want(b.step(c.ID), collection.Login)
		b.source.set(code("q1"))
		b.want(b.step(c.ID), collection.TwoFactorPending)
		if err := b.Supplement(t.Context(), b.owner(), c.ID, dialogue.Answer{Code: "1"}); err != nil {
			t.Fatal(err)
		}
		b.want(b.step(c.ID), collection.Collecting)
		b.want(b.claim(b.node(b.Env.Node()), c.ID), collection.Completed)
		if n := b.source.calls[institution.VerbCollect]; n != 3 || len(b.data(c.ID)) != 2 {
			t.Errorf("%d pages were asked for, %d products", n, len(b.data(c.ID)))
		}
	})
}

// A session that is lost while data is read: what was read stays.
func TestLogin_KeepsWhatWasReadOfLostSession(t *testing.T) {
	for n, want := range map[int]collection.Status{1: collection.ThirdPartyError, 2: collection.CompletedPartial} {
		b := newLoginEnv(t)
		b.source.first = in()
		b.source.fails = failing(institution.VerbCollect, institution.SessionGone, n)
		c := b.start()
		b.step(c.ID)
		b.want(b.claim(b.Service, c.ID), want)
	}
}

// A collection that is cancelled while another node reads it is read no further.
func TestLogin_ReadsNothingAfterItsEnd(t *testing.T) {
	b := newLoginEnv(t)
	b.source.first = in()
	c := b.start()
	b.step(c.ID)
	other := b.node(b.Env.Node())
	b.source.fails = func(v institution.Verb, n int) error {
		if v == institution.VerbCollect && n == 1 {
			if _, err := other.Stop(context.WithoutCancel(t.Context()), b.owner(), c.ID); err != nil {
				t.Error(err)
			}
		}
		return nil
	}
	if err := b.HandleLogin(t.Context(), c.ID); err != nil { // no time passes, so nothing is stored on the way
		t.Fatal(err)
	}
	b.want(b.row(c.ID), collection.AuthenticationCancelled)
	if n := b.source.calls[institution.VerbCollect]; n != 1 {
		t.Errorf("%d pages were read", n)
	}
}

// A login whose start was sent and whose answer was lost has a session all the same: the
// start is repeated with its request id to learn it.
func TestEnding_LearnsSession(t *testing.T) {
	b := newLoginEnv(t)
	b.source.lost = failing(institution.VerbLogin, institution.Unreachable, 1)
	c := b.start()
	b.step(c.ID)
	if _, err := b.Stop(t.Context(), b.owner(), c.ID); err != nil {
		t.Fatal(err)
	}
	b.source.fails = failing(institution.VerbEndLogin, institution.Unreachable, 1)
	b.deliver()
	b.Clock.Advance(2 * time.Hour) // the claim of deliver has ended
	if ended := b.deliver(); ended["session-1"] == "" || len(b.source.sessions) != 1 || b.source.calls[institution.VerbLogin] != 2 {
		t.Errorf("ended %v, %d sessions, calls %v", ended, len(b.source.sessions), b.source.calls)
	}
	b.Clock.Advance(2 * time.Hour)
	if b.deliver(); b.source.calls[institution.VerbEndLogin] != 2 {
		t.Error("a session is ended again")
	}
}

// A login that the institution refused to begin has no session.
func TestEnding_LeavesRefusedLogin(t *testing.T) {
	for kind, want := range map[institution.ErrorKind]collection.Status{institution.Refused: collection.Failed,
		institution.Conflict: collection.AuthenticationConflict, institution.PersonRefused: collection.CustomerEnrollmentRequired} {
		b := newLoginEnv(t)
		b.source.fails = failing(institution.VerbLogin, kind, 1)
		c := b.start()
		b.want(b.step(c.ID), want)
		if b.deliver(); b.source.calls[institution.VerbLogin] != 1 || b.source.calls[institution.VerbEndLogin] != 0 {
			t.Errorf("%s: calls %v", kind, b.source.calls)
		}
	}
}

func TestEnding_IsGivenUp(t *testing.T) {
	b := newLoginEnv(t)
	c := b.start()
	b.step(c.ID)
	b.source.fails = func(v institution.Verb, _ int) error { return &institution.Error{Kind: institution.Unreachable} }
	if _, err := b.Stop(t.Context(), b.owner(), c.ID); err != nil {
		t.Fatal(err)
	}
	for range 40 {
		b.deliver()
		b.Clock.Advance(time.Hour)
	}
	if due, err := b.Store.Claim(t.Context(), store.Outbox, b.Clock.Now().AddDate(1, 0, 0), time.Hour, store.ClaimLimit{Rows: 10}); err != nil || len(due) != 0 {
		t.Errorf("%d messages are left, %v", len(due), err)
	}
}

// The message of a login whose session was never learned has the person's number. It is
// deleted as soon as the institution does not repeat the start of the login any more.
func TestEnding_ForgetsPersonInTime(t *testing.T) {
	b := newLoginEnv(t)
	b.source.fails = func(institution.Verb, int) error { return &institution.Error{Kind: institution.Unreachable} }
	c := b.start()
	b.step(c.ID)
	if _, err := b.Stop(t.Context(), b.owner(), c.ID); err != nil {
		t.Fatal(err)
	}
	end, attempts := b.Clock.Now().Add(30*time.Minute), 0
	for ; ; attempts++ {
		due, err := b.Store.Claim(t.Context(), store.Outbox, b.Clock.Now(), time.Millisecond, store.ClaimLimit{Rows: 10})
		if err != nil {
			t.Fatal(err)
		}
		for _, j := range due {
			m, err := b.Store.OutboxMessage(t.Context(), j.ID)
			if err != nil {
				t.Fatal(err)
			}
			if err := b.DeliverEnding(t.Context(), m); err != nil {
				t.Fatal(err)
			}
		}
		if !b.Clock.Now().Before(end) {
			break
		}
		b.Clock.Advance(time.Second)
	}
	if left, err := b.Store.Claim(t.Context(), store.Outbox, end.AddDate(1, 0, 0), time.Hour, store.ClaimLimit{Rows: 10}); err != nil || len(left) != 0 || attempts < 100 {
		t.Errorf("after half an hour %d messages are left, %v", len(left), err)
	}
}

// A collection that belongs to no user is sealed under a key of its own. Its session is
// ended although that key is gone.
func TestLogin_OfNobodyEnds(t *testing.T) {
	onBothStores(t, func(t *testing.T, b *loginEnv) {
		r := b.request()
		r.UserID = ""
		c, err := b.Start(t.Context(), r, nil)
		if err != nil || c.UserID != "" {
			t.Fatalf("%+v, %v", c, err)
		}
		b.want(b.step(c.ID), collection.Login)
		sealed := b.row(c.ID).Sealed
		if err := b.Erase(t.Context(), r.Owner, c.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Vault.Open(t.Context(), c.ID, seal.Place{Table: "collections", Column: "sealed", Row: c.ID}, sealed); !errors.Is(err, seal.ErrKeyDestroyed) {
			t.Errorf("the secret opens: %v", err)
		}
		if ended := b.deliver(); ended["session-1"] == "" {
			t.Errorf("the session is not ended: %v", ended)
		}
		_, _, err = b.Poll(t.Context(), b.owner(), c.ID)
		isFault(t, "another owner", err, fault.CollectionNotFound)
	})
}

// A node of the release before claims no collection that logs in, and may end one.
func TestLogin_IsLeftAloneByReleaseBefore(t *testing.T) {
	b := newLoginEnv(t)
	c := b.start()
	b.step(c.ID)
	due, err := b.Store.Claim(t.Context(), store.Collections, b.Clock.Now().AddDate(1, 0, 0), time.Hour, store.ClaimLimit{Rows: 10})
	if err != nil || len(due) != 0 {
		t.Fatalf("claimed %+v, %v", due, err)
	}
	row := b.row(c.ID) // cancelled there: the row is ended, and the job stays
	row.Status, row.Sealed = collection.AuthenticationCancelled, nil
	b.Write(func(tx store.Tx) error { _, err := tx.PutCollection(t.Context(), row); return err })
	b.source.set(in())
	b.StepLogin(t.Context(), c.ID)
	b.StepLogin(t.Context(), c.ID)
	b.want(b.claim(b.Service, c.ID), collection.AuthenticationCancelled)
	if _, err := b.Store.DialogueDue(t.Context(), c.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the job is left: %v", err)
	}
	if b.source.calls[institution.VerbCollect] != 0 {
		t.Error("data was read")
	}
}

// Polls at another node keep the lease, and see what is stored.
func TestLogin_IsPolledAtAnotherNode(t *testing.T) {
	onBothStores(t, func(t *testing.T, b *loginEnv) {
		c := b.start()
		b.step(c.ID)
		other := b.node(b.Env.Node())
		poll := func() collect.View {
			t.Helper()
			view, _, err := other.Poll(t.Context(), b.owner(), c.ID)
			if err != nil {
				t.Fatal(err)
			}
			return view
		}
		for range 9 {
			b.Clock.Advance(20 * time.Second)
			if view := poll(); view.Status != collection.Login || view.Shown == nil || view.Shown.QRImage == "" {
				t.Fatalf("%s, shown %+v", view.Status, view.Shown)
			}
			b.want(b.step(c.ID), collection.Login)
		}
		b.source.set(dialogue.Turn{ID: "link", Wait: &dialogue.Wait{For: dialogue.EmailLink, Message: "Open the link"}})
		b.want(b.step(c.ID), collection.WaitingForUserAction)
		if view := poll(); view.Shown == nil || view.Shown.For != dialogue.EmailLink || view.Shown.Message != "Open the link" {
			t.Errorf("shown %+v", view.Shown)
		}
		// The link was opened on another device: the institution says so by its turn.
		b.source.set(in())
		b.want(b.step(c.ID), collection.Collecting)
		b.want(b.claim(other, c.ID), collection.Completed)
		if view := poll(); view.Shown != nil {
			t.Errorf("after the end %+v is shown", view.Shown)
		}
	})
}

// A node that takes an answer to a login that another one watches takes the watch over.
func TestSupplement_TakesTheWatchOver(t *testing.T) {
	b := newLoginEnv(t)
	b.source.first = code("q1")
	c := b.start()
	b.step(c.ID)
	b.Clock.Advance(time.Second)
	other := b.node(b.Env.Node())
	if err := other.Supplement(t.Context(), b.owner(), c.ID, dialogue.Answer{Code: "1"}); err != nil {
		t.Fatal(err)
	}
	leased := b.Clock.Now().Add(jobs.Lease)
	if due, err := b.Store.DialogueDue(t.Context(), c.ID); err != nil || !due.Equal(leased) || !other.WatchesLogin(c.ID) {
		t.Errorf("due %v, %v, watched %v", due, err, other.WatchesLogin(c.ID))
	}
	other.StepLogin(t.Context(), c.ID)
	b.want(b.row(c.ID), collection.Collecting)
	b.step(c.ID) // the old watch hears nothing that it may store
	b.step(c.ID)
	if b.WatchesLogin(c.ID) {
		t.Error("the old watch goes on")
	}
}

// Where collections that are slow to read have taken the share of their institution, the
// login of a node that has died, and a collection that is read for too long, do not wait
// for them.
func TestLogin_GoesOnBesideSlowReading(t *testing.T) {
	b := newLoginEnv(t)
	b.source.first = in()
	var slow [3]collection.Collection
	for i := range slow {
		slow[i] = b.start()
		b.want(b.step(slow[i].ID), collection.Collecting)
	}
	b.source.first = code("q1")
	asked := b.start()
	b.want(b.step(asked.ID), collection.TwoFactorPending)
	b.source.reading, b.source.held = make(chan struct{}, 9), make(chan struct{})
	other := b.node(b.Env.Node())
	other.Jobs.Start(t.Context())
	defer func() {
		close(b.source.held)
		if err := other.Jobs.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}()
	<-b.source.reading
	<-b.source.reading // of four workers, one institution has two
	if other.WatchesLogin(asked.ID) {
		t.Fatal("a login is claimed from a node that has its lease")
	}
	b.Clock.Advance(jobs.Lease)
	other.Jobs.Wake(store.Dialogues)
	clocktest.Poll(t, "the other node watches the login", func() bool { return other.WatchesLogin(asked.ID) })
	for range 6 { // the person polls, until the time to read is over
		b.Clock.Advance(50 * time.Second)
		for _, c := range slow {
			if _, _, err := other.Poll(t.Context(), b.owner(), c.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	other.Jobs.Wake(store.Dialogues)
	clocktest.Poll(t, "the third collection ends", func() bool { return b.row(slow[2].ID).Status == collection.ThirdPartyError })
}

// A QR code that the institution itself moves is stored once, and other nodes ask for it.
func TestLogin_StoresNoMovingCode(t *testing.T) {
	for name, test := range map[string]struct {
		of    func(n string) dialogue.Wait
		shown func(*dialogue.Shown) string
	}{
		"text":    {func(n string) dialogue.Wait { return dialogue.Wait{QRText: n} }, func(p *dialogue.Shown) string { return p.QRText }},
		"picture": {func(n string) dialogue.Wait { return dialogue.Wait{QRImage: n} }, func(p *dialogue.Shown) string { return p.QRImage }},
	} {
		t.Run(name, func(t *testing.T) {
			b := newLoginEnv(t)
			moving := func(n string) dialogue.Turn {
				w := test.of(n)
				w.For = dialogue.BankID
				return dialogue.Turn{ID: n, Wait: &w}
			}
			b.source.first = moving("1")
			c := b.start()
			rev := b.step(c.ID).Rev
			other := b.node(b.Env.Node())
			for _, n := range []string{"2", "3", "4"} {
				b.Clock.Advance(time.Second)
				b.source.set(moving(n))
				if row := b.step(c.ID); row.Rev != rev {
					t.Fatalf("code %s was stored", n)
				}
				if p := b.poll(c.ID).Shown; test.shown(p) != n || p.QRImage == "" {
					t.Errorf("%+v is shown", p)
				}
			}
			clocktest.Poll(t, "another node shows the newest code", func() bool {
				view, _, err := other.Poll(t.Context(), b.owner(), c.ID)
				if err != nil {
					t.Fatal(err)
				}
				if test.shown(view.Shown) == "4" {
					return true
				}
				b.Clock.Advance(time.Second)
				return false
			})
		})
	}
}

// A user who is erased while an answer is on its way is neither read nor kept.
func TestLogin_EndsWithItsUser(t *testing.T) {
	onBothStores(t, func(t *testing.T, b *loginEnv) {
		b.source.first = code("q1")
		c := b.start()
		b.step(c.ID)
		if err := b.Supplement(t.Context(), b.owner(), c.ID, dialogue.Answer{Code: "1"}); err != nil {
			t.Fatal(err)
		}
		if err := b.EndUser(t.Context(), b.User.ClientID, b.User.ID); err != nil {
			t.Fatal(err)
		}
		b.Write(func(tx store.Tx) error { return tx.DestroyDataKey(t.Context(), b.User.ID, b.Clock.Now()) })
		b.Vault.Evict(b.User.ID)
		b.want(b.step(c.ID), collection.AuthenticationCancelled)
		if b.source.calls[institution.VerbAnswer] != 0 {
			t.Error("the answer of an erased user was handed over")
		}
		if ended := b.deliver(); ended["session-1"] == "" {
			t.Error("the session is not ended")
		}
		if _, err := b.Store.DialogueAnswer(t.Context(), c.ID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the answer is left: %v", err)
		}
	})
}

func TestEnding_HoldsNoPersonOnceTheSessionIsKnown(t *testing.T) {
	b := newLoginEnv(t)
	b.source.lost = failing(institution.VerbLogin, institution.Unreachable, 1)
	c := b.start()
	b.step(c.ID)
	if _, err := b.Stop(t.Context(), b.owner(), c.ID); err != nil {
		t.Fatal(err)
	}
	b.source.fails = failing(institution.VerbEndLogin, institution.Unreachable, 1)
	due, err := b.Store.Claim(t.Context(), store.Outbox, b.Clock.Now(), time.Hour, store.ClaimLimit{Rows: 10})
	if err != nil || len(due) != 1 {
		t.Fatal(due, err)
	}
	size := func() int {
		m, err := b.Store.OutboxMessage(t.Context(), due[0].ID)
		if err != nil || m.Kind != outbox.EndLogin || m.Company != theSource {
			t.Fatalf("%+v, %v", m, err)
		}
		return len(m.Sealed)
	}
	before := size()
	m, _ := b.Store.OutboxMessage(t.Context(), due[0].ID)
	if err := b.DeliverEnding(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if after := size(); after >= before-100 {
		t.Errorf("the message has %d bytes, %d before", after, before)
	}
}

// What is counted of an institution counts persons: two logins of one are not two.
func TestEnding_IsOnBehalfOfTheUser(t *testing.T) {
	b := newLoginEnv(t)
	for range 2 {
		c := b.start()
		b.step(c.ID)
		if _, err := b.Stop(t.Context(), b.owner(), c.ID); err != nil {
			t.Fatal(err)
		}
		b.deliver()
	}
	if want := []string{b.User.ID, b.User.ID}; !slices.Equal(b.source.endedFor, want) {
		t.Errorf("on behalf of %q instead of %q", b.source.endedFor, want)
	}
}
