package bench

import (
	"strconv"
	"time"
)

// personalNumber returns the personal number of the n-th person of a benchmark. It has a
// birth date in the 1890s and a serial of Skatteverket's test numbers, so that no living
// person has it. In the sandbox any valid number is a customer with one small account; those
// born in January 1890 act by themselves (docs/sandbox.md), so they are left out.
func personalNumber(n int) string {
	const testSerials = 20 // 980 to 999
	born := time.Date(1890, 2, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, n/testSerials)
	number := born.Format("20060102") + strconv.Itoa(980+n%testSerials)
	sum := 0
	for i, digit := range number[2:] {
		d := int(digit-'0') * (2 - i%2)
		sum += d/10 + d%10
	}
	return number + strconv.Itoa((10-sum%10)%10)
}
