package aspsp

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/sandbox/bankid"
	"samla/internal/sandbox/persona"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var noon = time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)

func newBank(t *testing.T, journal string) *Bank {
	t.Helper()
	c := clock.NewManual(noon)
	b, err := New(Config{Behaviour: DefaultBanks()[0], Clock: c, BankID: bankid.New(c, bytes.NewReader(nil)), Journal: journal})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func consent(id string, status ConsentStatus) *Consent {
	return &Consent{ID: id, TPP: "T", RequestID: "r-" + id, Created: noon, Changed: noon, Status: status, Recurring: true,
		Until: "2026-09-01", Frequency: 4, Access: Access{AllPSD2: allAccounts}, Signer: persona.Default, SCA: noon}
}

// The bank is killed while writing a line: New restores everything but that line.
func TestNew_IgnoresIncompleteLastLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bank.jsonl")
	b := newBank(t, path)
	for _, e := range []entry{
		{Consent: consent("a", Received)}, {Consent: consent("a", Valid)}, {Consent: consent("b", Rejected)},
		{Authorisation: &Authorisation{ID: "x", ConsentID: "a", Status: Finalised, Created: noon}},
		{Read: &readEntry{"a/accounts", noon}}, {Read: &readEntry{"a/accounts", noon.Add(-25 * time.Hour)}},
	} {
		b.writeEntry(e)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	lines, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(lines, []byte(`{"consent":{"id":"c"`)...), 0o600); err != nil {
		t.Fatal(err)
	}
	b = newBank(t, path)
	if len(b.consents) != 2 || b.consents["a"].Status != Valid || len(b.consents["a"].authorisations) != 1 {
		t.Errorf("%v", b.consents)
	}
	if b.recurring[pairKey("T", persona.Default)] != b.consents["a"] {
		t.Error("the valid recurring consent is not in b.recurring")
	}
	var out bytes.Buffer
	if err := b.Snapshot(&out); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), "\n"); n != 4 { // a, x, b and the read of the last 24 hours
		t.Errorf("%d lines: %s", n, out.String())
	}
	if now, _ := os.ReadFile(path); !bytes.Equal(now, out.Bytes()) {
		t.Error("the file was not replaced by a snapshot")
	}
}

func TestRestore_FailsOnInvalidLine(t *testing.T) {
	b := newBank(t, "")
	if err := b.Restore(strings.NewReader("{\n{}\n")); err == nil {
		t.Error("an invalid line is accepted")
	}
	if err := b.Restore(strings.NewReader(`{"authorisation":{"id":"x","consentId":"unknown"}}` + "\n")); err != nil {
		t.Error(err)
	}
	_, err := New(Config{Behaviour: DefaultBanks()[0], Clock: clock.NewManual(noon), Journal: filepath.Join(t.TempDir(), "no", "such", "folder")})
	if err == nil {
		t.Error("New succeeded with a journal in a missing directory")
	}
}

// After the journal has failed, no new consent is acknowledged.
func TestCreateConsent_FailsWithJournal(t *testing.T) {
	b := newBank(t, filepath.Join(t.TempDir(), "j"))
	if err := b.journal.Close(); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("POST", "/", nil)
	r.Header.Set("PSU-IP-Address", "192.0.2.1")
	c := &call{Bank: b, r: r, requestID: "1", tpp: "T", body: []byte(`{"access":{"allPsd2":"allAccounts"},"recurringIndicator":true,` +
		`"validUntil":"2026-07-01","frequencyPerDay":4,"combinedServiceIndicator":false}`)}
	if _, f := c.createConsent(); f == nil || f.status != 500 || len(b.consents) != 0 {
		t.Errorf("%+v, %d consents", f, len(b.consents))
	}
	if err := b.journal.Write(entry{}); !errors.Is(err, os.ErrClosed) {
		t.Errorf("got %v", err)
	}
	if err := b.Close(); err == nil {
		t.Error("Close does not return the journal's error")
	}
}

// Restore and Snapshot reproduce any mix of consents.
func TestSnapshot_RoundTripsThroughRestore(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := newBank(t, "")
		statuses := []ConsentStatus{Received, Partly, Rejected, Valid, RevokedByPSU, Expired, TerminatedByTPP}
		for i := range rapid.IntRange(0, 6).Draw(rt, "consents") {
			c := consent(string(rune('a'+i)), rapid.SampledFrom(statuses).Draw(rt, "status"))
			c.Access = rapid.SampledFrom([]Access{
				{AllPSD2: allAccounts}, {Accounts: &[]Reference{}}, {Balances: &[]Reference{{IBAN: "SE4550000000058398257466"}}},
			}).Draw(rt, "access")
			b.replay(entry{Consent: c})
		}
		var one, two bytes.Buffer
		if err := b.Snapshot(&one); err != nil {
			rt.Fatal(err)
		}
		other := newBank(t, "")
		if err := other.Restore(bytes.NewReader(one.Bytes())); err != nil {
			rt.Fatal(err)
		}
		if err := other.Snapshot(&two); err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(one.String(), two.String()); diff != "" {
			rt.Fatal(diff)
		}
	})
}

// grant never returns more than what was requested and is owned, and is idempotent.
func TestGrant_NeverExceedsRequest(t *testing.T) {
	customers := persona.NewCustomers("500")
	mine, _ := customers.Person(persona.Default)
	theirs, _ := customers.Person("190905271474")
	pool := []Reference{}
	for _, a := range append(mine.Accounts, theirs.Accounts...) {
		pool = append(pool, referenceTo(a))
	}
	list := rapid.SliceOfN(rapid.SampledFrom(pool), 1, 4)
	rapid.Check(t, func(t *rapid.T) {
		var a Access
		for name, into := range map[string]*References{"accounts": &a.Accounts, "balances": &a.Balances, "transactions": &a.Transactions} {
			if rapid.Bool().Draw(t, name+"?") {
				l := list.Draw(t, name)
				*into = &l
			}
		}
		granted, ok := a.grant(mine.Accounts)
		covered := false
		for _, acc := range mine.Accounts {
			want, got := a.scope(acc), granted.scope(acc)
			if want != got {
				t.Fatalf("requested %+v, granted %+v", want, got)
			}
			covered = covered || got.Visible
		}
		for _, acc := range theirs.Accounts {
			if granted.scope(acc).Visible {
				t.Fatal("another person's account was granted")
			}
		}
		if listed := a.Accounts != nil || a.Balances != nil || a.Transactions != nil; listed && ok != covered {
			t.Fatalf("ok %v, covered %v", ok, covered)
		}
		if again, _ := granted.grant(mine.Accounts); ok && !cmp.Equal(again, granted) {
			t.Fatal("a second grant changed the access")
		}
	})
}

// A page token is valid for its consent and account only.
func TestPageToken_IsBoundToConsentAndAccount(t *testing.T) {
	b := newBank(t, "")
	w := window{Consent: "c", Account: "a", From: 1, To: 2, Status: "booked", Offset: 7, Issued: noon.Unix()}
	token := b.pageKey.Seal(w)
	c := &call{Bank: b, accountID: "a"}
	if got, f := c.parsePageToken(token, "c"); f != nil || got != w {
		t.Fatalf("%+v %+v", got, f)
	}
	if _, f := c.parsePageToken(token, "d"); f == nil {
		t.Error("accepted for another consent")
	}
	if _, f := (&call{Bank: b, accountID: "b"}).parsePageToken(token, "c"); f == nil {
		t.Error("accepted for another account")
	}
	rapid.Check(t, func(t *rapid.T) {
		i := rapid.IntRange(0, len(token)-2).Draw(t, "at")
		letter := byte('A')
		if token[i] == 'A' {
			letter = 'B'
		}
		if _, f := c.parsePageToken(token[:i]+string(letter)+token[i+1:], "c"); f == nil {
			t.Fatalf("a change at position %d is accepted", i)
		}
	})
}

func FuzzConsentRequest(f *testing.F) {
	f.Add([]byte(`{"access":{"allPsd2":"allAccounts"},"recurringIndicator":true,"validUntil":"2026-07-01","frequencyPerDay":4,"combinedServiceIndicator":false}`))
	f.Add([]byte(`{"access":{"accounts":[{"iban":"SE4550000000058398257466"}],"balances":[]},"recurringIndicator":false,"validUntil":"9999-12-31","frequencyPerDay":1,"combinedServiceIndicator":false}`))
	behaviour := DefaultBanks()[0]
	today := persona.DayAt(noon)
	f.Fuzz(func(t *testing.T, body []byte) {
		var q consentRequest
		if !decode(body, &q) {
			return
		}
		c, apiErr := q.parse(behaviour, today)
		if apiErr != nil {
			if apiErr.status != 400 || apiErr.code == "" {
				t.Fatalf("%+v", apiErr)
			}
			return
		}
		last := (today + persona.Day(behaviour.MaxValidDays)).String()
		if c.Until > last || c.Until < today.String() || c.Frequency < 1 || c.Frequency > behaviour.DailyLimit {
			t.Fatalf("%+v", c)
		}
		if _, err := json.Marshal(c); err != nil {
			t.Fatal(err)
		}
		c.Access.grant(nil)
	})
}

// The limit of any 24 hours is compared with a plain count of the reads.
func TestCountRead_LimitsAnyRolling24Hours(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		moving := clock.NewManual(noon)
		limit := rapid.IntRange(1, 4).Draw(rt, "limit")
		b, err := New(Config{Behaviour: DefaultBanks()[0], Clock: moving})
		if err != nil {
			rt.Fatal(err)
		}
		one := *consent("a", Valid)
		one.Frequency = limit
		var counted []time.Time
		for range rapid.IntRange(1, 30).Draw(rt, "reads") {
			moving.Advance(time.Duration(rapid.IntRange(0, 10*60).Draw(rt, "minutes")) * time.Minute)
			c := &call{Bank: b, attended: rapid.Bool().Draw(rt, "attended")}
			recent := 0
			for _, at := range counted {
				if moving.Now().Sub(at) < dayLength {
					recent++
				}
			}
			f := c.countRead(one, "accounts")
			if exceeded := !c.attended && recent >= limit; exceeded != (f != nil) {
				rt.Fatalf("%d of %d reads, attended %v: %+v", recent, limit, c.attended, f)
			}
			if f != nil {
				again := moving.Now().Add(time.Duration(f.retryAfter) * time.Second)
				if left := again.Sub(counted[len(counted)-limit]); left < dayLength || left > dayLength+time.Second {
					rt.Fatalf("Retry-After ends %v after the read, want 24 h", left)
				}
			} else if !c.attended {
				counted = append(counted, moving.Now())
			}
		}
	})
}
