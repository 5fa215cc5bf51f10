package household

// career is what a person works as, and what follows from it (docs/reference/households.md
// 4.2, 4.4 and 4.5). A retired person keeps the plans of the career.
type career int

const (
	office career = iota
	worker
	municipal
	state
	executive
	owner
)

// The ranges and chances of the careers, in the order of the constants.
var careers = [...]struct {
	salary        [2]int64 // SEK a month at the level of 2026
	monthlySaving [2]int64 // SEK
	isk           int      // chance of having the account, percent
	kf            int
	custody       int
}{
	office:    {[2]int64{34_000, 62_000}, [2]int64{500, 4_000}, 75, 10, 20},
	worker:    {[2]int64{27_500, 36_500}, [2]int64{300, 1_500}, 45, 5, 10},
	municipal: {[2]int64{29_000, 46_000}, [2]int64{500, 2_500}, 60, 12, 12},
	state:     {[2]int64{34_000, 56_000}, [2]int64{500, 2_500}, 60, 12, 15},
	executive: {[2]int64{46_000, 98_000}, [2]int64{1_000, 6_000}, 75, 50, 45},
	owner:     {[2]int64{25_000, 60_000}, [2]int64{1_000, 5_000}, 40, 70, 55},
}

// pinned are persons whose career, age at the start of work and wealth are not drawn
// (docs/reference/households.md 4.2).
var pinned = map[draws]struct {
	career   career
	startAge int
	wealth   int64
}{
	"200002292399": {office, 28, 70},
	"199501302393": {office, 24, 140},
	"199312252399": {office, 24, 140},
	"199006022397": {worker, 22, 70},
	"198412099296": {municipal, 23, 70},
	"199011062388": {state, 24, 140},
	"196603233724": {executive, 24, 260},
	"198611239883": {owner, 24, 140},
	"195704289999": {municipal, 22, 140},
}

// wealthSteps are the levels of wealth in percent, each for the draws below a limit.
var wealthSteps = []struct {
	below  int
	wealth int64
}{{20, 10}, {40, 30}, {60, 70}, {80, 140}, {90, 260}, {98, 500}, {99, 1_500}, {100, 5_000}}
