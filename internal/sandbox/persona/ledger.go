package persona

import (
	"encoding/hex"
	"hash/fnv"
	"slices"
	"strconv"
	"time"
)

// Day is a date, counted in days since 1970-01-01 (UTC).
type Day int

// DayOf returns the day of a calendar date.
func DayOf(year int, month time.Month, day int) Day {
	return DayAt(time.Date(year, month, day, 0, 0, 0, 0, time.UTC))
}

// DayAt returns the day of t in UTC.
func DayAt(t time.Time) Day { return Day(t.Unix() / 86400) }

// Time returns midnight UTC of the day.
func (d Day) Time() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// String returns YYYY-MM-DD.
func (d Day) String() string { return d.Time().Format(time.DateOnly) }

// Transaction is one booked or pending transaction. ID and EntryReference are empty
// if the bank does not return them.
type Transaction struct {
	Key            string // internal key, never empty; it is not returned if ID is empty
	ID             string // transactionId
	EntryReference string // entryReference
	Day            Day
	Minor          int64 // amount in minor units, negative for money that leaves the account
	Currency       string
	BalanceAfter   int64 // booked balance of this currency after the transaction, minor units
	Counterparty   string
	Text           []string // one line, or several if the bank returns an array
	Code           string
	MCC            string // merchant category code, cards only
	Exchange       *Exchange
}

// Exchange is the amount of a purchase in a foreign currency.
type Exchange struct {
	Currency string
	Minor    int64  // amount in that currency, minor units, same sign as the transaction
	Rate     string // units of the account's currency for one of Currency
}

// Ledger is the transactions and balances of an account up to the end of one day.
type Ledger struct {
	Booked      []Transaction // oldest first
	Pending     []Transaction
	SubAccounts []SubAccount // one per currency of the account
}

// SubAccount is the balances of one currency in minor units. Opening plus the booked
// transactions is Booked; Booked plus the pending transactions is Expected.
type SubAccount struct {
	Currency  string
	Opening   int64
	Yesterday int64 // booked balance at the end of the previous day
	Booked    int64
	Expected  int64
}

func makeLedger(a Account, today Day) *Ledger {
	l := &Ledger{}
	for _, p := range a.subAccounts {
		l.add(a, p, today)
	}
	if len(a.subAccounts) > 1 {
		slices.SortStableFunc(l.Booked, func(x, y Transaction) int { return int(x.Day - y.Day) })
	}
	return l
}

func (l *Ledger) add(a Account, p subAccount, today Day) {
	sum := SubAccount{Currency: p.currency, Opening: p.opening, Yesterday: p.opening, Booked: p.opening}
	if p.rules != nil {
		first := p.rules.since
		if first == 0 {
			t := today.Time()
			first = DayOf(t.Year(), t.Month()-2, 1)
		}
		for d := first; d <= today; d++ {
			if d == today {
				sum.Yesterday = sum.Booked
			}
			dayOfMonth := d.Time().Day()
			for i := range p.rules.booked {
				for _, row := range p.rules.booked[i].transactionsOn(a, p.currency, d, dayOfMonth, i) {
					sum.Booked += row.Minor
					row.BalanceAfter = sum.Booked
					l.Booked = append(l.Booked, row)
				}
			}
		}
	}
	sum.Expected = sum.Booked
	if p.rules != nil {
		for i := range p.rules.pending {
			r := p.rules.pending[i]
			row := r.transaction(a, p.currency, today, newGenerator(a.ID, p.currency, today, 1000+i))
			sum.Expected += row.Minor
			l.Pending = append(l.Pending, row)
		}
	}
	l.SubAccounts = append(l.SubAccounts, sum)
}

// transactionsOn returns the transactions of the rule on one day.
func (r *rule) transactionsOn(a Account, currency string, d Day, dayOfMonth, index int) []Transaction {
	if r.perMille == 0 && r.day != dayOfMonth {
		return nil
	}
	if r.perMille > 0 && r.perMille < 1000 {
		if chance := newGenerator(a.ID, currency, d, index+500); chance.below(1000) >= int64(r.perMille) {
			return nil
		}
	}
	rows := make([]Transaction, 0, max(r.count, 1))
	for n := range max(r.count, 1) {
		rows = append(rows, r.transaction(a, currency, d, newGenerator(a.ID, currency, d, index+10_000*n)))
	}
	return rows
}

func (r *rule) transaction(a Account, currency string, d Day, next *generator) Transaction {
	key := next.hex()
	row := Transaction{Key: key, Day: d, Currency: currency, Counterparty: r.counterparty, Code: r.code, MCC: r.mcc, Text: []string{r.text}}
	row.Minor = r.min + next.below(r.max-r.min+1)
	switch r.shape {
	case allIDs:
		row.ID, row.EntryReference = key, d.String()+"-"+key[:8]
	case textArray:
		row.ID, row.EntryReference = key, d.String()+"-"+key[:8]
		row.Text = append(row.Text, "OCR "+strconv.FormatInt(1_000_000+next.below(9_000_000), 10))
	case referenceOnly:
		row.EntryReference = d.String() + "-" + key[:8]
	case noIDs:
	}
	if r.sourceCurrency != "" && r.sourceCurrency != currency {
		rate := 1100 + next.below(60) // hundredths
		row.Exchange = &Exchange{Currency: r.sourceCurrency, Minor: row.Minor * 100 / rate,
			Rate: strconv.FormatInt(rate/100, 10) + "." + strconv.FormatInt(100+rate%100, 10)[1:]}
	}
	return row
}

// generator is a small deterministic random generator.
type generator struct{ state uint64 }

func newGenerator(account, currency string, d Day, salt int) *generator {
	h := fnv.New64a()
	_, _ = h.Write([]byte(account))
	_, _ = h.Write([]byte(currency))
	x := uint64(d)<<32 ^ uint64(salt)
	for range 8 {
		_, _ = h.Write([]byte{byte(x)})
		x >>= 8
	}
	return &generator{h.Sum64()}
}

// next returns the next number of the splitmix64 sequence.
func (g *generator) next() uint64 {
	g.state += 0x9e3779b97f4a7c15
	z := g.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below returns a number in [0, n).
func (g *generator) below(n int64) int64 { return int64(g.next() % uint64(n)) }

func (g *generator) hex() string {
	var b [12]byte
	x, y := g.next(), g.next()
	for i := range 8 {
		b[i] = byte(x >> (8 * i))
	}
	for i := range 4 {
		b[8+i] = byte(y >> (8 * i))
	}
	return hex.EncodeToString(b[:])
}

// Amount formats minor units with two decimals, such as "-256.67".
func Amount(minor int64) string {
	sign := ""
	u := uint64(minor)
	if minor < 0 {
		sign, u = "-", uint64(-minor)
	}
	return sign + strconv.FormatUint(u/100, 10) + "." + strconv.FormatUint(100+u%100, 10)[1:]
}
