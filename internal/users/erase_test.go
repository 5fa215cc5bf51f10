package users_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"samla/internal/authorize"
	"samla/internal/collect"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/idempotency"
	"samla/internal/seal"
	"samla/internal/store"
	"samla/internal/user"
	"samla/internal/users"
)

// life is a user with one row of each kind.
type life struct {
	user.User
	fresh, waiting, valid, inside consent.Consent // live
	expired                       consent.Consent
	running, oneTime              collection.Collection
	done, failed                  collection.Collection
}

// live creates a user with one row of each kind.
func (n *node) live(externalID string) life {
	n.Helper()
	l := life{User: n.create("a", externalID)}
	l.fresh = n.consent(l.ID, consent.Initiated, "", nil)
	l.waiting = n.consent(l.ID, consent.AwaitingAuthorization, "waiting", nil)
	l.valid = n.consent(l.ID, consent.Authorized, "valid", nil)
	l.expired = n.consent(l.ID, consent.Expired, "expired", nil)
	l.running = n.collection(l.ID, collection.Collecting, nil)
	l.done = n.collection(l.ID, collection.Completed, nil)
	l.failed = n.collection(l.ID, collection.Failed, nil)
	l.oneTime = n.collection(l.ID, collection.Login, func(c *collection.Collection) {
		l.inside = n.consent(l.ID, consent.AwaitingAuthorization, "inside", func(in *consent.Consent) { in.CollectionID = c.ID })
		c.Mode, c.ConsentID = collection.OneTime, l.inside.ID
	})
	return l
}

// revoked are the consents that the bank is told of when the user is erased.
var revoked = []string{"inside", "valid", "waiting"}

// checkErased checks everything that Erase promises.
func (n *node) checkErased(t *testing.T, l life) {
	t.Helper()
	u, err := n.ByID(t.Context(), "a", l.ID)
	if err != nil || !u.Anonymized() || u.ExternalID != "" {
		t.Errorf("the user is %+v, %v", u, err)
	}
	for name, c := range map[string]consent.Consent{"fresh": l.fresh, "waiting": l.waiting, "valid": l.valid, "inside": l.inside} {
		got, err := n.Store.Consent(t.Context(), c.ID)
		if err != nil || got.Status != consent.Revoked || got.RevokedAt.IsZero() || !got.WakeAt.IsZero() || got.Step != consent.StepEnd {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if causes := n.causes(c.ID); !slices.Equal(causes, []consent.Cause{consent.CauseUserErased}) {
			t.Errorf("%s: the audit log has %v", name, causes)
		}
		if _, err := n.Vault.Open(t.Context(), c.Subject(), authorize.SecretPlace(c.ID), c.Sealed); !errors.Is(err, seal.ErrKeyDestroyed) {
			t.Errorf("%s: the secret opens: %v", name, err)
		}
	}
	if got, _ := n.Store.Consent(t.Context(), l.expired.ID); got.Status != consent.Expired || got.Rev != l.expired.Rev {
		t.Errorf("a final consent was written: %+v", got)
	}
	for name, c := range map[string]collection.Collection{"running": l.running, "one-time": l.oneTime} {
		got, err := n.Store.Collection(t.Context(), c.ID)
		if err != nil || got.Status != collection.AuthenticationCancelled || !got.WakeAt.IsZero() {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if got, _ := n.Store.Collection(t.Context(), l.done.ID); got.Status != collection.Completed || !got.DataGone(n.Clock.Now()) {
		t.Errorf("done: %+v", got)
	}
	for _, c := range []collection.Collection{l.running, l.oneTime, l.done, l.failed} {
		if n.hasData(c.ID) {
			t.Errorf("%s: data is left", c.Status)
		}
	}
	if _, err := n.Store.OutboxMessage(t.Context(), l.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the erasure is not finished: %v", err)
	}
	if got := n.revocations(); !slices.Equal(got, revoked) {
		t.Errorf("the banks are told of %v", got)
	}
}

func TestErase_EndsEverythingOfUser(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		all := nodes(t, database, 2)
		n, other := all[0], all[1]
		l := n.live("customer-4711")
		neighbour := n.create("a", "customer-4712")
		theirs := n.consent(neighbour.ID, consent.Authorized, "theirs", nil)
		theirDone := n.collection(neighbour.ID, collection.Completed, nil)
		if _, err := other.Vault.Open(t.Context(), l.ID, authorize.SecretPlace(l.valid.ID), l.valid.Sealed); err != nil {
			t.Fatal(err)
		}

		n.Clock.Advance(time.Hour)
		erasedAt := n.Clock.Now()
		if err := n.Erase(t.Context(), "a", l.ID); err != nil {
			t.Fatal(err)
		}
		n.checkErased(t, l)

		if got, _ := n.Store.Consent(t.Context(), theirs.ID); got.Status != consent.Authorized || !n.hasData(theirDone.ID) {
			t.Errorf("another user has lost something: %+v", got)
		}
		if _, err := n.Vault.Open(t.Context(), neighbour.ID, authorize.SecretPlace(theirs.ID), theirs.Sealed); err != nil {
			t.Error(err)
		}
		other.Clock.Advance(time.Minute)
		if _, err := other.Vault.Open(t.Context(), l.ID, authorize.SecretPlace(l.valid.ID), l.valid.Sealed); !errors.Is(err, seal.ErrKeyDestroyed) {
			t.Errorf("another node opens the secret: %v", err)
		}

		if err := n.Erase(t.Context(), "a", l.ID); err != nil {
			t.Error(err)
		}
		if u, _ := n.ByID(t.Context(), "a", l.ID); !u.AnonymizedAt.Equal(erasedAt) {
			t.Errorf("erased again at %v", u.AnonymizedAt)
		}
	})
}

func TestErase_HidesUser(t *testing.T) {
	n := newNode(t)
	u := n.create("a", "customer-4711")
	n.Clock.Advance(time.Minute)
	if err := n.Erase(t.Context(), "a", u.ID); err != nil {
		t.Fatal(err)
	}
	if err := second(n.CreateSession(t.Context(), "a", u.ID, nil)); fault.CodeOf(err) != fault.UserAnonymized {
		t.Errorf("new session: %v", err)
	}
	erased, err := n.ByID(t.Context(), "a", u.ID)
	if err != nil || erased.ExternalID != "" || !erased.AnonymizedAt.Equal(start.Add(time.Minute)) {
		t.Errorf("%+v, %v", erased, err)
	}
	if err := second(n.ByExternalID(t.Context(), "a", "customer-4711")); fault.CodeOf(err) != fault.UserNotFound {
		t.Errorf("still found: %v", err)
	}
	if again := n.create("a", "customer-4711"); again.ID == u.ID {
		t.Error("the erased user came back")
	}
}

func TestErase_EndsMoreRowsThanOneBatch(t *testing.T) {
	n := newNode(t)
	u := n.create("a", "customer-4711")
	const many = 230
	for i := range many {
		n.consent(u.ID, consent.Authorized, consent.RemoteID(fmt.Sprint("bank-", i)), nil)
		n.collection(u.ID, collection.Running, nil)
	}
	if err := n.Erase(t.Context(), "a", u.ID); err != nil {
		t.Fatal(err)
	}
	if told := n.revocations(); len(told) != many {
		t.Errorf("%d revocations", len(told))
	}
	left, err := n.Store.RunningCollections(t.Context(), "a", u.ID, 1)
	if err != nil || len(left) != 0 {
		t.Errorf("%d collections run on, %v", len(left), err)
	}
	all, err := n.Store.CollectionsOf(t.Context(), store.CollectionFilter{ClientID: "a"}, store.Page{Limit: many})
	if err != nil || len(all) != many {
		t.Fatal(len(all), err)
	}
	for _, c := range all {
		if n.hasData(c.ID) {
			t.Fatal("data is left")
		}
	}
}

// A flow writes one of the user's rows ahead of every transaction of the erasure,
// many more times than a fixed number of retries would bear.
func TestErase_IsNotStoppedByConcurrentWrites(t *testing.T) {
	n := newNode(t)
	u := n.create("a", "customer-4711")
	c := n.consent(u.ID, consent.AwaitingAuthorization, "", nil)
	n.store.hook(func(i int) error {
		if i == 1 || i > 60 { // the first anonymizes the user
			return nil
		}
		changed, err := n.Store.Consent(t.Context(), c.ID)
		if err != nil || changed.Status.Final() {
			return err
		}
		changed = n.withSecret(changed, consent.RemoteID(fmt.Sprint("bank-", i)))
		n.Write(func(tx store.Tx) error { return second(tx.PutConsent(t.Context(), changed)) })
		return nil
	})
	if err := n.Erase(t.Context(), "a", u.ID); err != nil {
		t.Fatal(err)
	}
	if told := n.revocations(); !slices.Equal(told, []string{"bank-60"}) {
		t.Errorf("the bank is told of %v", told)
	}
}

func TestErase_HappensOnceForConcurrentCalls(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		all := nodes(t, database, 4)
		l := all[0].live("customer-4711")
		var wg sync.WaitGroup
		for _, n := range all {
			wg.Go(func() {
				if err := n.Erase(t.Context(), "a", l.ID); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		all[0].checkErased(t, l)
	})
}

// The process dies ahead of each of its transactions in turn. The outbox of
// another node, or a repeat of the request, then finishes the erasure.
func TestErase_IsContinuedAfterCrash(t *testing.T) {
	killed := errors.New("killed")
	for name, resume := range map[string]func(t *testing.T, n *node, userID string){
		"outbox": func(t *testing.T, n *node, userID string) {
			n.Clock.Advance(20 * time.Second)
			for _, m := range n.claimMessages() {
				if m.ID != userID {
					m.WakeAt = n.Clock.Now() // due again
					n.Write(func(tx store.Tx) error { return tx.PutOutboxMessage(t.Context(), m) })
				} else if err := n.ContinueErasure(t.Context(), m); err != nil {
					t.Error(err)
				}
			}
		},
		"repeat": func(t *testing.T, n *node, userID string) {
			if err := n.Erase(t.Context(), "a", userID); err != nil {
				t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			died := 0
			for finished := false; !finished; died++ {
				all := nodes(t, t.TempDir(), 2)
				n, other := all[0], all[1]
				l := n.live("customer-4711")
				n.store.hook(func(i int) error {
					if i > died {
						return killed
					}
					return nil
				})
				err := n.Erase(t.Context(), "a", l.ID)
				finished = err == nil
				if !finished && !errors.Is(err, killed) {
					t.Fatal(err)
				}
				if died == 0 {
					if u, _ := other.ByID(t.Context(), "a", l.ID); u.Anonymized() {
						t.Fatal("anonymized without a transaction")
					}
					continue
				}
				other.checkRefused(t, l)
				if !finished {
					resume(t, other, l.ID)
				}
				other.checkErased(t, l)
				if t.Failed() {
					t.Fatalf("after %d transactions", died)
				}
			}
			if died < 8 {
				t.Errorf("the erasure has %d transactions only: the test shows little", died)
			}
		})
	}
}

// checkRefused checks that nothing can be created for a user who is anonymized,
// whatever is left to erase.
func (n *node) checkRefused(t *testing.T, l life) {
	t.Helper()
	ask := authorize.Request{ClientID: "a", UserID: l.ID, Company: "se-demo"}
	owner := collect.Owner{ClientID: "a", UserID: l.ID}
	for name, c := range map[string]struct {
		err  error
		want fault.Code
	}{
		"consent":             {second(n.consents.Create(t.Context(), ask, nil)), fault.Unauthorized},
		"one-time collection": {second(n.collections.Start(t.Context(), collect.Request{Owner: owner, Company: "se-demo", OneTime: &ask}, nil)), fault.Unauthorized},
		"session":             {second(n.CreateSession(t.Context(), "a", l.ID, nil)), fault.UserAnonymized},
		"data":                {second(n.collections.Data(t.Context(), collect.Owner{ClientID: "a"}, l.done.ID)), fault.DataExpired},
	} {
		if fault.CodeOf(c.err) != c.want {
			t.Errorf("%s: got %v, want %s", name, c.err, c.want)
		}
	}
}

// The fault UserNotFound is for the first step only: after it the user exists.
func TestErase_ReturnsInternalWhenFlowFails(t *testing.T) {
	n := newNode(t)
	u := n.create("a", "customer-4711")
	n.Service.Flows = []users.Flow{failingFlow{}}
	if err := n.Erase(t.Context(), "a", u.ID); fault.CodeOf(err) != fault.Internal || !errors.Is(err, store.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

type failingFlow struct{}

func (failingFlow) EndUser(context.Context, string, string) error { return store.ErrNotFound }

// A large amount of data is deleted after the call, by the outbox.
func TestErase_LeavesToOutboxWhatTakesTooLong(t *testing.T) {
	n := newNode(t)
	u := n.create("a", "customer-4711")
	var all []collection.Collection
	for range 120 {
		all = append(all, n.collection(u.ID, collection.Completed, nil))
	}
	n.store.hook(func(int) error {
		n.Clock.Advance(2500 * time.Millisecond) // of each transaction
		return nil
	})
	if err := n.Erase(t.Context(), "a", u.ID); err != nil {
		t.Fatal(err)
	}
	left := func() (left int) {
		for _, c := range all {
			if n.hasData(c.ID) {
				left++
			}
		}
		return left
	}
	first := left()
	if first == 0 || first == len(all) {
		t.Fatalf("the data of %d collections is left", first)
	}
	for _, c := range all {
		if err := second(n.collections.Data(t.Context(), collect.Owner{ClientID: "a"}, c.ID)); fault.CodeOf(err) != fault.DataExpired {
			t.Fatalf("data that is not deleted yet is readable: %v", err)
		}
	}
	n.store.hook(nil)
	due := n.claimMessages()
	if len(due) != 1 || due[0].ID != u.ID {
		t.Fatalf("due are %+v", due)
	}
	if err := n.ContinueErasure(t.Context(), due[0]); err != nil || left() != 0 {
		t.Errorf("%d left, %v", left(), err)
	}
	if _, err := n.Store.OutboxMessage(t.Context(), u.ID); !errors.Is(err, store.ErrNotFound) {
		t.Error("the erasure is not finished")
	}
}

// A secret that was tampered with never opens. It must not keep the rest of the
// user's data, and an operator must learn that the bank is not told.
func TestErase_EndsConsentWhoseSecretDoesNotOpen(t *testing.T) {
	n := newNode(t)
	l := n.live("customer-4711")
	tampered := n.consent(l.ID, consent.Authorized, "tampered", nil)
	tampered.Sealed[len(tampered.Sealed)-1] ^= 1
	n.Write(func(tx store.Tx) error { return second(tx.PutConsent(t.Context(), tampered)) })
	if err := n.Erase(t.Context(), "a", l.ID); err != nil {
		t.Fatal(err)
	}
	if c, _ := n.Store.Consent(t.Context(), tampered.ID); c.Status != consent.Revoked {
		t.Errorf("the consent is %s", c.Status)
	}
	if log := n.log.String(); !strings.Contains(log, "level=ERROR") || !strings.Contains(log, string(tampered.ID)) {
		t.Errorf("the log says %q", log)
	}
	n.checkErased(t, l)
}

func TestErase_DeletesResponsesAboutUser(t *testing.T) {
	n := newNode(t)
	erased, other := n.create("a", "erased"), n.create("a", "other")
	record := func(u user.User, key string) idempotency.Record {
		return idempotency.Record{ClientID: "a", Key: u.ID + key, Request: []byte("sealed"), Sealed: []byte("sealed"), UserID: u.ID,
			Done: true, Status: 201, StartedAt: start, ExpiresAt: start.Add(time.Hour), LockedUntil: start}
	}
	const many = 120
	for i := range many {
		for _, u := range []user.User{erased, other} {
			n.Write(func(tx store.Tx) error { return second(tx.ClaimIdempotencyKey(t.Context(), record(u, fmt.Sprint(i)))) })
		}
	}
	if err := n.Erase(t.Context(), "a", erased.ID); err != nil {
		t.Fatal(err)
	}
	for i := range many {
		n.Write(func(tx store.Tx) error {
			if err := second(tx.ClaimIdempotencyKey(t.Context(), record(erased, fmt.Sprint(i)))); err != nil {
				t.Errorf("a response about the erased user is still stored: %v", err)
			}
			if err := second(tx.ClaimIdempotencyKey(t.Context(), record(other, fmt.Sprint(i)))); !errors.Is(err, store.ErrExists) {
				t.Errorf("a response about another user is gone: %v", err)
			}
			return nil
		})
	}
}

// The response to a new session holds its token. It is stored only while the user
// is not anonymized, so that an erasure finds it.
func TestCreateSession_StoresNoResponseAfterErasure(t *testing.T) {
	n := newNode(t)
	u := n.create("a", "customer-4711")
	r := idempotency.Record{ClientID: "a", Key: "key", StartedAt: start, ExpiresAt: start.Add(time.Hour)}
	n.Write(func(tx store.Tx) error { return second(tx.ClaimIdempotencyKey(t.Context(), r)) })
	_, err := n.CreateSession(t.Context(), "a", u.ID, n.responseAfter(r, func() {
		if err := n.Erase(t.Context(), "a", u.ID); err != nil {
			t.Error(err)
		}
	}))
	if fault.CodeOf(err) != fault.UserAnonymized {
		t.Errorf("got %v", err)
	}
	n.Write(func(tx store.Tx) error {
		if found, err := tx.ClaimIdempotencyKey(t.Context(), r); !errors.Is(err, store.ErrExists) || found.Done {
			t.Errorf("a response is stored: %+v, %v", found, err)
		}
		return nil
	})
}
