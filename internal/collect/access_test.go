package collect_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"samla/internal/audit"
	"samla/internal/collect"
	"samla/internal/collection"
	"samla/internal/fault"
)

// recorder records accesses, or fails.
type recorder struct {
	entries []audit.Entry
	err     error
}

func (r *recorder) RecordAccess(_ context.Context, e audit.Entry) error {
	if r.err == nil {
		r.entries = append(r.entries, e)
	}
	return r.err
}

func TestData_IsHandedOutOnlyWithAnEntry(t *testing.T) {
	b := newEnv(t)
	request := b.request(b.authorizedConsent(), "192.0.2.7")
	request.Filter = []string{"SE4550000000058398257466", "00000000-0000-7000-8000-000000000001"}
	c := b.handle(b.start(request).ID)
	b.wantEnded(c, collection.CompletedEmpty)
	r := &recorder{}
	b.Access = r
	owner := b.owner()
	owner.Route = "getCollectionData"
	data, err := b.Data(t.Context(), owner, c.ID)
	if err != nil || len(r.entries) != 0 {
		t.Fatalf("%v, %d entries before anything was read", err, len(r.entries))
	}
	for range 2 { // one access
		if _, err := data.Packed(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := data.Plain(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if len(r.entries) != 1 {
		t.Fatalf("%d entries", len(r.entries))
	}
	e := r.entries[0]
	want := `{"by":"SESSION","collectionId":"` + c.ID + `","accountIds":["00000000-0000-7000-8000-000000000001"],"accounts":1,"route":"getCollectionData","basis":"CONSENT"}`
	if string(e.Detail) != want || e.Kind != string(audit.DataRead) || e.UserID != b.User.ID || e.ConsentID != c.ConsentID || e.ClientID != b.User.ClientID {
		t.Errorf("%+v\n%s", e, e.Detail)
	}

	r.err = errors.New("the disk is full")
	for _, read := range []func(collect.Data) ([]byte, error){
		func(d collect.Data) ([]byte, error) { return d.Packed(t.Context()) },
		func(d collect.Data) ([]byte, error) { return d.Plain(t.Context()) },
		func(d collect.Data) ([]byte, error) { return d.Served().Plain(t.Context()) },
	} {
		data, err := b.Data(t.Context(), collect.Owner{ClientID: b.User.ClientID, KeyID: "key"}, c.ID)
		if err != nil {
			t.Fatal(err)
		}
		_, err = read(data)
		isFault(t, "not recorded", err, fault.Unavailable)
	}
}

// Nothing of a person is in the audit log: neither in the entries of a whole flow nor in
// those of reads.
func TestAuditLog_HasNothingOfThePerson(t *testing.T) {
	b := newEnv(t)
	c := b.handle(b.start(b.request(b.authorizedConsent(), "192.0.2.7")).ID)
	b.wantEnded(c, collection.Completed)
	if _, err := b.text(b.owner(), c.ID); err != nil {
		t.Fatal(err)
	}
	entries, err := b.Store.UnchainedEntries(t.Context(), 1000)
	if err != nil || len(entries) < 4 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	kinds := map[string]string{}
	for _, e := range entries {
		kinds[e.Kind] = string(e.Detail)
		whole := strings.Join([]string{e.ID, e.ClientID, e.UserID, string(e.ConsentID), e.Kind, string(e.Detail)}, "|")
		for _, secret := range append([]string{"192.0.2.7", string(b.consentRequest().PSU.PersonalNumber)}, b.numbers()...) {
			if secret != "" && strings.Contains(whole, secret) {
				t.Errorf("%s: something of the person is in it", e.Kind)
			}
		}
	}
	for kind, part := range map[string]string{"COLLECTION_STARTED": `"basis":"CONSENT"`, "COLLECTION_FINISHED": `"accountsRead":3`, "DATA_READ": c.ID} {
		if !strings.Contains(kinds[kind], part) {
			t.Errorf("%s: %s", kind, kinds[kind])
		}
	}
}

// numbers returns the numbers of the scripted bank's accounts.
func (b *env) numbers() (all []string) {
	for _, a := range append(b.bank.accounts, b.bank.cards...) {
		all = append(all, a.IBAN, a.BBAN)
	}
	return all
}
