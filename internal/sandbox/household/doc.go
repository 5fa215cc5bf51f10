// Package household makes up Swedish financial households for the demo institutions of
// the sandbox: pensions, investment accounts, loans and savings accounts that belong to
// nobody. The specification is docs/reference/households.md.
//
// A household is a pure function of a personal number and a day. The same person has the
// same household each time, and a later day shows a longer history of the same household.
// Only the ids of the products are new each time; the caller makes them.
//
//	h, err := household.Of("199006022397", persona.DayOf(2026, time.November, 26))
//	for _, p := range h.Products {
//		item := p.JSON(household.Head{ID: newID(), Company: "se-demo", CompanyDisplayName: "Demo"})
//	}
//
// Contents chooses what of a household is shown; ContentsOf is the choice that the listed
// persons of docs/reference/api.md 8 have. A household takes a fraction of a millisecond,
// and nothing is kept between calls but the prices. testdata/worker.json shows one.
//
// # How a household is made
//
// Everything that a person does not have in common with others is a draw: a number from
// the hash of the personal number and the name of the draw (draw.go). A person has a
// career, a salary and a level of wealth (person.go), and from these follow the plans,
// accounts and loans. Each of them is a fold over dated events, from its first day to the
// day that is asked for: monthly premiums of a pension, deposits and purchases of an
// account, due days of a loan. Funds and shares have one price a day for everybody.
//
//	person.go, career.go       who the person is, by draws
//	market.go, instrument.go,  amounts of the years, the 28 funds and shares,
//	price.go                   and what they cost on a day
//	account.go, allocation.go, how an investment account is used, and
//	accountmonth.go, ledger.go what happens in it each month
//	plan.go and …plan.go       the rules of each pension
//	pension.go, …salary.go,    premiums, capital and payout by these rules
//	publicpension.go
//	mortgage.go, loan.go,      loans and savings
//	saving.go
//	json….go, identity.go      the products as JSON, names and numbers
//	maximum….go                the person who has everything
//
// # Arithmetic
//
// All numbers are integers (docs/reference/households.md 4.1): money in öre, fund units
// and prices in 1/10,000, rates in parts per million or in basis points. They become
// decimal text when they are written, and are never a float.
package household
