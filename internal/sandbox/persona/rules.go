package persona

// ruleSet defines the transactions of an account.
type ruleSet struct {
	since   Day // the account's first day; 0: the first day of the month before last
	booked  []rule
	pending []rule
}

// rule generates transactions of one kind. Amounts are in minor units and evenly
// distributed from min to max.
type rule struct {
	day            int // day of the month, 0: any day
	perMille       int // per mille of the days; 0 for a fixed day
	count          int // rows at a time, 0: one
	min            int64
	max            int64
	counterparty   string
	text           string
	code           string // bank transaction code
	shape          shape
	mcc            string // merchant category code, cards
	sourceCurrency string // source currency of a purchase abroad
}

// shape determines which optional members a transaction has.
type shape int

const (
	allIDs        shape = iota // transactionId and entryReference
	referenceOnly              // entryReference only
	noIDs                      // neither
	textArray                  // full, and the text as an array of lines
)

// historyStart is the first day of the accounts with a long history.
var historyStart = DayOf(2023, 1, 1)

const (
	card, salary, transfer, autogiro, interest = "PMNT-CCRD-POSD", "PMNT-RCDT-SALA", "PMNT-ICDT-DMCT", "PMNT-RDDT-BBDD", "ACMT-MCOP-INTR"
)

var everyday = &ruleSet{since: historyStart,
	booked: []rule{
		{day: 25, min: 3_245_000, max: 3_245_000, counterparty: "Arbetsgivaren AB", text: "Lön", code: salary},
		{day: 27, min: -945_000, max: -945_000, counterparty: "Stadsbostäder AB", text: "Hyra", code: autogiro, shape: textArray},
		{day: 28, min: -300_000, max: -300_000, counterparty: "Eget sparkonto", text: "Överföring sparande", code: transfer},
		{day: 28, min: -450_000, max: -450_000, counterparty: "Kreditkort", text: "Kortfaktura", code: autogiro},
		{day: 1, min: -102_000, max: -102_000, counterparty: "SL", text: "SL Access 30 dagar", code: card},
		{day: 15, min: -89_000, max: -41_000, counterparty: "Vattenfall", text: "Autogiro el", code: autogiro, shape: referenceOnly},
		{day: 12, min: -12_900, max: -12_900, counterparty: "Netflix", text: "NETFLIX.COM", code: card},
		{day: 20, min: -39_900, max: -39_900, counterparty: "Telia", text: "Mobil och bredband", code: autogiro, shape: textArray},
		{perMille: 330, min: -118_000, max: -6_490, counterparty: "ICA", text: "Kortköp ICA Nära", code: card},
		{perMille: 90, min: -45_000, max: -5_000, counterparty: "Swish", text: "Swish skickad", code: transfer, shape: referenceOnly},
		{perMille: 60, min: 5_000, max: 60_000, counterparty: "Swish", text: "Swish mottagen", code: transfer},
		{perMille: 50, min: -149_900, max: -19_900, counterparty: "Klarna", text: "Klarna Bank AB", code: card, shape: noIDs},
		{perMille: 25, min: -95_000, max: -12_000, counterparty: "Hotel Seeblick", text: "Kortköp utland", code: card, sourceCurrency: "EUR"},
	},
	pending: []rule{
		{min: -25_667, max: -25_667, counterparty: "ICA", text: "Reserverat belopp", code: card},
		{min: -4_900, max: -3_900, counterparty: "Pressbyrån", text: "Reserverat belopp", code: card, shape: noIDs},
	}}

var saving = &ruleSet{since: historyStart, booked: []rule{
	{day: 28, min: 300_000, max: 300_000, counterparty: "Eget konto", text: "Månadssparande", code: transfer},
	{day: 2, min: 9_500, max: 21_000, counterparty: "", text: "Ränta", code: interest, shape: referenceOnly},
}}

var joint = &ruleSet{since: historyStart,
	booked: []rule{
		{day: 26, min: 900_000, max: 900_000, counterparty: "Ester Bergström", text: "Hushållskassa", code: transfer},
		{day: 26, min: 900_000, max: 900_000, counterparty: "Sten Bergström", text: "Hushållskassa", code: transfer},
		{day: 27, min: -742_500, max: -742_500, counterparty: "Brf Utsikten", text: "Månadsavgift", code: autogiro, shape: textArray},
		{day: 5, min: -52_000, max: -31_000, counterparty: "Göteborg Energi", text: "Autogiro", code: autogiro},
		{perMille: 300, min: -160_000, max: -12_000, counterparty: "Coop", text: "Kortköp Coop", code: card},
		{perMille: 60, min: -90_000, max: -15_000, counterparty: "Apoteket", text: "Kortköp", code: card, shape: referenceOnly},
	},
	pending: []rule{{min: -31_250, max: -31_250, counterparty: "Coop", text: "Reserverat belopp", code: card}}}

var foreign = &ruleSet{since: historyStart, booked: []rule{
	{day: 3, min: 40_000, max: 40_000, counterparty: "Alva Nyberg", text: "Valutaväxling", code: transfer, shape: textArray},
	{perMille: 80, min: -9_000, max: -1_050, counterparty: "Boulangerie", text: "Card purchase", code: card},
	{day: 17, min: -21_550, max: -11_050, counterparty: "Airbnb", text: "Booking", code: card, shape: referenceOnly},
}}

// The transactions of small sum to zero over a month, so that its balance on the
// first of a month is always the opening balance.
var small = &ruleSet{
	booked: []rule{
		{day: 25, min: 150_000, max: 150_000, counterparty: "Arbetsgivaren AB", text: "Lön", code: salary},
		{day: 1, min: -60_000, max: -60_000, counterparty: "Hyresvärden", text: "Hyra", code: autogiro},
		{day: 8, min: -45_000, max: -45_000, counterparty: "ICA", text: "Kortköp ICA", code: card},
		{day: 15, min: -45_000, max: -45_000, counterparty: "Willys", text: "Kortköp Willys", code: card, shape: referenceOnly},
	},
	pending: []rule{{min: -12_550, max: -12_550, counterparty: "SL", text: "Reserverat belopp", code: card}}}

var creditCard = &ruleSet{since: historyStart,
	booked: []rule{
		{day: 28, min: 415_000, max: 415_000, counterparty: "", text: "Inbetalning", code: transfer}, // a little less than is spent: the card stays in debt
		{perMille: 220, min: -62_000, max: -4_500, counterparty: "Åhléns", text: "Köp", code: card, mcc: "5311"},
		{perMille: 110, min: -58_000, max: -9_900, counterparty: "SJ", text: "Resa", code: card, mcc: "4112"},
		{perMille: 35, min: -120_000, max: -22_000, counterparty: "Amazon", text: "Köp utland", code: card, mcc: "5942", sourceCurrency: "EUR"},
		{perMille: 60, min: -21_000, max: -3_900, counterparty: "Espresso House", text: "Köp", code: card, mcc: "5814", shape: noIDs},
	},
	pending: []rule{{min: -19_900, max: -19_900, counterparty: "Filmstaden", text: "Reserverat", code: card, mcc: "7832"}}}

var busy = &ruleSet{since: historyStart, booked: []rule{
	{perMille: 1000, count: 6, min: -95_000, max: -1_200, counterparty: "Leverantör", text: "Betalning", code: transfer},
	{perMille: 1000, count: 3, min: 8_000, max: 180_000, counterparty: "Kund", text: "Inbetalning", code: transfer, shape: referenceOnly},
}}

var duplicates = &ruleSet{since: historyStart, booked: []rule{
	{perMille: 1000, count: 2, min: -3_900, max: -3_900, counterparty: "Espresso House", text: "Kaffe", code: card, shape: noIDs},
	{day: 25, min: 220_000, max: 220_000, counterparty: "Per Holm", text: "Fika", code: transfer, shape: noIDs},
}}
