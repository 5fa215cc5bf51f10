package household

import (
	"fmt"
	"strconv"
	"strings"
)

// The names of docs/reference/households.md 3.3. Nobody has these surnames.
var (
	womensNames = []string{"Alva", "Ebba", "Elsa", "Greta", "Karin", "Maja", "Signe", "Vera"}
	mensNames   = []string{"Arvid", "Edvin", "Gustav", "Hugo", "Karl", "Nils", "Sixten", "Viggo"}
	surnames    = []string{
		"Ekorrströmberg", "Kottmarksson", "Tallbarrsén", "Snöbrynge", "Blåbärshammar",
		"Grankvistling", "Bäversköld",
	}
)

func (p *person) firstName() string {
	list := womensNames
	if (p.draws[10]-'0')%2 == 1 {
		list = mensNames
	}
	return list[p.key("firstname")%uint64(len(list))]
}

func (p *person) lastName() string { return surnames[p.key("lastname")%uint64(len(surnames))] }

func (p *person) name() string { return p.firstName() + " " + p.lastName() }

// partner returns the name of the person who owns the home too.
func (p *person) partner() string {
	key := p.key("partner")
	list := [][]string{womensNames, mensNames}[key%2]
	return list[key/2%8] + " " + surnames[key/16%uint64(len(surnames))]
}

// home returns what a mortgage is drawn on: a flat, or with a large loan perhaps a house.
func (p *person) home(granted ore) string {
	key := p.key("home")
	if granted >= 1_600_000*sek && p.percent("house") < 50 {
		return fmt.Sprintf("KOTTMARKEN TROLLKOTTEN %d:%d", 2+key%8, 1+key/8%98)
	}
	return "BRF TROLLKOTTEN " + strconv.FormatUint(1+key%98, 10)
}

func (p *person) personalInformation() *personalInformationJSON {
	j := &personalInformationJSON{
		PersonalNumber: string(p.draws), FirstName: p.firstName(), LastName: p.lastName(), Name: p.name(),
	}
	if p.full { // RFC 2606, and a number that is kept for fiction
		j.Email = strings.ToLower(p.firstName()) + "@example.com"
		j.PhoneNumber = fmt.Sprintf("070-17406%02d", 5+p.key("phone")%95)
		j.StreetAddress = fmt.Sprintf("Trollkottsstigen %d", 1+p.key("street")%98)
		j.PostalCode, j.City, j.Country = "999 99", "Kottmarken", "SE"
	}
	return j
}

func (p *person) holder() *holderJSON { return &holderJSON{p.name()} }

// thin reports whether a product shows less than others: members that an institution may
// leave out (docs/reference/households.md 6).
func (p *person) thin(number string) bool { return !p.full && p.percent("thin/"+number) < 15 }

func (p *person) number(label, prefix string, digits int, limit uint64) string {
	return fmt.Sprintf("%s%0*d", prefix, digits, p.key("number/"+label)%limit)
}

func (p *person) insuranceNumber(label string) string { return p.number(label, "", 8, 1e8) }
func (p *person) accountNumber(label string) string   { return p.number(label, "9990", 7, 1e7) }
func (p *person) loanNumber(label string) string      { return p.number(label, "0000", 8, 1e8) }

// iban returns an account number of a bank that does not exist: 999 is nobody's.
func (p *person) iban(label string) string {
	account := p.number("iban/"+label, "999", 17, 1e17)
	remainder := 0
	for _, c := range account + "281400" { // SE00 in digits, at the end: ISO 13616
		remainder = (remainder*10 + int(c-'0')) % 97
	}
	return fmt.Sprintf("SE%02d%s", 98-remainder, account)
}
