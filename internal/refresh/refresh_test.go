package refresh_test

import (
	"errors"
	"samla/internal/authorize"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/flowtest"
	"samla/internal/psu"
	"samla/internal/quota"
	"samla/internal/refresh"
	"samla/internal/store"
	"sync"
	"testing"
	"time"
)

func onStores(t *testing.T, test func(*testing.T, *env)) {
	for name, database := range map[string]func(testing.TB) string{
		"sqlite": func(t testing.TB) string { return t.TempDir() }, "postgres": flowtest.Postgres,
	} {
		t.Run(name, func(t *testing.T) { test(t, newEnv(t, database(t))) })
	}
}

// Ten days of three users with plans on two nodes, whose clients queue reads too, with an
// outage of the bank and one of the server.
func TestPlan_KeepsToTheQuotaForDays(t *testing.T) {
	onStores(t, func(t *testing.T, b *env) {
		nodes := []node{b.node, b.newNode()}
		var consents []consent.Consent
		for n := range 3 {
			u := b.AddUser("user-" + string(rune('a'+n)))
			consents = append(consents, b.authorized(u.ID))
			if _, err := b.PutPlan(t.Context(), u.ClientID, u.ID, 2+n, nil); err != nil {
				t.Fatal(err)
			}
		}
		start := b.Clock.Now()
		for hour := range 10 * 24 {
			switch {
			case hour == 50:
				b.bank.fails(errAway)
			case hour == 60:
				b.bank.fails(nil)
			case hour > 100 && hour < 130: // the server is away
				continue
			}
			if now := start.Add(time.Duration(hour) * time.Hour); now.After(b.Clock.Now()) {
				b.Clock.Set(now)
			}
			if hour%7 == 0 {
				r := b.request(consents[hour%3])
				r.WhenAllowed = true
				if _, err := b.collections.Start(t.Context(), r, nil); err != nil {
					t.Fatal(err)
				}
			}
			b.until(start.Add(time.Duration(hour+1)*time.Hour), consents, nodes...)
			if hour%13 == 0 {
				b.quotasAgree(consents)
			}
		}
		for _, c := range consents {
			begun, err := b.Store.UnattendedSince(t.Context(), c.ID, time.Time{}.Add(time.Hour))
			if err != nil || most(begun) > 4 || len(begun) < 12 {
				t.Errorf("%d reads, at most %d in 24 hours, %v", len(begun), most(begun), err)
			}
			s, err := b.Store.Schedule(t.Context(), c.ID)
			if err != nil || s.State != quota.Active || s.CompleteAt.IsZero() || b.Clock.Now().Sub(s.CompleteAt) > 26*time.Hour {
				t.Errorf("%+v, %v", s, err)
			}
		}
	})
}

// quotasAgree checks that the quotas of all at once are those of each alone.
func (b *env) quotasAgree(consents []consent.Consent) {
	b.Helper()
	var lineages [][]consent.Consent
	for _, c := range consents {
		lineages = append(lineages, []consent.Consent{b.Consent(c.ID)})
	}
	all, err := b.Quotas(b.Context(), lineages)
	if err != nil || len(all) != len(consents) {
		b.Fatalf("%d quotas, %v", len(all), err)
	}
	for _, c := range consents {
		alone, err := b.Access(b.Context(), c.ClientID, c.UserID, c.ID)
		if err != nil || all[c.ID] != alone.Quota {
			b.Errorf("%+v, alone %+v, %v", all[c.ID], alone.Quota, err)
		}
	}
}

// Two nodes that handle one schedule at the same time start one read.
func TestPlan_IsReadOnceByTwoNodes(t *testing.T) {
	onStores(t, func(t *testing.T, b *env) {
		c := b.authorized(b.User.ID)
		b.plan(4)
		b.due(b.node)
		nodes := []node{b.node, b.newNode(), b.newNode(), b.newNode()}
		for range 5 {
			b.Clock.Set(b.part().DueAt)
			before, _ := b.Store.UnattendedSince(t.Context(), c.ID, b.Clock.Now().Add(-48*time.Hour))
			var all sync.WaitGroup
			for _, n := range nodes {
				all.Go(func() { isNil(t, n.Handle(t.Context(), string(c.ID))) })
			}
			all.Wait()
			after, err := b.Store.UnattendedSince(t.Context(), c.ID, b.Clock.Now().Add(-48*time.Hour))
			if err != nil || len(after) != len(before)+1 {
				t.Errorf("%d reads after %d, %v", len(after), len(before), err)
			}
			b.due(b.node)
			b.Clock.Advance(time.Minute)
			b.due(b.node)
		}
	})
}

// The plan, clients that read, clients that queue and a revocation at the same time: never
// more than four reads, one that is queued at most, and nothing waits after the end.
func TestPlan_RacesWithClientsAndRevocation(t *testing.T) {
	onStores(t, func(t *testing.T, b *env) {
		c := b.authorized(b.User.ID)
		b.plan(4)
		b.due(b.node)
		nodes := []node{b.node, b.newNode()}
		b.Clock.Set(b.part().DueAt)
		queued := make(chan string, 8)
		var all sync.WaitGroup
		for i := range 8 {
			n := nodes[i%2]
			all.Go(func() { isNil(t, n.Handle(t.Context(), string(c.ID))) })
			all.Go(func() {
				_, err := n.collections.Start(t.Context(), b.request(c), nil)
				if err != nil && !errors.Is(err, fault.New(fault.BackgroundRefreshLimit)) && !errors.Is(err, fault.New(fault.ConsentRevoked)) {
					t.Error(err)
				}
			})
			all.Go(func() {
				r := b.request(c)
				r.WhenAllowed = true
				made, err := n.collections.Start(t.Context(), r, nil)
				if err != nil && !errors.Is(err, fault.New(fault.ConsentRevoked)) {
					t.Error(err)
				}
				if err == nil && made.Waiting() {
					queued <- made.ID
				}
			})
		}
		all.Go(func() {
			_, err := b.consents.Revoke(t.Context(), c.ClientID, c.UserID, c.ID)
			isNil(t, err)
		})
		all.Wait()
		close(queued)
		ids := map[string]bool{}
		for id := range queued {
			ids[id] = true
		}
		begun, err := b.Store.UnattendedSince(t.Context(), c.ID, b.Clock.Now().Add(-24*time.Hour))
		if err != nil || len(begun) > 4 || len(ids) > 1 {
			t.Errorf("%d reads, %d queued, %v", len(begun), len(ids), err)
		}
		b.due(nodes...)
		b.Clock.Advance(time.Minute)
		b.due(nodes...)
		for id := range ids {
			if k, err := b.Store.Collection(t.Context(), id); err != nil || k.Waiting() {
				t.Errorf("it waits under a revoked consent: %+v, %v", k, err)
			}
		}
		if part := b.part(); part.State != quota.WaitingForConsent || part.Reason != quota.ConsentEnded {
			t.Errorf("%+v", part.Schedule)
		}
	})
}

// A queued collection begins at its moment, after a restart too, and is one read.
func TestQueued_BeginsWhenAllowed(t *testing.T) {
	onStores(t, func(t *testing.T, b *env) {
		c := b.authorized(b.User.ID)
		for range 4 {
			if _, err := b.collections.Start(t.Context(), b.request(c), nil); err != nil {
				t.Fatal(err)
			}
			b.due(b.node)
		}
		r := b.request(c)
		r.WhenAllowed = true
		begun, _ := b.Store.UnattendedSince(t.Context(), c.ID, b.Clock.Now().Add(-time.Hour))
		first, err := b.collections.Start(t.Context(), r, nil)
		if err != nil || !first.StartsAt.Equal(begun[0].Add(24*time.Hour)) || first.Status != collection.Running {
			t.Fatalf("%+v, %v", first, err)
		}
		second, err := b.newNode().collections.Start(t.Context(), r, nil)
		if err != nil || second.ID != first.ID {
			t.Errorf("%s and %s, %v", first.ID, second.ID, err)
		}
		b.Clock.Set(first.StartsAt.Add(-time.Second))
		b.due(b.node)
		if k, _ := b.Store.Collection(t.Context(), first.ID); !k.Waiting() {
			t.Errorf("a second early: %+v", k)
		}
		b.Clock.Advance(time.Second)
		b.due(b.newNode())
		k, err := b.Store.Collection(t.Context(), first.ID)
		if err != nil || k.Status != collection.Completed || !k.BeganAt.Equal(first.StartsAt) {
			t.Errorf("%+v, %v", k, err)
		}
		if _, err := b.Store.Schedule(t.Context(), c.ID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a schedule that is not needed stays: %v", err)
		}
	})
}

// A plan that fails is paused, says so, tells of it, and comes back.
func TestPlan_TellsWhenItIsPausedAndComesBack(t *testing.T) {
	b := newEnv(t, t.TempDir())
	c := b.authorized(b.User.ID)
	b.plan(4)
	b.bank.fails(errAway)
	b.until(b.Clock.Now().AddDate(0, 0, 6), []consent.Consent{c}, b.node)
	part := b.part()
	if part.State != quota.PausedFailing || part.Reason != quota.ReadFailed || part.DueAt.IsZero() {
		t.Fatalf("%+v", part.Schedule)
	}
	b.bank.fails(nil)
	b.until(b.Clock.Now().AddDate(0, 0, 2), []consent.Consent{c}, b.node)
	if part := b.part(); part.State != quota.Active || part.Reason != "" || part.CompleteAt.IsZero() {
		t.Fatalf("%+v", part.Schedule)
	}
	b.Write(func(tx store.Tx) error {
		events, err := tx.SequenceEvents(t.Context(), b.Clock.Now(), 1000)
		told := 0
		for _, e := range events {
			if e.Type == "REFRESH_PLAN_CHANGED" {
				told++
			}
		}
		if told != 2 {
			t.Errorf("told %d times", told)
		}
		return err
	})
	// After a read that lacked nothing, the next asks for what is newer.
	b.due(b.node)
	from, first := b.bank.from[len(b.bank.from)-1], b.bank.from[0]
	if want := b.bank.read[len(b.bank.read)-1].AddDate(0, 0, -15).Format(time.DateOnly); from < want || from <= first {
		t.Errorf("the last read asks from %s, at first from %s", from, first)
	}
}

// An erased user leaves neither a plan nor a schedule.
func TestPlan_IsErasedWithTheUser(t *testing.T) {
	b := newEnv(t, t.TempDir())
	b.authorized(b.User.ID)
	b.plan(1)
	if err := b.EndUser(t.Context(), b.User.ClientID, b.User.ID); err != nil {
		t.Fatal(err)
	}
	_, err := b.Plan(t.Context(), b.User.ClientID, b.User.ID)
	if !errors.Is(err, fault.New(fault.RefreshPlanNotFound)) {
		t.Error(err)
	}
	if all, err := b.Store.SchedulesOf(t.Context(), b.User.ClientID, b.User.ID); err != nil || len(all) != 0 {
		t.Errorf("%+v, %v", all, err)
	}
}

// A consent that is authorized while a plan for all consents is stored is in the plan: no
// consent leaves the rotation without a word.
func TestPlan_CoversAConsentThatIsAuthorizedMeanwhile(t *testing.T) {
	onStores(t, func(t *testing.T, b *env) {
		b.authorized(b.User.ID)
		under := b.Store
		var second consent.Consent
		b.node.Service.Store = &flowtest.Overtaken{Store: under, By: func() { second = b.authorized(b.User.ID) }}
		plan, err := b.PutPlan(t.Context(), b.User.ClientID, b.User.ID, 1, nil)
		if err != nil || len(plan.Parts) != 2 {
			t.Errorf("%d parts, %v", len(plan.Parts), err)
		}
		if _, err := under.Schedule(t.Context(), second.LineageID()); err != nil {
			t.Errorf("the second consent: %v", err)
		}
	})
}

// The same where the transaction of the grant is open: it has looked for a plan before there
// was one.
func TestPlan_CoversAConsentWhoseGrantIsOpen(t *testing.T) {
	b := newEnv(t, flowtest.Postgres(t))
	made := b.authorized(b.User.ID)
	pending, err := b.consents.Draft(t.Context(), authorize.Request{ClientID: b.User.ClientID, UserID: b.User.ID, Company: theBank,
		Scope: consent.Scope{Balances: true}, PSU: psu.Context{IPAddress: "192.0.2.1"}})
	if err != nil {
		t.Fatal(err)
	}
	b.Write(func(tx store.Tx) error { return tx.AddConsent(t.Context(), pending) })
	pending = b.Consent(pending.ID)
	looked, planned := make(chan bool), make(chan error)
	go func() {
		<-looked
		_, err := b.PutPlan(t.Context(), b.User.ClientID, b.User.ID, 1, nil)
		planned <- err
	}()
	granted := pending
	for _, e := range []consent.Event{consent.Opened{}, consent.Instructed{}, consent.Granted{Scope: &pending.Requested, ValidUntil: made.ExpiresAt}} {
		if granted, err = granted.Apply(e, b.Clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
	b.Write(func(tx store.Tx) error {
		after, err := tx.PutConsent(t.Context(), granted)
		if err != nil {
			return err
		}
		if err := (refresh.Consents{Clock: b.Clock}).ConsentAuthorized(t.Context(), tx, after); err != nil {
			return err
		}
		looked <- true
		select {
		case err := <-planned: // it did not wait for this transaction
			go func() { planned <- err }()
		case <-time.After(300 * time.Millisecond):
		}
		return nil
	})
	if err := <-planned; err != nil {
		t.Fatal(err)
	}
	if _, err := b.Store.Schedule(t.Context(), pending.LineageID()); err != nil {
		t.Errorf("the consent that was granted meanwhile: %v", err)
	}
}

// A queued collection that reads is the one that WHEN_ALLOWED is answered with, although
// younger ones with the person present have begun and ended since it was queued.
func TestQueued_IsOneReadBesideYoungerCollections(t *testing.T) {
	onStores(t, func(t *testing.T, b *env) {
		c := b.authorized(b.User.ID)
		for range 4 {
			if _, err := b.collections.Start(t.Context(), b.request(c), nil); err != nil {
				t.Fatal(err)
			}
			b.due(b.node)
		}
		r := b.request(c)
		r.WhenAllowed = true
		queued, err := b.collections.Start(t.Context(), r, nil)
		if err != nil {
			t.Fatal(err)
		}
		b.Clock.Set(queued.StartsAt.Add(-time.Hour))
		attended := b.request(c)
		attended.PSU.IPAddress = "192.0.2.1"
		if _, err := b.collections.Start(t.Context(), attended, nil); err != nil {
			t.Fatal(err)
		}
		b.due(b.node)
		b.Clock.Set(queued.StartsAt)
		if err := b.Handle(t.Context(), string(c.LineageID())); err != nil { // it begins, and is not read yet
			t.Fatal(err)
		}
		again, err := b.collections.Start(t.Context(), r, nil)
		if err != nil || again.ID != queued.ID {
			t.Errorf("another read is %s: %s, %v", again.ID, again.Status, err)
		}
	})
}
