// Package deviation counts how the answers of institutions deviate from what they
// should be: what was lost, and what could be used although it was irregular. A
// collection that lost something is COMPLETED_PARTIAL; the operator sees the counts
// by company and kind.
package deviation

import (
	"maps"
	"slices"
)

// Kind is a kind of deviation. The set is closed, and no value says anything about a
// person.
type Kind string

// Kinds with which data is missing or cannot be told apart.
const (
	Unanswered         Kind = "UNANSWERED"          // a question has no usable answer
	Bounded            Kind = "BOUNDED"             // a question was not asked because a bound was reached
	ShortHistory       Kind = "SHORT_HISTORY"       // the institution gives a shorter period than all have to
	UnusableLink       Kind = "UNUSABLE_LINK"       // a link to more data that leads nowhere
	UnreadableRow      Kind = "UNREADABLE_ROW"      // a transaction that cannot be decoded
	UnreadableDate     Kind = "UNREADABLE_DATE"     // a date of a transaction that cannot be read, or in two ways
	UnclearSign        Kind = "UNCLEAR_SIGN"        // a transaction of which the direction is not known, or told in two ways
	UnreadableAccount  Kind = "UNREADABLE_ACCOUNT"  // an entry of an account list that cannot be decoded
	UnreadableBalance  Kind = "UNREADABLE_BALANCE"  // a balance that cannot be decoded
	IndistinctRows     Kind = "INDISTINCT_ROWS"     // transactions that may be one or several
	IndistinctAccounts Kind = "INDISTINCT_ACCOUNTS" // accounts that may be one or several
	UnreadableProduct  Kind = "UNREADABLE_PRODUCT"  // a product of a source that is not what it must be, or not identified
	UnknownProduct     Kind = "UNKNOWN_PRODUCT"     // a product of a source of a type that is not documented
	UnreadableMember   Kind = "UNREADABLE_MEMBER"   // a member, or an item of a list, of a product or an account of a source that breaks a rule
	TooMany            Kind = "TOO_MANY"            // a list of such a product that is longer than its limit
	MissingAtSource    Kind = "MISSING_AT_SOURCE"   // what a source says that it could not read
)

// Kinds with which nothing is missing.
const (
	LinkReplaced    Kind = "LINK_REPLACED"    // a link was replaced by the standard path
	RequestReduced  Kind = "REQUEST_REDUCED"  // a refused request was replaced by a smaller one
	OtherProduct    Kind = "OTHER_PRODUCT"    // an account that fits no product, such as a loan, was left out
	RepeatedProduct Kind = "REPEATED_PRODUCT" // a product that a source gave before, member for member, was left out
	UnknownMember   Kind = "UNKNOWN_MEMBER"   // a member that products of a source do not have was left out
	UnknownValue    Kind = "UNKNOWN_VALUE"    // a value that is not documented was left out
)

// incomplete lists the kinds with which data is missing.
var incomplete = []Kind{Unanswered, Bounded, ShortHistory, UnusableLink, UnreadableRow, UnreadableDate, UnclearSign, UnreadableAccount,
	UnreadableBalance, IndistinctRows, IndistinctAccounts, UnreadableProduct, UnknownProduct, UnreadableMember, TooMany, MissingAtSource}

// Incomplete reports whether data is missing with this kind.
func (k Kind) Incomplete() bool { return slices.Contains(incomplete, k) }

// Counts is the number of deviations of each kind. The nil map is empty and may be
// added to by Add only through a pointer.
type Counts map[Kind]int

// Add adds n deviations of a kind. It does nothing if n is 0.
func (c *Counts) Add(k Kind, n int) {
	if n == 0 {
		return
	}
	if *c == nil {
		*c = Counts{}
	}
	(*c)[k] += n
}

// Merge adds all of more.
func (c *Counts) Merge(more Counts) {
	for k, n := range more {
		c.Add(k, n)
	}
}

// Incomplete reports whether one of the kinds is Incomplete.
func (c Counts) Incomplete() bool {
	for k, n := range c {
		if n > 0 && k.Incomplete() {
			return true
		}
	}
	return false
}

// Kinds returns the kinds that were counted, sorted.
func (c Counts) Kinds() []Kind { return slices.Sorted(maps.Keys(c)) }
