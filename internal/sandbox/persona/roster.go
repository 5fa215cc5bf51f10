package persona

// entry is one person of the roster, as data.
type entry struct {
	number, given, surname, shows string
	accounts                      []accountEntry
	status                        int
	uncached                      bool
}

// accountEntry is one account of an entry. key tells it from the person's other
// accounts and must not change: the account's id and number follow from it.
type accountEntry struct {
	key, name, product, kind string
	currency                 string // empty: SEK
	status                   string // empty: enabled
	opening, limit           int64
	card, bbanOnly           bool
	sharedBy                 []string // personal numbers; the first is the main holder
	fault                    int
	recipe                   *recipe
	pockets                  []pocket
}

var (
	household = []string{"190905271474", "195704289999"}

	jointAccount = accountEntry{key: "joint", name: "Gemensamt konto", product: "Hushållskonto", kind: "CACC",
		opening: 1_500_000, sharedBy: household, recipe: joint}

	lightAccounts = []accountEntry{{key: "main", name: "Lönekonto", product: "Lönekonto", kind: "CACC", opening: 250_000, recipe: light}}
)

var roster = []entry{
	{number: Default, given: "Maja", surname: "Lindqvist",
		shows: "The everyday customer and the default: checking, savings and a credit card, transactions since January 2023.",
		accounts: []accountEntry{
			{key: "main", name: "Privatkonto", product: "Lönekonto", kind: "CACC", opening: 1_843_250, limit: 1_000_000, recipe: everyday},
			{key: "save", name: "Sparkonto", product: "Sparkonto Plus", kind: "SVGS", opening: 8_500_000, recipe: saving},
			{key: "card", name: "Mastercard", product: "Kreditkort Guld", kind: "CARD", limit: 5_000_000, card: true, recipe: creditCard},
		}},
	{number: "190905271474", given: "Ester", surname: "Bergström",
		shows: "Joint account with 195704289999 (both owners named), and savings of her own.",
		accounts: []accountEntry{jointAccount,
			{key: "save", name: "Buffert", product: "Sparkonto", kind: "SVGS", opening: 4_000_000, recipe: saving}}},
	{number: "195704289999", given: "Sten", surname: "Bergström",
		shows:    "Sees the joint account of 190905271474, nothing else.",
		accounts: []accountEntry{jointAccount}},
	{number: "200002292399", given: "Alva", surname: "Nyberg",
		shows: "Other currencies: EUR, NOK, and a multi-currency account (XXX) with SEK, EUR and USD.",
		accounts: []accountEntry{
			{key: "eur", name: "Eurokonto", product: "Valutakonto", kind: "CACC", currency: "EUR", opening: 245_010, recipe: abroad},
			{key: "nok", name: "Norgekonto", product: "Valutakonto", kind: "CACC", currency: "NOK", opening: 990_000, recipe: abroad},
			{key: "multi", name: "Resekonto", product: "Multivaluta", kind: "CACC", currency: "XXX", pockets: []pocket{
				{"SEK", 300_000, light}, {"EUR", 50_000, abroad}, {"USD", 12_345, nil}}},
		}},
	{number: "191212121212", given: "Tolvan", surname: "Tolvansson",
		shows: "A customer without any account."},
	{number: "194408139089", given: "Gun", surname: "Öberg",
		shows:    "One account on which nothing ever happened, balance zero.",
		accounts: []accountEntry{{key: "main", name: "Nytt konto", product: "Privatkonto", kind: "CACC"}}},
	{number: "199006022397", given: "Noa", surname: "Sandin",
		shows: "An ordinary account beside a blocked and a deleted one.",
		accounts: []accountEntry{
			{key: "main", name: "Privatkonto", product: "Privatkonto", kind: "CACC", opening: 612_075, recipe: light},
			{key: "blocked", name: "Spärrat konto", product: "Privatkonto", kind: "CACC", status: "blocked", opening: 10_000},
			{key: "deleted", name: "Avslutat konto", product: "Sparkonto", kind: "SVGS", status: "deleted"},
		}},
	{number: "199008672397", given: "Sam", surname: "Rivera",
		shows: "Coordination number; an account without IBAN and without cashAccountType, one told only by its product name.",
		accounts: []accountEntry{
			{key: "bban", name: "Konto", product: "Transaktionskonto", bbanOnly: true, opening: 150_000, recipe: light},
			{key: "untyped", name: "Resan", product: "Sparkonto Ung", opening: 75_000, recipe: saving},
		}},
	{number: "199312252399", given: "Ida", surname: "Falk",
		shows: "Partly broken: transactions of the savings account answer 500, those of the card 503; the rest works.",
		accounts: []accountEntry{
			{key: "main", name: "Privatkonto", product: "Privatkonto", kind: "CACC", opening: 923_000, recipe: everyday},
			{key: "save", name: "Sparkonto", product: "Sparkonto", kind: "SVGS", opening: 1_000_000, recipe: saving, fault: internalError},
			{key: "card", name: "Visa", product: "Kreditkort", kind: "CARD", limit: 2_000_000, card: true, recipe: creditCard, fault: unavailable},
		}},
	{number: "199501302393", given: "Leo", surname: "Hedman", status: internalError,
		shows:    "Everything broken: the consent works, every read of accounts answers 500.",
		accounts: []accountEntry{{key: "main", name: "Privatkonto", product: "Privatkonto", kind: "CACC"}}},
	{number: "198611239883", given: "Tim", surname: "Ek",
		shows:    "One small checking account with about ten transactions: for load tests.",
		accounts: lightAccounts},
	{number: "196603233724", given: "Birgitta", surname: "Sjögren",
		shows:    "A very long history: nine transactions a day since January 2023, over 10 000.",
		accounts: []accountEntry{{key: "main", name: "Företagarkonto", product: "Privatkonto", kind: "CACC", opening: 100_000_000, recipe: busy}}},
	{number: "198208149297", given: "Per", surname: "Holm",
		shows:    "Rows that look alike: two equal purchases a day, none with transactionId or entryReference.",
		accounts: []accountEntry{{key: "main", name: "Fikakonto", product: "Privatkonto", kind: "CACC", opening: 2_000_000, recipe: twins}}},
	{number: "199011062388", given: "Elsa", surname: "Dahl",
		shows: "Many account types: SVGS, LLSV, MOMA, SLRY, ODFT, LOAN and a card.",
		accounts: []accountEntry{
			{key: "slry", name: "Lönekonto", product: "Lönekonto", kind: "SLRY", opening: 812_000, recipe: everyday},
			{key: "odft", name: "Kontokredit", product: "Kontokredit", kind: "ODFT", opening: -125_000, limit: 3_000_000, recipe: light},
			{key: "svgs", name: "Sparkonto", product: "Sparkonto", kind: "SVGS", opening: 20_000_000, recipe: saving},
			{key: "llsv", name: "Fasträntekonto", product: "Fasträntekonto 1 år", kind: "LLSV", opening: 10_000_000},
			{key: "moma", name: "Placeringskonto", product: "Placeringskonto", kind: "MOMA", opening: 7_500_050},
			{key: "loan", name: "Bolån", product: "Bolån 3 mån", kind: "LOAN", opening: -185_000_000},
			{key: "card", name: "Kort", product: "Kreditkort", kind: "CARD", limit: 3_000_000, card: true, recipe: creditCard},
		}},
}
