package household

// The stylised market (docs/reference/households.md 4.3). A year outside a table has the
// value of the nearest year in it, and 7 and 2 percent for shares and bonds.

// series is one value a year.
type series struct {
	first  int // year of the first value
	values []int64
}

func (s series) at(year int) int64 {
	return s.values[min(max(year-s.first, 0), len(s.values)-1)]
}

// in returns the value of a year, or otherwise that of a year outside the table.
func (s series) in(year int, otherwise int64) int64 {
	if year < s.first || year >= s.first+len(s.values) {
		return otherwise
	}
	return s.at(year)
}

// The rows of docs/reference/households.md 4.3.
var (
	// incomeBase is in hundreds of SEK.
	incomeBase = series{2000, []int64{
		369, 377, 388, 409, 423, 433, 445, 459, 480, 509, 511, 521, 546, 566,
		569, 581, 593, 615, 625, 644, 668, 682, 710, 743, 762, 806, 834,
	}}
	// equityReturn and bondReturn are in percent.
	equityReturn = series{2000, []int64{
		-8, -14, -31, 22, 13, 30, 15, 2, -37, 38, 15, -9, 12, 23,
		19, 6, 11, 10, -3, 31, 9, 32, -14, 19, 21, 8, 6,
	}}
	bondReturn = series{2000, []int64{
		6, 4, 6, 5, 5, 3, 1, 2, 6, 2, 2, 5, 3, 1,
		3, 0, 1, 0, 0, 1, 1, 0, -5, 4, 3, 2, 2,
	}}
	// insuranceTaxBase is the tax base of KF in hundredths of a percent.
	insuranceTaxBase = series{2012, []int64{
		240, 224, 284, 165, 140, 125, 149, 151, 125, 125, 125, 294, 362, 296, 355,
	}}
	// listRate is the list rate of mortgages bound for 3 months, in basis points.
	listRate = series{2008, []int64{
		520, 220, 240, 420, 390, 330, 290, 220, 210, 200, 200, 210, 190, 190, 320, 500, 490, 360, 345,
	}}
)

// priceBase is the price base amount of 2026 in SEK (docs/reference/households.md 1.1).
const priceBase = 59_200

// incomeBaseSEK returns the income base amount of a year in SEK.
func incomeBaseSEK(year int) int64 { return incomeBase.at(year) * 100 }
