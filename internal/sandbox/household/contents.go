package household

import "slices"

// Contents chooses what of a person's household is shown.
type Contents int

// The contents that the rows of docs/reference/api.md 8 need.
const (
	Everything              Contents = iota
	Nothing                          // no product at all
	WithoutLoans                     // everything but mortgages and unsecured loans
	OnlyISK                          // one ISK
	OnlyCustodyAccount               // one custody account
	OnlyKF                           // one KF
	ThreeAccounts                    // an ISK, a custody account and a KF
	PensionsAndInvestments           // no loans and no savings accounts
	TwoOccupationalPensions          // two of OCCUPATIONAL_PENSION: one movable, one not
	MinimumOfEach                    // one of each type, with the members of the head only
	TwoOfEach                        // two of each type: one with all members, one of MinimumOfEach
)

// contentsOf is docs/reference/households.md 4.2 and docs/reference/api.md 8. The persons
// whose collection fails have no products.
var contentsOf = map[string]Contents{
	"200002010000": Nothing,
	"200002020000": Nothing,
	"200002030000": Nothing,
	"200002040000": Nothing,
	"200002060000": Nothing,
	"200001010000": Nothing,
	"199007011000": Nothing,
	"200002050000": WithoutLoans,
	"200001020000": TwoOfEach,
	"200001030000": MinimumOfEach,
	"199312252399": OnlyISK,
	"199501302393": OnlyCustodyAccount,
	"198611239883": OnlyKF,
	"196603233724": ThreeAccounts,
	"198208149297": TwoOccupationalPensions,
	"199011062388": PensionsAndInvestments,
	"198412099296": PensionsAndInvestments,
}

// ContentsOf returns the contents that the demo company shows of a person
// (docs/reference/api.md 8). They are Everything for a number that is not listed, and
// Nothing for a person whose collection fails or is empty.
func ContentsOf(personalNumber string) Contents { return contentsOf[personalNumber] }

// parts are the parts of a household that contents show.
type parts struct {
	pensions, accounts, loans, savings bool
	named                              []accountKind // also if the person would not have them
}

func (p parts) has(kind accountKind) bool { return slices.Contains(p.named, kind) }

func (c Contents) parts() parts {
	switch c {
	case Everything:
		return parts{pensions: true, accounts: true, loans: true, savings: true}
	case WithoutLoans:
		return parts{pensions: true, accounts: true, savings: true}
	case PensionsAndInvestments:
		return parts{pensions: true, accounts: true}
	case OnlyISK:
		return parts{named: []accountKind{isk}}
	case OnlyCustodyAccount:
		return parts{named: []accountKind{custodyAccount}}
	case OnlyKF:
		return parts{named: []accountKind{kf}}
	case ThreeAccounts:
		return parts{named: []accountKind{isk, custodyAccount, kf}}
	}
	return parts{}
}
