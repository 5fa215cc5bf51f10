package account_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"samla/internal/account"
	"samla/internal/consent"
	"samla/internal/product"
)

const longID, otherLongID = "3dc3d5b3-7023-4848-9853-f5400a64e80f", "cc3d5b3d-1111-4848-9853-f5400a64e80f"

func checking(change func(*account.Traits)) *account.Traits {
	t := &account.Traits{Type: product.Psd2CheckingAccount, Currency: "SEK"}
	change(t)
	return t
}

// The table of docs/reference/api.md 11.2.
func TestCompare_OfEachKindOfEvidence(t *testing.T) {
	iban := func(s ...string) func(*account.Traits) { return func(t *account.Traits) { t.IBANs = s } }
	number := func(s string) func(*account.Traits) { return func(t *account.Traits) { t.Numbers = []string{s} } }
	masked := func(s, name string) func(*account.Traits) {
		return func(t *account.Traits) {
			t.Masked, t.Names, t.Type = []string{s}, []string{name}, product.Psd2CreditCard
		}
	}
	resource := func(s, name string) func(*account.Traits) {
		return func(t *account.Traits) { t.Resources, t.Names = []string{s}, []string{name} }
	}
	policy := func(s string, of product.Type, name string) func(*account.Traits) {
		return func(t *account.Traits) { t.Numbers, t.Type, t.Names, t.Currency = []string{s}, of, []string{name}, "" }
	}
	and := func(all ...func(*account.Traits)) func(*account.Traits) {
		return func(t *account.Traits) {
			for _, change := range all {
				change(t)
			}
		}
	}
	typed := func(of product.Type) func(*account.Traits) { return func(t *account.Traits) { t.Type = of } }
	euro := func(t *account.Traits) { t.Currency = "EUR" }
	const x, y = "SE4550000000058398257466", "SE1150000000054783107654"
	for name, test := range map[string]struct {
		a, b     func(*account.Traits)
		one, two account.Strength // at one company, at two
	}{
		"the same IBAN":                   {iban(x), iban(x), account.Certain, account.Certain},
		"one of several IBANs":            {iban(y, x), iban(x), account.Certain, account.Certain},
		"another IBAN":                    {iban(x), iban(y), "", ""},
		"the same IBAN, another type":     {iban(x), and(iban(x), typed(product.GeneralSavingsAccount)), account.Certain, account.Certain},
		"the same IBAN, another currency": {iban(x), and(iban(x), euro), "", ""},
		"another IBAN, the same id":       {and(iban(x), resource(longID, "a")), and(iban(y), resource(longID, "a")), account.Doubtful, ""},
		"a loan with the same number":     {number("12345678901"), and(number("12345678901"), typed(product.MortgageLoan)), account.Doubtful, ""},
		"the number in the IBAN":          {iban(x), number("58398257466"), account.Certain, account.Certain},
		"its end":                         {iban(x), number("8257466"), account.Strong, account.Doubtful},
		"less of its end":                 {iban(x), number("257466"), "", ""},
		"another number":                  {number("58398257466"), number("54783107654"), "", ""},
		"another number, the same id":     {and(number("58398257466"), resource(longID, "a")), and(number("54783107654"), resource(longID, "a")), account.Doubtful, ""},
		"a long id":                       {resource(longID, "a"), resource(longID, "b"), account.Strong, ""},
		"another long id":                 {resource(longID, "a"), resource(otherLongID, "a"), account.Doubtful, ""},
		"a counter":                       {resource("1", "a"), resource("1", "a"), account.Doubtful, ""},
		"a counter, another name":         {resource("1", "a"), resource("1", "b"), account.Doubtful, ""},
		"neither id nor name":             {resource("1", "a"), resource("2", "b"), "", ""},
		"many digits of a card":           {masked("541200*0007", "a"), masked("541200*0007", "b"), account.Strong, account.Doubtful},
		"few digits, the same name":       {masked("*0007", "a"), masked("541200*0007", "a"), account.Strong, account.Doubtful},
		"few digits, another name":        {masked("*0007", "a"), masked("541200*0007", "b"), account.Doubtful, ""},
		"another card":                    {masked("541200*0007", "a"), masked("541200*0008", "a"), "", ""},
		"a card that was replaced":        {and(masked("*0007", "a"), resource(longID, "a")), and(masked("*0008", "a"), resource(longID, "a")), account.Strong, ""},
		"a policy":                        {policy("71234567", product.PrivatePension, "a"), policy("71234567", product.PrivatePension, "b"), account.Strong, account.Doubtful},
		"a policy, the same name":         {policy("71234567", product.PrivatePension, "a"), policy("71234567", product.PrivatePension, "a"), account.Strong, account.Strong},
		"a pension and an investment":     {policy("71234567", product.PrivatePension, "a"), policy("71234567", product.KF, "a"), account.Doubtful, ""},
		"the number of the person":        {policy("199006022390", product.PrivatePension, "a"), policy("199006022390", product.PrivatePension, "b"), "", ""},
		"that, the same name":             {policy("199006022390", product.PrivatePension, "a"), policy("199006022390", product.PrivatePension, "a"), account.Strong, ""},
		"a short number":                  {policy("12", product.UnsecuredLoan, "a"), policy("12", product.UnsecuredLoan, "b"), "", ""},
	} {
		a, b := checking(test.a), checking(test.b)
		for same, want := range map[bool]account.Strength{true: test.one, false: test.two} {
			for _, e := range []account.Evidence{account.Compare(a, b, same), account.Compare(b, a, same)} {
				if e.Strength != want {
					t.Errorf("%s, at one company %t: %q by %v despite %v, want %q", name, same, e.Strength, e.Agreed, e.Differed, want)
				}
			}
		}
	}
}

// lasting applies readings to the accounts of a person.
type lasting struct {
	accounts []account.Account
	ids      int
	at       time.Time
	reading  func(*account.Reading)
}

func (l *lasting) newID() string {
	l.ids++
	return fmt.Sprint("id-", l.ids)
}

// read applies a reading of a company and returns the ids of the accounts that were seen.
func (l *lasting) read(company string, lineage consent.ID, seen ...*account.Traits) (ids []string) {
	l.at = l.at.Add(time.Hour)
	r := account.Reading{Collection: l.newID(), At: l.at, Company: company, Lineage: lineage, Consent: lineage, Listed: true}
	for _, t := range seen {
		r.Seen = append(r.Seen, account.Seen{Traits: *t, Shown: account.Shown{Type: t.Type}})
	}
	if l.reading != nil {
		l.reading(&r)
	}
	done := account.Apply(l.accounts, r, l.newID)
	l.accounts = done.Accounts
	for _, at := range done.Of {
		ids = append(ids, l.accounts[at.Account].ID)
	}
	return ids
}

func (l *lasting) account(id string) *account.Account {
	for i := range l.accounts {
		if l.accounts[i].ID == id {
			return &l.accounts[i]
		}
	}
	return nil
}

func withIBAN(iban string) *account.Traits {
	return checking(func(t *account.Traits) { t.IBANs = []string{iban} })
}

func withMask(masked, name, resource string) *account.Traits {
	return checking(func(t *account.Traits) {
		t.Masked, t.Names, t.Resources = []string{masked}, []string{name}, []string{resource}
	})
}

const ibanX, ibanY = "SE4550000000058398257466", "SE1150000000054783107654"

func TestApply_ClosesAndOpensAgain(t *testing.T) {
	l := &lasting{at: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	both := l.read("a", "c", withIBAN(ibanX), withIBAN(ibanY))
	l.read("a", "c", withIBAN(ibanX))
	if s, since := l.account(both[1]).State(); s != account.NotSeen || !since.Equal(l.at) {
		t.Errorf("not listed any more: %s since %v", s, since)
	}
	if again := l.read("a", "c", withIBAN(ibanX), withIBAN(ibanY)); !slices.Equal(again, both) {
		t.Errorf("opened again as %v, not %v", again, both)
	}
	if s, _ := l.account(both[1]).State(); s != account.Open {
		t.Errorf("opened again, and %s", s)
	}
	l.reading = func(r *account.Reading) { r.Closed = []account.Traits{{IBANs: []string{ibanY}}} }
	l.read("a", "c", withIBAN(ibanX))
	if s, _ := l.account(both[1]).State(); s != account.Closed {
		t.Errorf("the institution says that it is closed, and it is %s", s)
	}
	l.reading = func(r *account.Reading) { r.Listed = false }
	l.read("a", "c")
	l.reading = nil
	l.read("a", "another consent, for no account")
	if s, _ := l.account(both[0]).State(); s != account.Open {
		t.Errorf("a list that was not read wholly, or under another consent, makes an account %s", s)
	}
}

// An older collection that is applied late changes nothing newer.
func TestApply_LateReadingChangesNothingNewer(t *testing.T) {
	l := &lasting{at: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	id := l.read("a", "c", withIBAN(ibanX))[0]
	first, last := l.account(id).First(), l.account(id).Last()
	l.reading = func(r *account.Reading) {
		r.At = first.Add(-24 * time.Hour)
		r.Seen[0].Shown.Name = "an older name"
	}
	l.read("a", "c", withIBAN(ibanX))
	a := l.account(id)
	if a.Links[0].Shown.Name != "" || !a.Last().Equal(last) || !a.First().Before(first) {
		t.Errorf("%+v", a.Links[0])
	}
	l.reading = func(r *account.Reading) { r.At = first.Add(-time.Hour) }
	l.read("a", "c")
	if s, _ := l.account(id).State(); s != account.Open {
		t.Errorf("an older list without it makes an account %s", s)
	}
}

// Where the evidence speaks for two, nothing is linked, also when only one is left.
func TestApply_LinksNothingBecauseOnlyOneIsLeft(t *testing.T) {
	l := &lasting{at: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	before := l.read("a", "c", withMask("*1234", "card", "1"), withMask("*1234", "card", "2"))
	if before[0] == before[1] {
		t.Fatal("two cards of one list are one account")
	}
	after := l.read("a", "d", withMask("*1234", "card", "9"))
	if slices.Contains(before, after[0]) {
		t.Errorf("one of two cards with the same digits was chosen")
	}
	possible := account.Possibles(l.accounts)[after[0]]
	if len(possible) != 2 {
		t.Errorf("the possible matches are %+v", possible)
	}
	if len(account.Possibles(l.accounts)[before[0]]) != 1 {
		t.Error("two cards that one list has are possible matches")
	}
}

func TestMergeAndSplit_AreReversibleAndRemembered(t *testing.T) {
	l := &lasting{at: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	bank := l.read("a", "c", withIBAN(ibanX))[0]
	if agg := l.read("b", "", withIBAN(ibanX))[0]; agg != bank {
		t.Fatal("one IBAN at two institutions is two accounts")
	}
	a := *l.account(bank)
	if e := a.Links[1].Evidence; len(a.Links) != 2 || a.Links[0].Evidence != nil || e == nil || e.Strength != account.Certain {
		t.Fatalf("%+v", a)
	}
	inUse := func(id string) bool { return l.account(id) != nil }
	rest, off, err := account.Split(a, a.Links[1].ID, inUse, l.newID, l.at)
	if err != nil || off.ID == bank || len(rest.Links) != 1 || len(off.Links) != 1 {
		t.Fatalf("%+v, %+v, %v", rest, off, err)
	}
	l.accounts = []account.Account{rest, off}
	if got := l.read("b", "", withIBAN(ibanX)); got[0] != off.ID {
		t.Errorf("what was split is linked again: %v", got)
	}
	if got := l.read("a", "c", withIBAN(ibanX)); got[0] != bank {
		t.Errorf("the rest is %v", got)
	}
	if p := account.Possibles(l.accounts); len(p) > 0 {
		t.Errorf("what was split is a possible match: %v", p)
	}
	merged, err := account.Merge(*l.account(bank), *l.account(off.ID), l.at)
	if err != nil || len(merged.Links) != 2 || len(merged.Apart) > 0 || !slices.Equal(merged.Merged, []string{off.ID}) {
		t.Fatalf("%+v, %v", merged, err)
	}
	l.accounts = []account.Account{merged}
	for range 2 {
		if x, y := l.read("a", "c", withIBAN(ibanX)), l.read("b", "", withIBAN(ibanX)); x[0] != bank || y[0] != bank {
			t.Errorf("a merge does not last: %v, %v", x, y)
		}
	}
	_, again, err := account.Split(*l.account(bank), off.Links[0].ID, inUse, l.newID, l.at)
	if err != nil || again.ID != off.ID {
		t.Errorf("the account that was merged comes back as %s, not %s: %v", again.ID, off.ID, err)
	}
	if _, err := account.Merge(merged, merged, l.at); err != account.ErrSame {
		t.Errorf("merged with itself: %v", err)
	}
	if _, _, err := account.Split(rest, rest.Links[0].ID, inUse, l.newID, l.at); err != account.ErrOnlyLink {
		t.Errorf("the only link: %v", err)
	}
	if _, _, err := account.Split(merged, "none", inUse, l.newID, l.at); err != account.ErrNoLink {
		t.Errorf("no link: %v", err)
	}
}

func TestApply_KeepsWithinItsLimits(t *testing.T) {
	l := &lasting{at: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	var seen []account.Seen
	for i := range account.MaxAccounts + 5 {
		seen = append(seen, account.Seen{Traits: account.Traits{Type: product.KF, Numbers: []string{fmt.Sprintf("9990%08d", i)}}, Shown: account.Shown{Type: product.KF}})
	}
	done := account.Apply(nil, account.Reading{At: l.at, Company: "a", Seen: seen}, l.newID)
	beyond := 0
	for _, at := range done.Of {
		if at.Account < 0 {
			beyond++
		}
	}
	if len(done.Accounts) != account.MaxAccounts || beyond != 5 {
		t.Errorf("%d accounts, %d beyond", len(done.Accounts), beyond)
	}
}
