package persona

// recipe is what tends to happen on an account, as data.
type recipe struct {
	since   Day // the account's first day; 0: the first day of the month before last
	rules   []rule
	pending []rule
}

// rule makes rows of one kind. Amounts are minor units, drawn evenly from
// min..max; equal ones are fixed.
type rule struct {
	day    int // day of the month, 0: any day
	chance int // per mille of the days; 0 for a fixed day
	times  int // rows at a time, 0: one
	min    int64
	max    int64
	party  string
	text   string
	code   string // bank transaction code
	shape  shape
	mcc    string // merchant category code, cards
	abroad string // source currency of a purchase abroad
}

// shape says which optional members a row has.
type shape int

const (
	full      shape = iota // transactionId and entryReference
	refOnly                // entryReference only
	anonymous              // neither
	array                  // full, and the text as an array of lines
)

// opened is when the accounts with a long history begin.
var opened = DayOf(2023, 1, 1)

const (
	card, salary, transfer, autogiro, interest = "PMNT-CCRD-POSD", "PMNT-RCDT-SALA", "PMNT-ICDT-DMCT", "PMNT-RDDT-BBDD", "ACMT-MCOP-INTR"
)

var everyday = &recipe{since: opened,
	rules: []rule{
		{day: 25, min: 3_245_000, max: 3_245_000, party: "Arbetsgivaren AB", text: "Lön", code: salary},
		{day: 27, min: -945_000, max: -945_000, party: "Stadsbostäder AB", text: "Hyra", code: autogiro, shape: array},
		{day: 28, min: -300_000, max: -300_000, party: "Eget sparkonto", text: "Överföring sparande", code: transfer},
		{day: 28, min: -450_000, max: -450_000, party: "Kreditkort", text: "Kortfaktura", code: autogiro},
		{day: 1, min: -102_000, max: -102_000, party: "SL", text: "SL Access 30 dagar", code: card},
		{day: 15, min: -89_000, max: -41_000, party: "Vattenfall", text: "Autogiro el", code: autogiro, shape: refOnly},
		{day: 12, min: -12_900, max: -12_900, party: "Netflix", text: "NETFLIX.COM", code: card},
		{day: 20, min: -39_900, max: -39_900, party: "Telia", text: "Mobil och bredband", code: autogiro, shape: array},
		{chance: 330, min: -118_000, max: -6_490, party: "ICA", text: "Kortköp ICA Nära", code: card},
		{chance: 90, min: -45_000, max: -5_000, party: "Swish", text: "Swish skickad", code: transfer, shape: refOnly},
		{chance: 60, min: 5_000, max: 60_000, party: "Swish", text: "Swish mottagen", code: transfer},
		{chance: 50, min: -149_900, max: -19_900, party: "Klarna", text: "Klarna Bank AB", code: card, shape: anonymous},
		{chance: 25, min: -95_000, max: -12_000, party: "Hotel Seeblick", text: "Kortköp utland", code: card, abroad: "EUR"},
	},
	pending: []rule{
		{min: -25_667, max: -25_667, party: "ICA", text: "Reserverat belopp", code: card},
		{min: -4_900, max: -3_900, party: "Pressbyrån", text: "Reserverat belopp", code: card, shape: anonymous},
	}}

var saving = &recipe{since: opened, rules: []rule{
	{day: 28, min: 300_000, max: 300_000, party: "Eget konto", text: "Månadssparande", code: transfer},
	{day: 2, min: 9_500, max: 21_000, party: "", text: "Ränta", code: interest, shape: refOnly},
}}

var joint = &recipe{since: opened,
	rules: []rule{
		{day: 26, min: 900_000, max: 900_000, party: "Ester Bergström", text: "Hushållskassa", code: transfer},
		{day: 26, min: 900_000, max: 900_000, party: "Sten Bergström", text: "Hushållskassa", code: transfer},
		{day: 27, min: -742_500, max: -742_500, party: "Brf Utsikten", text: "Månadsavgift", code: autogiro, shape: array},
		{day: 5, min: -52_000, max: -31_000, party: "Göteborg Energi", text: "Autogiro", code: autogiro},
		{chance: 300, min: -160_000, max: -12_000, party: "Coop", text: "Kortköp Coop", code: card},
		{chance: 60, min: -90_000, max: -15_000, party: "Apoteket", text: "Kortköp", code: card, shape: refOnly},
	},
	pending: []rule{{min: -31_250, max: -31_250, party: "Coop", text: "Reserverat belopp", code: card}}}

var abroad = &recipe{since: opened, rules: []rule{
	{day: 3, min: 40_000, max: 40_000, party: "Alva Nyberg", text: "Valutaväxling", code: transfer, shape: array},
	{chance: 80, min: -9_000, max: -1_050, party: "Boulangerie", text: "Card purchase", code: card},
	{day: 17, min: -21_550, max: -11_050, party: "Airbnb", text: "Booking", code: card, shape: refOnly},
}}

// light adds up to nothing over a month, so that its opening balance is right
// for every first of a month.
var light = &recipe{
	rules: []rule{
		{day: 25, min: 150_000, max: 150_000, party: "Arbetsgivaren AB", text: "Lön", code: salary},
		{day: 1, min: -60_000, max: -60_000, party: "Hyresvärden", text: "Hyra", code: autogiro},
		{day: 8, min: -45_000, max: -45_000, party: "ICA", text: "Kortköp ICA", code: card},
		{day: 15, min: -45_000, max: -45_000, party: "Willys", text: "Kortköp Willys", code: card, shape: refOnly},
	},
	pending: []rule{{min: -12_550, max: -12_550, party: "SL", text: "Reserverat belopp", code: card}}}

var creditCard = &recipe{since: opened,
	rules: []rule{
		{day: 28, min: 415_000, max: 415_000, party: "", text: "Inbetalning", code: transfer}, // a little less than is spent: the card stays in debt
		{chance: 220, min: -62_000, max: -4_500, party: "Åhléns", text: "Köp", code: card, mcc: "5311"},
		{chance: 110, min: -58_000, max: -9_900, party: "SJ", text: "Resa", code: card, mcc: "4112"},
		{chance: 35, min: -120_000, max: -22_000, party: "Amazon", text: "Köp utland", code: card, mcc: "5942", abroad: "EUR"},
		{chance: 60, min: -21_000, max: -3_900, party: "Espresso House", text: "Köp", code: card, mcc: "5814", shape: anonymous},
	},
	pending: []rule{{min: -19_900, max: -19_900, party: "Filmstaden", text: "Reserverat", code: card, mcc: "7832"}}}

var busy = &recipe{since: opened, rules: []rule{
	{chance: 1000, times: 6, min: -95_000, max: -1_200, party: "Leverantör", text: "Betalning", code: transfer},
	{chance: 1000, times: 3, min: 8_000, max: 180_000, party: "Kund", text: "Inbetalning", code: transfer, shape: refOnly},
}}

var twins = &recipe{since: opened, rules: []rule{
	{chance: 1000, times: 2, min: -3_900, max: -3_900, party: "Espresso House", text: "Kaffe", code: card, shape: anonymous},
	{day: 25, min: 220_000, max: 220_000, party: "Per Holm", text: "Fika", code: transfer, shape: anonymous},
}}
