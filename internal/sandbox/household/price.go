package household

import (
	"strconv"
	"sync"
)

// closes returns the price of each instrument at the end of each year from 1999 on. They
// are computed once: they are the same for everybody.
var closes = sync.OnceValue(func() *[lastNumber][lastYear - firstYear + 2]scaled {
	var c [lastNumber][lastYear - firstYear + 2]scaled
	for i := range instruments {
		in := &instruments[i]
		price := in.basePrice * one
		c[i][0] = scaled(price)
		for year := firstYear; year <= lastYear; year++ {
			price = mulDiv(price, million+in.yearlyReturn(year), million)
			c[i][year-firstYear+1] = scaled(price)
		}
	}
	return &c
})

// yearlyReturn is what an instrument gains in a year, in parts per million.
func (in *instrument) yearlyReturn(year int) int64 {
	market := in.equity*equityReturn.in(year, 7) + (100-in.equity)*bondReturn.in(year, 2)
	tilt := int64(0)
	if in.spread > 0 {
		key := commonKey("px/" + in.isin + "/" + strconv.Itoa(year))
		tilt = int64(key%uint64(20_000*in.spread+1)) - 10_000*in.spread
	}
	return market*100 + tilt - in.fee
}

// price returns the price of an instrument on a day up to 2100, in 1/10,000 SEK. It moves
// in a straight line from one year's close to the next. Before 2000 it is the first close.
func price(n number, d Day) scaled {
	years := &closes()[n-1]
	if d < firstDay {
		return years[0]
	}
	t := d.Time()
	year := t.Year()
	before, after := int64(years[year-firstYear]), int64(years[year-firstYear+1])
	days := int64(365)
	if isLeap(year) {
		days++
	}
	return scaled(before + floorDiv((after-before)*int64(t.YearDay()), days))
}

func isLeap(year int) bool { return year%4 == 0 && (year%100 != 0 || year%400 == 0) }
