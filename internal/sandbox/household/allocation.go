package household

// weight is a fund and its share of what is bought, in percent.
type weight struct {
	number number
	weight int64
}

// allocations are the lists of funds by the age at which the saving starts
// (docs/reference/households.md 4.5).
var allocations = []struct {
	below int // age
	lists [][]weight
}{
	{30, [][]weight{{{1, 70}, {2, 30}}, {{1, 60}, {3, 20}, {6, 20}}, {{13, 50}, {14, 30}, {15, 20}}, {{5, 40}, {1, 60}}}},
	{50, [][]weight{{{1, 60}, {2, 20}, {7, 20}}, {{13, 40}, {5, 40}, {8, 20}}, {{10, 50}, {1, 50}}, {{1, 50}, {6, 30}, {3, 20}}}},
	{maxAge, [][]weight{{{7, 50}, {4, 50}}, {{1, 40}, {8, 30}, {4, 30}}, {{9, 60}, {16, 40}}}},
}

// maxAge is above every age.
const maxAge = 10_000

// fundsOf returns the funds of an account that starts at an age.
func fundsOf(draw, startAge int) []weight {
	for _, a := range allocations {
		if startAge < a.below {
			return a.lists[draw%len(a.lists)]
		}
	}
	panic("household: the last row of allocations has no limit")
}

// sharesOf returns the shares and ETFs that an account buys, or none.
func (p *person) sharesOf(kind accountKind) []number {
	if kind != custodyAccount && p.percent("eq/"+string(kind)) >= 35 {
		return nil
	}
	count := p.between("neq/"+string(kind), 1, 4, 1)
	first := p.between("eq0/"+string(kind), 0, 7, 1)
	list := make([]number, 0, count+1)
	for j := range count {
		list = append(list, number(21+(first+3*j)%8))
	}
	if p.percent("etf/"+string(kind)) < 40 {
		list = append(list, number(17+p.percent("whichetf/"+string(kind))%4))
	}
	return list
}
