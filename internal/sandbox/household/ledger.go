package household

// transactionKind is the type of a transaction (docs/reference/products.md 5).
type transactionKind string

const (
	buy        transactionKind = "BUY"
	sell       transactionKind = "SELL"
	deposit    transactionKind = "DEPOSIT"
	withdrawal transactionKind = "WITHDRAWAL"
	fee        transactionKind = "FEE"
	interest   transactionKind = "INTEREST"
	dividend   transactionKind = "DIVIDEND"
	redemption transactionKind = "REDEMPTION"
	other      transactionKind = "OTHER"
)

// isOut reports whether the transaction takes money from the cash.
func (k transactionKind) isOut() bool {
	return k == buy || k == fee || k == withdrawal || k == other
}

// transaction is an entry of a ledger.
type transaction struct {
	kind       transactionKind
	settled    Day
	traded     Day // of BUY and SELL
	amount     ore // always above 0
	commission ore
	number     number // 0 without an instrument
	units      scaled // of BUY and SELL
	price      scaled // of one unit; of DIVIDEND and REDEMPTION what is paid for a unit
	text       string
}

// position is what an account has of one instrument.
type position struct {
	units    scaled
	acquired ore // acquisition value, by the average method
}

// ledger is the state of an account after the transactions that have settled, in order.
type ledger struct {
	until        Day // later transactions do not count
	since        Day // transactions settled after it are kept
	over         bool
	cash         ore
	deposits     ore // sum
	withdrawals  ore // sum
	lastYearFees ore // of the calendar year before the last day
	positions    [lastNumber]position
	kept         []transaction // oldest first
}

// post adds a transaction. Transactions come in order of their settlement: the first one
// that is settled after the end closes the ledger. A transaction of nothing is left out.
func (l *ledger) post(t transaction) {
	if t.settled > l.until {
		l.over = true
	}
	if l.over || t.amount <= 0 {
		return
	}
	switch t.kind {
	case buy:
		p := &l.positions[t.number-1]
		p.units += t.units
		p.acquired += t.amount
	case sell:
		p := &l.positions[t.number-1]
		p.acquired -= ore(mulDivHalfUp(int64(p.acquired), int64(t.units), int64(p.units)))
		p.units -= t.units
	case deposit:
		l.deposits += t.amount
	case withdrawal:
		l.withdrawals += t.amount
	case fee:
		if yearOf(t.settled) == yearOf(l.until)-1 {
			l.lastYearFees += t.amount
		}
	}
	if t.kind.isOut() {
		l.cash -= t.amount
	} else {
		l.cash += t.amount
	}
	if t.settled > l.since {
		l.kept = append(l.kept, t)
	}
}

// units returns how much of an instrument is held.
func (l *ledger) units(n number) scaled { return l.positions[n-1].units }

// buy posts the purchase of an instrument for a budget, at the price of the day. Funds
// are bought in parts and without a commission, shares and ETFs in whole units.
func (l *ledger) buy(n number, budget ore, traded Day) {
	p := price(n, traded)
	var units scaled
	var commission ore
	if n.isWhole() {
		before := budget*10_000/10_015 - 1*sek
		if before <= 0 {
			return
		}
		units = floorTo(unitsFor(before, p), one)
		if units == 0 {
			return
		}
		commission = commissionOn(valueOf(units, p))
	} else {
		units = unitsFor(budget, p)
	}
	l.post(transaction{
		kind: buy, settled: weekdaysAfter(traded, 2), traded: traded, number: n, units: units,
		price: p, amount: valueOf(units, p) + commission, commission: commission,
	})
}

// sellFund posts the sale of units of a fund at the price of the day, and returns the
// proceeds. It sells no more than there is.
func (l *ledger) sellFund(n number, units scaled, traded, settled Day) ore {
	units = min(units, l.units(n))
	p := price(n, traded)
	amount := valueOf(units, p)
	l.post(transaction{kind: sell, settled: settled, traded: traded, number: n, units: units, price: p, amount: amount})
	return amount
}

// sell posts the sale of whole units of a share or ETF at the price of the day.
func (l *ledger) sell(n number, units scaled, traded Day) {
	p := price(n, traded)
	value := valueOf(units, p)
	commission := commissionOn(value)
	l.post(transaction{
		kind: sell, settled: weekdaysAfter(traded, 2), traded: traded, number: n, units: units,
		price: p, amount: value - commission, commission: commission,
	})
}

// commissionOn returns the commission on shares and ETFs of a value.
func commissionOn(value ore) ore { return max(1*sek, value.share(15, 10_000)) }

// value returns what the account is worth on a day, cash included.
func (l *ledger) value(on Day) ore {
	sum := l.cash
	for i, p := range l.positions {
		if p.units > 0 {
			sum += valueOf(p.units, price(number(i+1), on))
		}
	}
	return sum
}

// largestFund returns the fund of most value on a day, or 0 without funds. Of equal ones
// it is the lowest number.
func (l *ledger) largestFund(on Day) (largest number) {
	var most ore
	for n, value := range l.funds(on) {
		if largest == 0 || value > most {
			largest, most = n, value
		}
	}
	return largest
}

// smallestFund returns the fund of least value on a day other than one, or 0.
func (l *ledger) smallestFund(on Day, except number) (smallest number) {
	var least ore
	for n, value := range l.funds(on) {
		if n != except && (smallest == 0 || value < least) {
			smallest, least = n, value
		}
	}
	return smallest
}

// funds yields the funds held and their values on a day, lowest number first.
func (l *ledger) funds(on Day) func(yield func(number, ore) bool) {
	return func(yield func(number, ore) bool) {
		for n := number(1); n.kind() == fund; n++ {
			if units := l.units(n); units > 0 && !yield(n, valueOf(units, price(n, on))) {
				return
			}
		}
	}
}
