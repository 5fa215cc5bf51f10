package household

// kind is what an instrument is, as a holding of docs/reference/products.md 5 says it.
type kind string

const (
	fund   kind = "FUND"
	etf    kind = "ETF"
	equity kind = "EQUITY"
)

// instrument is a fund or share that exists only here. The ISINs begin with XX, which ISO
// 3166-1 leaves to its users (docs/reference/households.md 2).
type instrument struct {
	name      string
	isin      string
	equity    int64 // share of equity, percent
	spread    int64 // how far a year may differ from the market, percentage points
	fee       int64 // yearly fee, parts per million
	basePrice int64 // price at the end of 1999, SEK
}

// number is the number of an instrument, from 1 (docs/reference/households.md 3.2).
type number int

const lastNumber number = 28

func (n number) instrument() *instrument { return &instruments[n-1] }

func (n number) kind() kind {
	switch {
	case n <= 16:
		return fund
	case n <= 20:
		return etf
	}
	return equity
}

// isWhole reports whether the instrument is traded in whole units, with a commission.
func (n number) isWhole() bool { return n.kind() != fund }

var instruments = [lastNumber]instrument{
	{"Norrglim Global Indexnära", "XX0010079194", 100, 1, 3500, 100},
	{"Norrglim Sverige Indexnära", "XX0010158386", 100, 2, 2500, 120},
	{"Norrglim Tillväxtmarknad", "XX0010237578", 100, 5, 9000, 80},
	{"Norrglim Kort Ränta", "XX0010316760", 0, 0, 1500, 105},
	{"Sippvide Sverige Aktiv", "XX0010395954", 100, 4, 13000, 150},
	{"Sippvide Småbolag Norden", "XX0010475145", 100, 6, 14500, 90},
	{"Sippvide Blandfond 50", "XX0010554337", 50, 2, 11000, 110},
	{"Sippvide Företagsobligation", "XX0010633529", 10, 1, 8000, 100},
	{"Ripvinge Generation 60", "XX0010712711", 40, 1, 5000, 100},
	{"Ripvinge Generation 70", "XX0010791905", 65, 1, 4500, 100},
	{"Ripvinge Generation 80", "XX0010871095", 90, 1, 4000, 100},
	{"Ripvinge Generation 90", "XX0010950287", 100, 1, 4000, 100},
	{"Dunmossa Global Hållbar", "XX0010029470", 100, 3, 6000, 95},
	{"Dunmossa Teknik", "XX0010108662", 100, 7, 15000, 70},
	{"Dunmossa Hälsa", "XX0010187856", 100, 5, 14000, 85},
	{"Dunmossa Statsobligation", "XX0010267047", 0, 1, 3000, 100},
	{"Älvglimt Världen UCITS ETF", "XX0020346237", 100, 1, 1800, 250},
	{"Älvglimt Norden UCITS ETF", "XX0020425429", 100, 2, 2200, 180},
	{"Älvglimt Utdelning UCITS ETF", "XX0020504611", 100, 3, 2900, 200},
	{"Älvglimt Obligation UCITS ETF", "XX0020583805", 0, 1, 1000, 110},
	{"Kuggvinda Industri B", "XX0030662995", 100, 12, 0, 60},
	{"Vadmalia B", "XX0030742185", 100, 12, 0, 85},
	{"Rimfrostia Pharma", "XX0030821377", 100, 15, 0, 45},
	{"Näverteknik Systems", "XX0030900569", 100, 15, 0, 40},
	{"Torrfuru Skog A", "XX0030979753", 80, 8, 0, 110},
	{"Vassrugge Fastigheter B", "XX0030058947", 80, 10, 0, 75},
	{"Bogsprötet Marin", "XX0030138137", 100, 12, 0, 55},
	{"Lokgnistan Kraft", "XX0030217329", 90, 10, 0, 95},
}
