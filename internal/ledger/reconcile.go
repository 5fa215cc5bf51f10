package ledger

// The most days between two forms of one payment.
const (
	settleDays    = 7  // from pending to booked, without a common id (docs/reference/banks.md 6.4)
	moveDays      = 7  // between two dates of a payment whose date was changed
	referenceDays = 31 // with a common id
	seamDays      = 3  // between two sources
)

// Reach is how many days outside of a list's window a row can be that the list changes.
const Reach = referenceDays

// Reconcile compares the rows of a feed with a list.
//
// Each item finds at most one row, each row at most one item, so that several equal
// payments stay several. An item that finds no row is added. A row that finds no item
// is removed if the list shows that it is gone, and else stays. Passes has the rules.
//
// The result does not depend on the order of rows and items, but for which of several
// equal ones are paired. Applying the same list again changes nothing.
func Reconcile(rows []Row, list List) Plan {
	list.tell()
	m := newMatcher(rows, &list)
	for _, p := range passes(&list) {
		m.pass(p)
	}
	return m.plan()
}

// passes returns the rules by which an item is the newer form of a row, from the surest
// to the weakest. The weak ones are for rows only that the list would otherwise remove:
// a list that was read in part does not have the items of other payments.
func passes(list *List) []pass {
	live := func(r *Row) bool { return !r.Removed }
	dead := func(r *Row) bool { return r.Removed }
	gone := func(r *Row) bool { return !r.Removed && list.removable(&r.Item) }
	was := func(r *Row) bool { return !r.Removed && list.Was[r.Form] }
	seam := func(r *Row) bool { return !r.Removed && list.atSeam(&r.Item) }
	return []pass{
		{rows: live, key: byForm},
		{rows: live, key: byContent, change: sameStatus},
		{rows: live, key: byContent, change: settled},
		{rows: live, key: byContent},
		{rows: live, key: byBankAmount, alone: true, back: referenceDays, ahead: referenceDays},
		{rows: live, key: byBankName, change: settled, alone: true, back: 1, ahead: referenceDays},
		{rows: live, key: byBankText, change: settled, alone: true, back: 1, ahead: referenceDays},
		{rows: live, key: byAmountName, change: settled, back: 1, ahead: settleDays},
		{rows: live, key: byAmountText, change: settled, back: 1, ahead: settleDays},
		// The date was changed, the texts were, or the pending form had no texts.
		{rows: gone, key: byAmountTexts, change: sameStatus, back: moveDays, ahead: moveDays},
		{rows: gone, key: byAmountDay, change: sameStatus},
		// The same list, read with another mapping.
		{rows: was, key: byTextsDay, alone: true},
		{rows: was, key: byAmountDay, alone: true},
		{rows: gone, key: byAmount, change: settled, back: 1, ahead: settleDays},
		{rows: seam, key: byAmount, back: seamDays, ahead: seamDays},
		// What was removed and comes back.
		{rows: dead, key: byContent, change: sameStatus},
		{rows: dead, key: byContent, change: settled},
	}
}

// pass is one rule.
type pass struct {
	rows func(*Row) bool
	// key is what a row and an item have in common; not ok: the rule says nothing
	// about it.
	key    func(*Item) (key, bool)
	change change
	// back and ahead are how many days the item may be before and after the row, where
	// both days are known and the key does not have the day.
	back, ahead int32
	alone       bool // only where one row and one item have the key
}

// change is what may happen to the status.
type change int8

const (
	anyStatus change = iota
	sameStatus
	settled // from pending to booked
)

// key is a map key: the members that a rule compares.
type key struct {
	form    [16]byte
	a, b, c uint64
	day     int32
	pending bool
}

func byForm(i *Item) (key, bool)    { return key{form: i.Form}, true }
func byContent(i *Item) (key, bool) { return key{a: i.Amount, b: i.Text, c: i.Name, day: i.Day}, true }

func byBankAmount(i *Item) (key, bool) { return key{a: i.Bank, b: i.Amount}, i.Bank != 0 }
func byBankName(i *Item) (key, bool)   { return key{a: i.Bank, b: i.Name}, i.Bank != 0 && i.Name != 0 }
func byBankText(i *Item) (key, bool)   { return key{a: i.Bank, b: i.Text}, i.Bank != 0 && i.Text != 0 }

func byAmount(i *Item) (key, bool)     { return key{a: i.Amount}, true }
func byAmountDay(i *Item) (key, bool)  { return key{a: i.Amount, day: i.Day}, i.Day != 0 }
func byAmountName(i *Item) (key, bool) { return key{a: i.Amount, b: i.Name}, i.Name != 0 }
func byAmountText(i *Item) (key, bool) { return key{a: i.Amount, b: i.Text}, i.Text != 0 }

func byAmountTexts(i *Item) (key, bool) {
	return key{a: i.Amount, b: i.Text, c: i.Name}, i.Text != 0 || i.Name != 0
}

func byTextsDay(i *Item) (key, bool) {
	return key{b: i.Text, c: i.Name, day: i.Day}, i.Day != 0 && (i.Text != 0 || i.Name != 0)
}
