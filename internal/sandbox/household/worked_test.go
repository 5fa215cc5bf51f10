package household

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// The worked examples of docs/reference/households.md 5, on 2026-11-26.
var worked = []struct {
	number string
	age    int
	salary int64
	public string
	want   string
}{
	{"200002292399", 26, 0, "", `
		ISK 92718.89 cash 754.54 deposits 101280 withdrawn 52499.82
		holds 1 64.2115 32645.45 25715.6
		holds 3 82.2385 28585.23 16827.16
		holds 6 79.9678 30733.67 20945.76
		savings 83583.28 0.0095`},
	{"199501302393", 31, 49_200, "", `
		Granskugga Liv ITP1 Traditionell 89037.29 75699 390 66+0
		Älvglimt Pension ITP1 Fond 103187.63 75699 452 66+0
		linked 61690.54
		linked 41497.09
		ISK 500209.09 cash 3303.59 deposits 347820 withdrawn 0
		CUSTODY_ACCOUNT 685122.9 cash 6072.42 deposits 378660 withdrawn 0
		unsecured 175000 43744 0.1305 on 2026-11-28 7292 + 475.72, 6 to 2027-04-28 0
		savings 72389.57 0.014`},
	{"199006022397", 36, 35_700, "38686 + 8755", `
		Tjärblom Avtalspension SAF-LO Traditionell 214667.55 165177 1192 65+15
		fees 65 0.0017 384.71
		ISK 19496.66 cash 201.9 deposits 17120 withdrawn 2399.9
		mortgage0 1245000 1074850 0.0265 on 2026-11-28 2075 + 2373.63, 518 to 2069-12-28 0
		bound THREE_MONTHS 0.0345 - 0.008 to 2026-12-07
		mortgage1 835000 720938 0.0265 on 2026-11-28 1391 + 1592.07, 518 to 2069-12-28 0
		bound ONE_YEAR 0.036 - 0.0095 to 2026-12-07
		unsecured 150000 51250 0.093 on 2026-12-26 1250 + 397.19, 41 to 2030-04-26 0
		savings 52286.37 0.0185`},
	{"198412099296", 41, 35_000, "", `
		Asplöva Pension AKAP-KR Fond 625145.03 269862 2894 67+0
		linked 421563.48
		linked 203581.55
		Ripvinge Privat Pension 115155.88 62800 639 65+15
		ISK 301165.56 cash 1704.98 deposits 220250 withdrawn 45899.87
		mortgage0 1245000 1010525 0.032 on 2026-12-26 2075 + 2694.73, 487 to 2067-06-26 0
		bound THREE_YEARS 0.0375 - 0.0055 to 2029-06-26
		mortgage1 835000 677817 0.0305 on 2026-12-26 1391 + 1722.78, 487 to 2067-06-26 0
		savings 19794.33 0.019`},
	{"199011062388", 36, 36_700, "", `
		Myrullen Valbar 175968.77 97235 814 67+0
		Myrullen Tjänste 102794.49 77788 856 67+10
		Myrullen Flex 77095.64 58341 356 67+0
		ISK 385429.22 cash 1605.67 deposits 257040 withdrawn 67199.82
		mortgage0 780000 758550 0.0305 on 2026-12-25 650 + 1927.98, 567 to 2074-02-25 390000
		savings 146919.79 0.0135
		fixed 250000 0.021 2026-10-08 2027-04-08 704.79`},
	{"196603233724", 60, 76_500, "192856 + 45491", `
		Granskugga Liv ITP2 21056 a month 65+0
		Älvglimt Pension ITPK Fond 890346.16 333270 3709 65+0
		Ripvinge Privat Pension 416633.84 181800 3471 65+10
		Norrglim IPS 366813.65 67800 3056 65+10
		ISK 706420.07 cash 15001.56 deposits 645400 withdrawn 0
		KF 5629762.53 cash 21528.63 deposits 2655720 withdrawn 0
		fees and taxes 5 in 12 months
		mortgage0 3020000 2436172 0.027 on 2026-11-27 5033 + 5481.39, 484
		mortgage1 2020000 1629544 0.026 on 2026-11-27
		savings 126193.09 0.0155
		fixed 425000 0.0215`},
	{"198611239883", 40, 53_500, "", `
		Ripvinge Depåförsäkring Tjänstepension 802706.03 481464 13378 65+5
		fees 240 0.005 3827.43
		KF 1042866 cash 3865.52 deposits 431100 withdrawn 0
		savings 126943.44 0.0195`},
	{"195704289999", 69, 30_000, "70075 + 17042", `
		Asplöva Pension KAP-KL Traditionell 444617.75 254250 paid out 2099 since 2024-05-01
		ISK 133944.48 cash 721.35 deposits 107100 withdrawn 8472.73
		mortgage0 785000 785000 0.0325 on 2026-12-26 0 + 2126.04, 473 to 2066-04-26 785000
		bound FIVE_YEARS 0.0395 - 0.007 to 2031-04-20
		savings 69158.91 0.0095`},
}

func TestHousehold_IsThatOfTheWorkedExamples(t *testing.T) {
	on := date(2026, 11, 26)
	for _, c := range worked {
		p, err := newPerson(c.number)
		if err != nil {
			t.Fatal(err)
		}
		if age, salary := p.age(on), p.salaryIn(2026); age != c.age || c.salary > 0 && salary != c.salary {
			t.Errorf("%s: age %d, salary %d", c.number, age, salary)
		}
		if s := p.publicPension(on); c.public != "" && fmt.Sprintf("%d + %d", s.income/sek, s.premium/sek) != c.public {
			t.Errorf("%s: public pension %+v", c.number, s)
		}
		got := p.figures(on)
		for line := range strings.Lines(strings.TrimSpace(c.want)) {
			line = strings.TrimSpace(line)
			if !slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, line) }) {
				t.Errorf("%s: no %q in\n%s", c.number, line, strings.Join(got, "\n"))
			}
		}
	}
}

// What the worked examples do not have is not there.
func TestHousehold_HasNothingBesidesTheWorkedExamples(t *testing.T) {
	on := date(2026, 11, 26)
	for _, c := range worked {
		p, _ := newPerson(c.number)
		for _, line := range p.figures(on) {
			name, _, _ := strings.Cut(line, " ")
			if slices.Contains([]string{"mortgage0", "mortgage1", "unsecured", "fixed"}, name) && !strings.Contains(c.want, name) {
				t.Errorf("%s: also %s", c.number, line)
			}
		}
	}
}

// figures returns a line for each product, and for some of its parts.
func (p *person) figures(on Day) (lines []string) {
	add := func(format string, values ...any) { lines = append(lines, fmt.Sprintf(format, values...)) }
	kr := func(o ore) string { return string(decimal(int64(o), 2)) }
	for _, of := range p.plans() {
		s := p.pension(of, on)
		switch {
		case s == nil:
		case s.finalDue:
			add("%s %s a month %d+%d", s.name, kr(s.payment), s.payoutAge, s.years)
		case s.payoutActive:
			add("%s %s %s paid out %s since %s", s.name, kr(s.value(on)), kr(s.paid), kr(s.payment), dateJSON(s.payoutStart))
		default:
			add("%s %s %s %s %d+%d", s.name, kr(s.value(on)), kr(s.paid), kr(s.perMonth(s.value(on))), s.payoutAge, s.years)
			add("fees %s %s %s", kr(s.fixedFee), perMillion(s.fee), kr(s.fixedFee+s.lastYear.share(s.fee, million)))
			for i, units := range s.units {
				add("linked %s", kr(valueOf(units, price(s.funds[i].number, on))))
			}
		}
	}
	for _, k := range accountKinds {
		a := p.newAccount(k.kind, k.since)
		if !p.has(k.kind) && !ContentsOf(string(p.draws)).parts().has(k.kind) {
			continue
		}
		a.fold(on, yearBefore(on))
		add("%s %s cash %s deposits %s withdrawn %s", a.kind, kr(a.value(on)), kr(a.cash), kr(a.deposits), kr(a.withdrawals))
		for i, position := range a.positions {
			if position.units == 0 {
				continue
			}
			add("holds %d %s %s %s", i+1, position.units.decimal(), kr(valueOf(position.units, price(number(i+1), on))), kr(position.acquired))
		}
		count := 0
		for _, t := range a.kept {
			if t.kind == fee || t.kind == other {
				count++
			}
		}
		add("fees and taxes %d in 12 months", count)
	}
	return append(lines, p.debtsAndSavings(on)...)
}

func (p *person) debtsAndSavings(on Day) (lines []string) {
	add := func(format string, values ...any) { lines = append(lines, fmt.Sprintf(format, values...)) }
	kr := func(o ore) string { return string(decimal(int64(o), 2)) }
	loans := p.mortgages(on)
	if l, ok := p.unsecured(on); ok {
		loans = append(loans, l)
	}
	for _, l := range loans {
		balance := l.balance(on)
		s := l.schedule(on)
		add("%s %s %s %s on %s %s + %s, %d to %s %s", l.label, kr(l.granted), kr(balance), ratioOf(l.rate), dateJSON(l.nextDue(on).day(l.dueDay)),
			kr(l.instalment), kr(balance.share(l.rate, 12*basisPoints)), s.instalments, dateJSON(s.last), kr(s.finalDebt))
		if m := l.mortgage; m != nil {
			add("bound %s %s - %s to %s", m.binding.name, ratioOf(m.list), ratioOf(m.discount), dateJSON(m.periodEnd))
		}
	}
	if s, ok := p.savings(on, on); ok {
		add("savings %s %s", kr(s.cash), ratioOf(s.rate))
	}
	if f, ok := p.fixed(on); ok {
		add("fixed %s %s %s %s %s", kr(f.amount), ratioOf(f.rate), dateJSON(f.start), dateJSON(f.end), kr(f.accrued))
	}
	return lines
}
