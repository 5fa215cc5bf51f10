package account_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"samla/internal/account"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/ident"
	"samla/internal/product"
	"samla/internal/sandbox/household"
	"samla/internal/sandbox/persona"
)

// world is a generated person with accounts at banks and products at sources, as their
// institutions show them over time. What is the same account is known.
type world struct {
	*testing.T
	*rand.Rand
	number string // of the person
	things []*thing
	now    time.Time
	next   int
}

// thing is an account in truth.
type thing struct {
	id         int
	at         string // company
	card       bool
	iban, bban string
	pan        string
	currency   string
	names      []string // the institution's, then the person's
	resource   string
	from, to   int // rounds in which it is open
}

// manner is how an institution shows its accounts to a person.
type manner struct {
	company string
	numbers int  // which numbers it shows
	fixed   bool // its ids stay, else they change with the consent
	counter bool // its ids are counters of its list
}

func (m manner) String() string {
	numbers := []string{"numbers", "IBANs", "national numbers", "hidden digits", "no numbers"}[m.numbers]
	switch {
	case m.counter:
		return numbers + ", counters"
	case m.fixed:
		return numbers + ", lasting ids"
	}
	return numbers + ", changing ids"
}

// The numbers that an institution shows.
const (
	bothNumbers = iota
	onlyIBAN
	onlyBBAN
	hiddenDigits
	noNumbers
	manyNumbers
)

// clearings are ranges of clearing numbers with the length of the account and the bank's id in IBANs.
var clearings = []struct {
	first, last, account int
	iban                 string
	withClearing         bool
}{{5000, 5999, 7, "500", true}, {6000, 6999, 9, "600", false}, {3400, 3409, 7, "902", true}, {9550, 9569, 7, "955", true}, {8000, 8999, 10, "800", true}}

func (w *world) digits(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('0' + w.IntN(10))
	}
	return string(b)
}

// bankNumber returns a valid Swedish account number of the bank with an index, and its IBAN.
func (w *world) bankNumber(bank int) (bban, iban string) {
	c := clearings[bank%len(clearings)]
	for {
		clearing := fmt.Sprint(c.first + w.IntN(c.last-c.first+1))
		bban = clearing + w.digits(c.account)
		n, warnings, err := ident.ParseAccountNumber(bban)
		if err != nil || len(warnings) > 0 {
			continue
		}
		own := n.Account()
		if c.withClearing {
			own = n.Clearing() + own
		}
		own = c.iban + strings.Repeat("0", 17-len(own)) + own
		for check := 2; check < 99; check++ {
			if iban, err := ident.ParseIBAN(fmt.Sprintf("SE%02d%s", check, own)); err == nil {
				return bban, iban.Compact()
			}
		}
	}
}

var bankNames = []string{"Privatkonto", "Sparkonto", "Lönekonto", "e-sparkonto", "Buffert", "Matkonto", "Mastercard", "Visa"}

// open adds an account that is open from a round on.
func (w *world) open(bank int, company string, round int) *thing {
	w.next++
	t := &thing{id: w.next, at: company, currency: "SEK", from: round, to: 1000, resource: w.uuid()}
	t.bban, t.iban = w.bankNumber(bank)
	t.names = []string{bankNames[w.IntN(6)]}
	if w.IntN(100) < 25 {
		t.card, t.iban, t.bban, t.pan, t.names = true, "", "", "54120"+w.digits(11), []string{bankNames[6+w.IntN(2)]}
	}
	if w.IntN(3) == 0 {
		t.names = append(t.names, []string{"Mitt konto", "Hushåll", "Resor"}[w.IntN(3)])
	}
	w.things = append(w.things, t)
	return t
}

func (w *world) uuid() string {
	return fmt.Sprintf("%s-%s-%s", w.digits(8), w.digits(8), w.digits(12))
}

// spelled writes a number in one of the ways in which institutions do.
func (w *world) spelled(number string) string {
	if number == "" {
		return ""
	}
	switch w.IntN(4) {
	case 0:
		return number[:4] + " " + number[4:]
	case 1:
		return number[:4] + "-" + number[4:7] + " " + number[7:]
	case 2:
		return number[:4] + ", " + number[4:]
	}
	return number
}

// show returns what an institution's list has of an account.
func (w *world) show(m manner, t *thing, place int, lineage string) account.Seen {
	said := collection.Identifiers{Names: []string{t.names[0]}}
	p := &product.Psd2Account{Head: product.Head{Type: product.Psd2CheckingAccount}, AccountName: t.names[len(t.names)-1], Currency: t.currency}
	if strings.Contains(t.names[0], "par") && w.IntN(4) > 0 {
		p.Type = product.Psd2SavingsAccount
	}
	switch {
	case t.card:
		p.Type = product.Psd2CreditCard
		p.AccountNumber = "************" + t.pan[12:]
		if m.numbers == bothNumbers {
			p.AccountNumber = t.pan[:6] + "******" + t.pan[12:]
		}
		said.Masked = []string{p.AccountNumber}
	case m.numbers == bothNumbers:
		p.IBAN, p.AccountNumber = t.iban, w.spelled(t.bban)
		if w.IntN(12) == 0 { // told only in part
			p.IBAN = ""
		}
	case m.numbers == onlyIBAN:
		p.IBAN = t.iban
	case m.numbers == onlyBBAN:
		p.AccountNumber = w.spelled(t.bban)
	case m.numbers == hiddenDigits:
		p.AccountNumber = "****" + t.bban[len(t.bban)-4:]
		said.Masked = []string{p.AccountNumber}
	}
	switch {
	case m.counter:
		said.Resources = []string{fmt.Sprint(place + 1)}
	case m.fixed:
		said.Resources = []string{t.resource}
	default:
		said.Resources = []string{t.resource + "-" + lineage}
	}
	s, ok := account.See(p, said)
	if !ok {
		w.Fatal("an account is no account")
	}
	return s
}

// scored is how well the lasting accounts are the things.
type scored struct {
	households, things, seen int
	together, truly, both    int                // pairs of seen accounts: in one account, of one thing, both
	whole                    int                // things that are one account
	suggested, parted        int                // of the things in several accounts, those whose accounts are named as possible matches
	ways                     map[string]*[2]int // by how institutions show accounts: pairs of one thing, and those in one account
}

// count counts a pair of ways in which one thing is shown.
func (s *scored) count(way string, truly, both int) {
	if s.ways == nil {
		s.ways = map[string]*[2]int{}
	}
	if s.ways[way] == nil {
		s.ways[way] = &[2]int{}
	}
	s.ways[way][0] += truly
	s.ways[way][1] += both
}

// tally counts who was seen where.
type tally struct {
	accounts []account.Account
	of       map[int]map[string]int // things by account id
	at       map[int]map[place]int  // things by account id and by how an institution shows them
}

// place is an account of an institution that shows its accounts in a way.
type place struct{ account, company, way string }

func (ta *tally) apply(r account.Reading, ids []int, way string, newID func() string) {
	done := account.Apply(ta.accounts, r, newID)
	ta.accounts = done.Accounts
	for i, at := range done.Of {
		if ta.of[ids[i]] == nil {
			ta.of[ids[i]], ta.at[ids[i]] = map[string]int{}, map[place]int{}
		}
		id := ta.accounts[at.Account].ID
		ta.of[ids[i]][id]++
		of := way
		if KindOf := account.KindOf(r.Seen[i].Shown.Type); KindOf == account.Card {
			of = "card of " + way
		}
		ta.at[ids[i]][place{id, r.Company, of}]++
	}
}

func pairs(n int) int { return n * (n - 1) / 2 }

// score adds what a person's accounts have come to. It returns what was wrong, if two
// things are one account.
func (ta *tally) score(to *scored) (wrong []string) {
	to.households++
	account1 := map[string]int{}
	mixed := map[string][]int{}
	possible := account.Possibles(ta.accounts)
	for _, at := range ta.at {
		for x, n := range at {
			for y, m := range at {
				switch {
				case x == y:
					to.count(x.way, pairs(n), pairs(n))
				case x.company == y.company && x.account < y.account:
					to.count(x.way, n*m, 0)
				case x.company < y.company && x.account == y.account:
					to.count("two institutions", n*m, n*m)
				case x.company < y.company:
					to.count("two institutions", n*m, 0)
				}
			}
		}
	}
	for id, in := range ta.of {
		n, best := 0, 0
		for a, k := range in {
			n += k
			best++
			account1[a] += k
			mixed[a] = append(mixed[a], id)
			to.both += pairs(k)
		}
		to.things++
		to.seen += n
		to.truly += pairs(n)
		if best == 1 {
			to.whole++
			continue
		}
		to.parted++
		named := true
		for a := range in {
			named = named && slices.ContainsFunc(possible[a], func(p account.Possible) bool { return in[p.AccountID] > 0 })
		}
		if named {
			to.suggested++
		}
	}
	for a, n := range account1 {
		to.together += pairs(n)
		if len(mixed[a]) > 1 {
			wrong = append(wrong, fmt.Sprintf("account %s is %v", a, mixed[a]))
		}
	}
	return wrong
}

const rounds = 8

// live generates a person and applies what their institutions show over two years.
func live(t *testing.T, seed uint64) *tally {
	w := &world{T: t, Rand: rand.New(rand.NewPCG(seed, 8)), now: time.Date(2025, 1, 10, 8, 0, 0, 0, time.UTC)}
	w.number = fmt.Sprintf("%04d%02d%02d%s", 1950+w.IntN(55), 1+w.IntN(12), 1+w.IntN(28), w.digits(4))
	banks := []manner{w.manner("se-a"), w.manner("se-b")}
	ta := &tally{of: map[int]map[string]int{}, at: map[int]map[place]int{}}
	ids := 0
	newID := func() string { ids++; return fmt.Sprintf("id-%d", ids) }
	for bank, m := range banks {
		for range 1 + w.IntN(4) {
			w.open(bank+int(seed), m.company, 0)
		}
		if w.IntN(5) == 0 && !w.things[len(w.things)-1].card { // a currency under the same number
			home := w.things[len(w.things)-1]
			w.next++
			euro := *home
			euro.id, euro.currency, euro.resource = w.next, "EUR", w.uuid()
			w.things = append(w.things, &euro)
		}
	}
	sources := map[string]int{} // ids of products by type and number
	for round := range rounds {
		w.now = w.now.AddDate(0, 3, w.IntN(20))
		w.happen(round, banks, int(seed))
		for _, m := range banks {
			for again := range 1 + w.IntN(2) { // two consents at one bank
				lineage := fmt.Sprintf("%s-%d", m.company, again)
				w.collect(ta, m, round, lineage, fmt.Sprint(again, round/2), newID)
			}
		}
		if round%2 == 1 {
			w.aggregate(ta, banks, round, newID)
		}
		w.household(ta, sources, newID)
	}
	return ta
}

func (w *world) manner(company string) manner {
	return manner{company, w.IntN(manyNumbers), w.IntN(2) == 0, w.IntN(4) == 0}
}

// happen changes accounts: they close, open again, get other names and cards.
func (w *world) happen(round int, banks []manner, seed int) {
	for _, t := range slices.Clone(w.things) {
		switch w.IntN(30) {
		case 0:
			t.to = round // closed
		case 1:
			if t.to < round {
				t.to = 1000 // opened again
			}
		case 2:
			t.names = append(t.names[:1:1], "Nytt namn "+w.digits(1))
		case 3:
			t.names = []string{bankNames[w.IntN(6)]}
		case 4:
			if t.to <= round { // another one of the same name
				for i, m := range banks {
					if m.company == t.at {
						w.open(i+seed, t.at, round).names = slices.Clone(t.names)
					}
				}
			}
		}
	}
}

func (t *thing) isOpen(round int) bool { return t.from <= round && round < t.to }

// collect is a collection at a bank. session is a part of the ids of a bank whose ids change.
func (w *world) collect(ta *tally, m manner, round int, lineage, session string, newID func() string) {
	r := account.Reading{Collection: newID(), At: w.now.Add(time.Duration(w.IntN(1000)) * time.Second), Company: m.company, Lineage: consent.ID(lineage),
		Listed: w.IntN(10) > 0}
	var ids []int
	place := 0
	for _, t := range w.things {
		if t.at != m.company || !t.isOpen(round) || !r.Listed && w.IntN(3) == 0 {
			continue
		}
		r.Seen = append(r.Seen, w.show(m, t, place, session))
		ids = append(ids, t.id)
		place++
	}
	ta.apply(r, ids, m.String(), newID)
}

// aggregate is a collection at a source that shows accounts of the banks in its own way.
func (w *world) aggregate(ta *tally, banks []manner, round int, newID func() string) {
	m := manner{"se-aggregator", []int{bothNumbers, onlyIBAN, onlyBBAN}[w.IntN(3)], true, false}
	r := account.Reading{Collection: newID(), At: w.now.Add(time.Hour), Company: m.company, Listed: true}
	var ids []int
	for i, t := range w.things {
		if !t.isOpen(round) {
			continue
		}
		other := *t
		other.resource = "agg" + t.resource
		if w.IntN(2) == 0 {
			other.names = []string{"Konto " + t.names[0]}
		}
		r.Seen = append(r.Seen, w.show(m, &other, i, ""))
		ids = append(ids, t.id)
	}
	ta.apply(r, ids, "aggregator", newID)
}

// companies are the sources of the kinds of products.
var companies = map[account.Kind]string{account.Pension: "se-pension", account.Investment: "se-broker", account.Loan: "se-lender", account.Deposit: "se-savings"}

// read reads a product without what it holds and what happened to it: an account has neither,
// and reading them takes most of the time of the test.
func (w *world) read(raw json.RawMessage) product.Product {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		w.Fatal(err)
	}
	for _, large := range []string{"holdings", "transactions", "transactionsLast12Months"} {
		delete(members, large)
	}
	short, err := json.Marshal(members)
	if err != nil {
		w.Fatal(err)
	}
	p, err := product.Read(short)
	if err != nil {
		w.Fatal(err)
	}
	return p
}

// household is a collection at the sources of a generated household. A few products have
// the number of the person, and some numbers are spelled otherwise.
func (w *world) household(ta *tally, known map[string]int, newID func() string) {
	h, err := household.Make(w.number, persona.DayOf(w.now.Date()), household.Everything)
	if err != nil {
		w.Fatal(err)
	}
	readings := map[string]*account.Reading{}
	ids := map[string][]int{}
	for _, made := range h.Products {
		p := w.read(made.JSON(household.Head{ID: newID(), Company: "x", CompanyDisplayName: "X"}))
		key := made.Type + "/" + product.IdentityOf(p).Number + "/" + product.IdentityOf(p).IBAN
		if known[key] == 0 {
			w.next++
			known[key] = w.next
		}
		if i, is := p.(*product.Pension); is && strings.HasSuffix(w.number, "7") {
			i.ProductNumber = w.number // as some insurers do
		}
		if i, is := p.(*product.Investment); is && w.IntN(3) == 0 && len(i.ProductNumber) > 4 {
			i.ProductNumber = i.ProductNumber[:4] + "-" + i.ProductNumber[4:]
		}
		s, ok := account.See(p, collection.Identifiers{})
		if !ok {
			continue
		}
		company := companies[account.KindOf(s.Shown.Type)]
		if readings[company] == nil {
			readings[company] = &account.Reading{Collection: newID(), At: w.now.Add(2 * time.Hour), Company: company, Listed: true}
		}
		readings[company].Seen = append(readings[company].Seen, s)
		ids[company] = append(ids[company], known[key])
	}
	for company, r := range readings {
		ta.apply(*r, ids[company], "products", newID)
	}
}
