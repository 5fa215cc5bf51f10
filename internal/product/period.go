package product

import (
	"encoding/json"
	"math"
	"strings"
)

// TimePeriod is a length of time (docs/reference/products.md 6). The zero value means
// unknown.
type TimePeriod struct {
	Length *int32     `json:"periodLength,omitzero" rule:"required,min=0"`
	Unit   PeriodUnit `json:"periodUnit,omitzero" rule:"required"`
}

// UnmarshalJSON reads the object, and also an ISO 8601 duration, which one documented
// example has ("P2Y"). A duration of several units is converted to the smallest one.
// A string that is not such a duration means unknown.
func (p *TimePeriod) UnmarshalJSON(data []byte) error {
	if s, err := unquote(data); err == nil {
		*p = parsePeriod(s)
		return nil
	}
	type plain TimePeriod
	return json.Unmarshal(data, (*plain)(p))
}

// parsePeriod adds years and months, or weeks and days. A mix of both has no fixed
// length, so its result is unknown.
func parsePeriod(s string) TimePeriod {
	rest, ok := strings.CutPrefix(s, "P")
	if !ok || rest == "" {
		return TimePeriod{}
	}
	total, unit := int64(0), PeriodUnit("")
	for order := "YMWD"; rest != ""; {
		n, designator, after, ok := nextPart(rest)
		at := strings.IndexByte(order, designator)
		if !ok || at < 0 {
			return TimePeriod{}
		}
		order, rest = order[at+1:], after
		size, in := int64(1), Month
		switch designator {
		case 'Y':
			if rest == "" {
				in = Year
			} else {
				size = 12
			}
		case 'W':
			size, in = 7, Day
		case 'D':
			in = Day
		}
		if unit != "" && unit != in {
			return TimePeriod{}
		}
		total, unit = total+n*size, in
	}
	if total > math.MaxInt32 {
		return TimePeriod{}
	}
	length := int32(total)
	return TimePeriod{&length, unit}
}

// nextPart splits the first number and unit from s: "2Y6M" into 2, 'Y' and "6M".
func nextPart(s string) (n int64, designator byte, rest string, ok bool) {
	i := 0
	for ; i < len(s) && s[i] >= '0' && s[i] <= '9'; i++ {
		n = min(n*10+int64(s[i]-'0'), math.MaxInt32+1)
	}
	if i == 0 || i == len(s) {
		return 0, 0, "", false
	}
	return n, s[i], s[i+1:], true
}
