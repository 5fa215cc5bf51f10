package household

import (
	"errors"
	"strconv"
)

// ErrPersonalNumber means that a personal number is not twelve digits.
var ErrPersonalNumber = errors.New("household: a personal number is not twelve digits")

// retirementAge is when saving ends and withdrawing begins.
const retirementAge = 67

// person is who a household belongs to (docs/reference/households.md 4.2).
type person struct {
	draws
	birth  birth
	career career
	work   Day   // first day of work
	salary int64 // SEK a month at the level of 2026
	wealth int64 // percent
	full   bool  // the products have all members: the maximum person
}

func newPerson(personalNumber string) (*person, error) {
	if len(personalNumber) != 12 {
		return nil, ErrPersonalNumber
	}
	for _, c := range []byte(personalNumber) {
		if c < '0' || c > '9' {
			return nil, ErrPersonalNumber
		}
	}
	p := &person{draws: draws(personalNumber), birth: birthOf(personalNumber)}
	if pin, ok := pinned[p.draws]; ok {
		p.career, p.work, p.wealth = pin.career, p.after(pin.startAge), pin.wealth
	} else {
		p.career = p.drawCareer()
		p.work = p.after(int(p.between("start", 20, 26, 1)))
		p.wealth = p.drawWealth()
	}
	salary := careers[p.career].salary
	p.salary = p.between("salary", salary[0], salary[1], 500)
	return p, nil
}

func (p *person) drawCareer() career {
	salaried := office
	if p.birth.year < 1979 {
		salaried = executive
	}
	return career(p.oneOf("career", choice{int(salaried), 35}, choice{int(worker), 28},
		choice{int(municipal), 22}, choice{int(state), 8}, choice{int(owner), 7}))
}

func (p *person) drawWealth() int64 {
	at := p.percent("wealth")
	for _, step := range wealthSteps {
		if at < step.below {
			return step.wealth
		}
	}
	panic("household: the last step of wealth is below 100")
}

// salaryIn returns the monthly salary of a year in whole hundreds of SEK. It grows with
// the income base amount and, until the age of 37, with experience.
func (p *person) salaryIn(year int) int64 {
	experience := min(100, 70+2*int64(max(0, year-p.birth.year-22)))
	return floorTo(p.salary*incomeBase.at(year)*experience/(incomeBase.at(2026)*100), 100)
}

// birth is a date of birth that exists.
type birth struct{ year, month, day int }

// birthOf reads the date of birth from twelve digits, and mends what is no date
// (docs/reference/households.md 4.1).
func birthOf(digits string) birth {
	number := func(from, to int) int {
		n, _ := strconv.Atoi(digits[from:to]) // the caller has checked the digits
		return n
	}
	b := birth{min(number(0, 4), lastYear), number(4, 6), number(6, 8)}
	switch {
	case b.month == 0:
		b.month = 7
	case b.month > 12:
		b.month = 12
	}
	if b.day > 60 { // a coordination number
		b.day -= 60
	}
	b.day = min(max(b.day, 1), daysIn(b.year, b.month))
	return b
}

// age returns the age in years on a day. A birthday on 29 February is on the 28th in
// other years.
func (b birth) age(on Day) int {
	year, month, day := on.Time().Date()
	age := year - b.year
	birthday := min(b.day, daysIn(year, b.month))
	if int(month) < b.month || int(month) == b.month && day < birthday {
		age--
	}
	return age
}

// age returns the person's age on a day.
func (p *person) age(on Day) int { return p.birth.age(on) }

// after returns the first day of the month after a birthday.
func (p *person) after(age int) Day { return date(p.birth.year+age, p.birth.month+1, 1) }
