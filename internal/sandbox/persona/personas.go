package persona

// personaSpec defines one persona.
type personaSpec struct {
	number, givenName, surname, description string
	accounts                                []accountSpec
	status                                  int
	uncached                                bool
}

// accountSpec defines one account of a persona. key identifies the account among the
// person's accounts and must not change: the account's id and number are computed
// from it.
type accountSpec struct {
	key, name, product, kind string
	currency                 string // empty: SEK
	status                   string // empty: enabled
	opening, limit           int64
	card, bbanOnly           bool
	sharedBy                 []string // personal numbers of the owners, main holder first
	fault                    int
	rules                    *ruleSet
	subAccounts              []subAccount
}

var (
	household = []string{"190905271474", "195704289999"}

	jointAccount = accountSpec{key: "joint", name: "Gemensamt konto", product: "Hushållskonto", kind: "CACC",
		opening: 1_500_000, sharedBy: household, rules: joint}

	smallAccounts = []accountSpec{{key: "main", name: "Lönekonto", product: "Lönekonto", kind: "CACC", opening: 250_000, rules: small}}
)

var personas = []personaSpec{
	{number: Default, givenName: "Maja", surname: "Lindqvist",
		description: "The everyday customer and the default: checking, savings and a credit card, transactions since January 2023.",
		accounts: []accountSpec{
			{key: "main", name: "Privatkonto", product: "Lönekonto", kind: "CACC", opening: 1_843_250, limit: 1_000_000, rules: everyday},
			{key: "save", name: "Sparkonto", product: "Sparkonto Plus", kind: "SVGS", opening: 8_500_000, rules: saving},
			{key: "card", name: "Mastercard", product: "Kreditkort Guld", kind: "CARD", limit: 5_000_000, card: true, rules: creditCard},
		}},
	{number: "190905271474", givenName: "Ester", surname: "Bergström",
		description: "Joint account with 195704289999 (both owners named), and savings of her own.",
		accounts: []accountSpec{jointAccount,
			{key: "save", name: "Buffert", product: "Sparkonto", kind: "SVGS", opening: 4_000_000, rules: saving}}},
	{number: "195704289999", givenName: "Sten", surname: "Bergström",
		description: "Sees the joint account of 190905271474, nothing else.",
		accounts:    []accountSpec{jointAccount}},
	{number: "200002292399", givenName: "Alva", surname: "Nyberg",
		description: "Other currencies: EUR, NOK, and a multi-currency account (XXX) with SEK, EUR and USD.",
		accounts: []accountSpec{
			{key: "eur", name: "Eurokonto", product: "Valutakonto", kind: "CACC", currency: "EUR", opening: 245_010, rules: foreign},
			{key: "nok", name: "Norgekonto", product: "Valutakonto", kind: "CACC", currency: "NOK", opening: 990_000, rules: foreign},
			{key: "multi", name: "Resekonto", product: "Multivaluta", kind: "CACC", currency: "XXX", subAccounts: []subAccount{
				{"SEK", 300_000, small}, {"EUR", 50_000, foreign}, {"USD", 12_345, nil}}},
		}},
	{number: "191212121212", givenName: "Tolvan", surname: "Tolvansson",
		description: "A customer without any account."},
	{number: "194408139089", givenName: "Gun", surname: "Öberg",
		description: "One account on which nothing ever happened, balance zero.",
		accounts:    []accountSpec{{key: "main", name: "Nytt konto", product: "Privatkonto", kind: "CACC"}}},
	{number: "199006022397", givenName: "Noa", surname: "Sandin",
		description: "An ordinary account, a blocked one and a deleted one.",
		accounts: []accountSpec{
			{key: "main", name: "Privatkonto", product: "Privatkonto", kind: "CACC", opening: 612_075, rules: small},
			{key: "blocked", name: "Spärrat konto", product: "Privatkonto", kind: "CACC", status: "blocked", opening: 10_000},
			{key: "deleted", name: "Avslutat konto", product: "Sparkonto", kind: "SVGS", status: "deleted"},
		}},
	{number: "199008672397", givenName: "Sam", surname: "Rivera",
		description: "Coordination number; an account without IBAN, and one without cashAccountType, whose kind only its product name shows.",
		accounts: []accountSpec{
			{key: "bban", name: "Konto", product: "Transaktionskonto", bbanOnly: true, opening: 150_000, rules: small},
			{key: "untyped", name: "Resan", product: "Sparkonto Ung", opening: 75_000, rules: saving},
		}},
	{number: "199312252399", givenName: "Ida", surname: "Falk",
		description: "Partly broken: transactions of the savings account answer 500, those of the card 503; the rest works.",
		accounts: []accountSpec{
			{key: "main", name: "Privatkonto", product: "Privatkonto", kind: "CACC", opening: 923_000, rules: everyday},
			{key: "save", name: "Sparkonto", product: "Sparkonto", kind: "SVGS", opening: 1_000_000, rules: saving, fault: internalError},
			{key: "card", name: "Visa", product: "Kreditkort", kind: "CARD", limit: 2_000_000, card: true, rules: creditCard, fault: unavailable},
		}},
	{number: "199501302393", givenName: "Leo", surname: "Hedman", status: internalError,
		description: "Everything broken: the consent works, every read of accounts answers 500.",
		accounts:    []accountSpec{{key: "main", name: "Privatkonto", product: "Privatkonto", kind: "CACC"}}},
	{number: "198611239883", givenName: "Tim", surname: "Ek",
		description: "One small checking account with about ten transactions: for load tests.",
		accounts:    smallAccounts},
	{number: "196603233724", givenName: "Birgitta", surname: "Sjögren",
		description: "A very long history: nine transactions a day since January 2023, over 10 000.",
		accounts:    []accountSpec{{key: "main", name: "Företagarkonto", product: "Privatkonto", kind: "CACC", opening: 100_000_000, rules: busy}}},
	{number: "198208149297", givenName: "Per", surname: "Holm",
		description: "Rows that look alike: two equal purchases a day, none with transactionId or entryReference.",
		accounts:    []accountSpec{{key: "main", name: "Fikakonto", product: "Privatkonto", kind: "CACC", opening: 2_000_000, rules: duplicates}}},
	{number: "199011062388", givenName: "Elsa", surname: "Dahl",
		description: "Many account types: SVGS, LLSV, MOMA, SLRY, ODFT, LOAN and a card.",
		accounts: []accountSpec{
			{key: "slry", name: "Lönekonto", product: "Lönekonto", kind: "SLRY", opening: 812_000, rules: everyday},
			{key: "odft", name: "Kontokredit", product: "Kontokredit", kind: "ODFT", opening: -125_000, limit: 3_000_000, rules: small},
			{key: "svgs", name: "Sparkonto", product: "Sparkonto", kind: "SVGS", opening: 20_000_000, rules: saving},
			{key: "llsv", name: "Fasträntekonto", product: "Fasträntekonto 1 år", kind: "LLSV", opening: 10_000_000},
			{key: "moma", name: "Placeringskonto", product: "Placeringskonto", kind: "MOMA", opening: 7_500_050},
			{key: "loan", name: "Bolån", product: "Bolån 3 mån", kind: "LOAN", opening: -185_000_000},
			{key: "card", name: "Kort", product: "Kreditkort", kind: "CARD", limit: 3_000_000, card: true, rules: creditCard},
		}},
}
