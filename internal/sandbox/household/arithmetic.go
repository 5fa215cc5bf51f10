package household

import "math/bits"

// ore is money in öre, hundredths of a SEK.
type ore int64

const sek ore = 100

// scaled is a number in 1/10,000: units of an instrument, or a price in SEK.
type scaled int64

// one is 1 as scaled.
const one = 10_000

// million is the scale of rates in parts per million.
const million = 1_000_000

// mulDiv returns a × b / c, rounded down. The product may exceed 64 bits. a and b are not
// negative, c is positive, and the result fits.
func mulDiv(a, b, c int64) int64 {
	high, low := bits.Mul64(uint64(a), uint64(b))
	quotient, _ := bits.Div64(high, low, uint64(c))
	return int64(quotient)
}

// mulDivHalfUp is mulDiv, rounded to the nearest and up from a half: hu of
// docs/reference/households.md 4.1.
func mulDivHalfUp(a, b, c int64) int64 {
	high, low := bits.Mul64(uint64(a), uint64(b))
	low, carry := bits.Add64(low, uint64(c/2), 0) // for an odd c too
	quotient, _ := bits.Div64(high+carry, low, uint64(c))
	return int64(quotient)
}

// floorDiv returns a / b, rounded down also if a is negative. b is positive.
func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// floorTo returns a, rounded down to a multiple of step. a is not negative.
func floorTo[T ~int64](a, step T) T { return a - a%step }

// valueOf returns what units are worth at a price, to the öre.
func valueOf(units, price scaled) ore { return ore(mulDivHalfUp(int64(units), int64(price), million)) }

// unitsFor returns the units that an amount buys at a price.
func unitsFor(amount ore, price scaled) scaled {
	return scaled(mulDiv(int64(amount), million, int64(price)))
}

// share returns rate parts of a whole that has parts parts, rounded half up.
func (o ore) share(rate, parts int64) ore { return ore(mulDivHalfUp(int64(o), rate, parts)) }
