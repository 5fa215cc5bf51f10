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

// DayAt returns the day of a moment, in UTC.
func DayAt(t time.Time) Day { return Day(t.Unix() / 86400) }

// Time returns midnight UTC of the day.
func (d Day) Time() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// String is YYYY-MM-DD.
func (d Day) String() string { return d.Time().Format(time.DateOnly) }

// Row is one transaction. ID and Ref are empty where the bank does not give
// them.
type Row struct {
	Key      string // the bank's own key, never empty, never shown where ID is empty
	ID       string // transactionId
	Ref      string // entryReference
	Day      Day
	Minor    int64 // amount in minor units, negative for money that leaves
	Currency string
	After    int64 // booked balance of this currency after the row
	Party    string
	Text     []string // one line, or several where the bank sends an array
	Code     string
	MCC      string
	Exchange *Exchange
}

// Exchange is the currency of a purchase abroad.
type Exchange struct {
	Currency string
	Minor    int64  // amount in that currency, same sign as the row
	Rate     string // units of the account's currency for one of Currency
}

// Ledger is an account up to the end of one day.
type Ledger struct {
	Booked  []Row // oldest first
	Pending []Row
	Pockets []Pocket // one, or several for a multi-currency account
}

// Pocket is the balances of one currency. Opening + the booked rows = Booked;
// Booked + the pending rows = Expected.
type Pocket struct {
	Currency  string
	Opening   int64
	Yesterday int64 // booked at the end of the day before
	Booked    int64
	Expected  int64
}

func makeLedger(a Account, today Day) *Ledger {
	l := &Ledger{}
	for _, p := range a.pockets {
		l.add(a, p, today)
	}
	if len(a.pockets) > 1 {
		slices.SortStableFunc(l.Booked, func(x, y Row) int { return int(x.Day - y.Day) })
	}
	return l
}

func (l *Ledger) add(a Account, p pocket, today Day) {
	sum := Pocket{Currency: p.currency, Opening: p.opening, Yesterday: p.opening, Booked: p.opening}
	if p.recipe != nil {
		first := p.recipe.since
		if first == 0 {
			t := today.Time()
			first = DayOf(t.Year(), t.Month()-2, 1)
		}
		for d := first; d <= today; d++ {
			if d == today {
				sum.Yesterday = sum.Booked
			}
			dayOfMonth := d.Time().Day()
			for i := range p.recipe.rules {
				for _, row := range p.recipe.rules[i].rows(a, p.currency, d, dayOfMonth, i) {
					sum.Booked += row.Minor
					row.After = sum.Booked
					l.Booked = append(l.Booked, row)
				}
			}
		}
	}
	sum.Expected = sum.Booked
	if p.recipe != nil {
		for i := range p.recipe.pending {
			r := p.recipe.pending[i]
			row := r.row(a, p.currency, today, newDraw(a.ID, p.currency, today, 1000+i))
			sum.Expected += row.Minor
			l.Pending = append(l.Pending, row)
		}
	}
	l.Pockets = append(l.Pockets, sum)
}

// rows makes the rows that a rule gives on one day.
func (r *rule) rows(a Account, currency string, d Day, dayOfMonth, index int) []Row {
	if r.chance == 0 && r.day != dayOfMonth {
		return nil
	}
	if r.chance > 0 && r.chance < 1000 {
		if chance := newDraw(a.ID, currency, d, index+500); chance.below(1000) >= int64(r.chance) {
			return nil
		}
	}
	rows := make([]Row, 0, max(r.times, 1))
	for n := range max(r.times, 1) {
		rows = append(rows, r.row(a, currency, d, newDraw(a.ID, currency, d, index+10_000*n)))
	}
	return rows
}

func (r *rule) row(a Account, currency string, d Day, next *draw) Row {
	key := next.hex()
	row := Row{Key: key, Day: d, Currency: currency, Party: r.party, Code: r.code, MCC: r.mcc, Text: []string{r.text}}
	row.Minor = r.min + next.below(r.max-r.min+1)
	switch r.shape {
	case full:
		row.ID, row.Ref = key, d.String()+"-"+key[:8]
	case array:
		row.ID, row.Ref = key, d.String()+"-"+key[:8]
		row.Text = append(row.Text, "OCR "+strconv.FormatInt(1_000_000+next.below(9_000_000), 10))
	case refOnly:
		row.Ref = d.String() + "-" + key[:8]
	case anonymous:
	}
	if r.abroad != "" && r.abroad != currency {
		rate := 1100 + next.below(60) // hundredths
		row.Exchange = &Exchange{Currency: r.abroad, Minor: row.Minor * 100 / rate,
			Rate: strconv.FormatInt(rate/100, 10) + "." + strconv.FormatInt(100+rate%100, 10)[1:]}
	}
	return row
}

// draw is a small generator: what it gives follows from its seed alone.
type draw struct{ state uint64 }

func newDraw(account, currency string, d Day, salt int) *draw {
	h := fnv.New64a()
	_, _ = h.Write([]byte(account))
	_, _ = h.Write([]byte(currency))
	x := uint64(d)<<32 ^ uint64(salt)
	for range 8 {
		_, _ = h.Write([]byte{byte(x)})
		x >>= 8
	}
	return &draw{h.Sum64()}
}

// next is splitmix64.
func (g *draw) next() uint64 {
	g.state += 0x9e3779b97f4a7c15
	z := g.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below returns a number from 0 to n-1.
func (g *draw) below(n int64) int64 { return int64(g.next() % uint64(n)) }

func (g *draw) hex() string {
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

// Amount writes minor units with two decimals, such as "-256.67".
func Amount(minor int64) string {
	sign := ""
	u := uint64(minor)
	if minor < 0 {
		sign, u = "-", uint64(-minor)
	}
	return sign + strconv.FormatUint(u/100, 10) + "." + strconv.FormatUint(100+u%100, 10)[1:]
}
