package authorize_test

import (
	"testing"
	"time"

	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/institution"
	"samla/internal/psu"
	"samla/internal/store"
)

func TestRevokeIsTheOwners(t *testing.T) {
	b := newBench(t)
	c := b.run(b.create().ID)
	inner := b.request()
	inner.CollectionID = b.IDs.New()
	hidden, err := b.Create(t.Context(), inner, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, ids := range map[string][3]string{
		"unknown":             {b.User.ClientID, b.User.ID, b.IDs.New()},
		"another user's":      {b.User.ClientID, b.IDs.New(), string(c.ID)},
		"another client's":    {b.IDs.New(), b.User.ID, string(c.ID)},
		"inside a collection": {b.User.ClientID, b.User.ID, string(hidden.ID)},
	} {
		_, err := b.Revoke(t.Context(), ids[0], ids[1], consent.ID(ids[2]))
		isFault(t, name, err, fault.ConsentNotFound)
		_, _, err = b.Poll(t.Context(), ids[0], ids[1], consent.ID(ids[2]))
		isFault(t, name, err, fault.ConsentNotFound)
	}
	revoked, err := b.Revoke(t.Context(), b.User.ClientID, b.User.ID, c.ID)
	if err != nil {
		t.Fatal(err)
	}
	b.Clock.Advance(time.Hour)
	again, err := b.Revoke(t.Context(), b.User.ClientID, b.User.ID, c.ID)
	if err != nil || !again.RevokedAt.Equal(revoked.RevokedAt) || len(b.duties()) != 1 {
		t.Errorf("revoked again: %+v, %v", again, err)
	}
}

func TestOverIsNotRevocable(t *testing.T) {
	b := newBench(t)
	c := b.run(b.create().ID)
	b.Clock.Set(c.ExpiresAt)
	b.ended(b.look(c.ID), consent.Expired, "")
	_, err := b.Revoke(t.Context(), b.User.ClientID, b.User.ID, c.ID)
	isFault(t, "expired", err, fault.ConsentNotRevocable)

	b = newBench(t)
	b.bank.onOpen = func(institution.OpenRequest) (institution.Opened, error) {
		return institution.Opened{}, kind(institution.Refused)
	}
	c = b.run(b.create().ID)
	_, err = b.Revoke(t.Context(), b.User.ClientID, b.User.ID, c.ID)
	isFault(t, "failed", err, fault.ConsentNotRevocable)
}

// TestBankIsToldInTheEnd: a duty is tried with growing gaps until the bank has
// heard, even when the user was forgotten meanwhile.
func TestBankIsToldInTheEnd(t *testing.T) {
	const failing = 20
	b := newBench(t)
	c := b.run(b.create().ID)
	b.bank.onRevoke = func(n int) error {
		if n <= failing {
			return kind(institution.Unreachable)
		}
		return nil
	}
	if _, err := b.Revoke(t.Context(), b.User.ClientID, b.User.ID, c.ID); err != nil {
		t.Fatal(err)
	}
	b.Write(func(tx store.Tx) error { return tx.DestroyKey(t.Context(), b.User.ID, b.Clock.Now()) })
	b.Vault.Evict(b.User.ID)
	owed := b.duties()
	if len(owed) != 1 {
		t.Fatalf("%d duties", len(owed))
	}
	last := time.Duration(0)
	for n := 1; n <= failing; n++ {
		if err := b.deliver(owed[0]); err != nil {
			t.Fatal(err)
		}
		d, there := b.duty(owed[0])
		gap := d.WakeAt.Sub(b.Clock.Now())
		if !there || d.Attempts != n || gap <= 0 || gap > time.Hour || gap < last*3/4 {
			t.Fatalf("after %d attempts: there %t, %d noted, the next in %s", n, there, d.Attempts, gap)
		}
		last = gap
		b.Clock.Set(d.WakeAt)
	}
	if last < 45*time.Minute {
		t.Errorf("the last gap is %s", last)
	}
	if err := b.deliver(owed[0]); err != nil {
		t.Fatal(err)
	}
	if _, there := b.duty(owed[0]); there {
		t.Error("the duty is still there")
	}
	if a := b.bank.revoked[failing]; a.ConsentID != "bank-1" || a.PSU != (psu.Context{}) {
		t.Errorf("the bank was told of %+v", a)
	}
	if err := b.deliver(owed[0]); err != nil || len(b.bank.revoked) != failing+1 {
		t.Errorf("a duty that is done is done again: %v", err)
	}
}

// A duty of a bank that is no longer set up stays owed.
func TestDutyOutlivesItsBank(t *testing.T) {
	b := newBench(t)
	c := b.run(b.create().ID)
	if _, err := b.Revoke(t.Context(), b.User.ClientID, b.User.ID, c.ID); err != nil {
		t.Fatal(err)
	}
	owed := b.duties()[0]
	connector := b.Institutions[theBank]
	delete(b.Institutions, theBank)
	if err := b.deliver(owed); err != nil {
		t.Fatal(err)
	}
	b.Institutions[theBank] = connector
	if d, there := b.duty(owed); !there || d.Attempts != 1 {
		t.Fatalf("there %t after %d attempts", there, d.Attempts)
	}
	if err := b.deliver(owed); err != nil || len(b.bank.revoked) != 1 {
		t.Errorf("told %d times, %v", len(b.bank.revoked), err)
	}
}

// TestCheckAfterRefusal: a collection has met a refusal; the bank's own status decides how
// the consent has ended, if it has (docs/reference/banks.md 4).
func TestCheckAfterRefusal(t *testing.T) {
	b := newBench(t)
	valid := b.bank.onRead
	state := func(s institution.ConsentState) func(int) (institution.ConsentInfo, error) {
		return func(int) (institution.ConsentInfo, error) { return institution.ConsentInfo{State: s}, nil }
	}
	failing := func(k institution.ErrorKind) func(int) (institution.ConsentInfo, error) {
		return func(int) (institution.ConsentInfo, error) { return institution.ConsentInfo{}, kind(k) }
	}
	for name, test := range map[string]struct {
		met  institution.ErrorKind
		says func(int) (institution.ConsentInfo, error)
		want consent.Status
	}{
		"gone, and withdrawn":         {institution.ConsentGone, state(institution.ConsentRevoked), consent.Revoked},
		"gone, for it has expired":    {institution.ConsentGone, state(institution.ConsentExpired), consent.Expired},
		"gone, and unknown":           {institution.ConsentGone, failing(institution.ConsentGone), consent.Revoked},
		"gone, and no answer":         {institution.ConsentGone, failing(institution.Unreachable), consent.Revoked},
		"gone, but valid":             {institution.ConsentGone, state(institution.ConsentValid), consent.Authorized},
		"over, and expired":           {institution.ConsentOver, state(institution.ConsentExpired), consent.Expired},
		"over, for it was withdrawn":  {institution.ConsentOver, state(institution.ConsentRevoked), consent.Revoked},
		"over, and no answer":         {institution.ConsentOver, failing(institution.Unreachable), consent.Expired},
		"to be signed anew":           {institution.SCARequired, state(institution.ConsentValid), consent.Expired},
		"to be signed anew, for gone": {institution.SCARequired, state(institution.ConsentRevoked), consent.Revoked},
		"unreachable":                 {institution.Unreachable, state(institution.ConsentRevoked), consent.Authorized},
		"a part not covered":          {institution.NotCovered, state(institution.ConsentRevoked), consent.Authorized},
	} {
		t.Run(name, func(t *testing.T) {
			b.bank.onRead = valid
			c := b.run(b.create().ID)
			b.bank.onRead = test.says
			for range 2 { // what has ended stays as it is
				if err := b.CheckAfterRefusal(t.Context(), b.Consent(c.ID), test.met); err != nil {
					t.Fatal(err)
				}
				if got := b.Consent(c.ID).Status; got != test.want {
					t.Errorf("became %s", got)
				}
			}
		})
	}
}
