package words

import (
	"strconv"
	"strings"
	"time"
)

var months = map[Language][12]string{
	Swedish:   {"januari", "februari", "mars", "april", "maj", "juni", "juli", "augusti", "september", "oktober", "november", "december"},
	English:   {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
	Norwegian: {"januar", "februar", "mars", "april", "mai", "juni", "juli", "august", "september", "oktober", "november", "desember"},
	Danish:    {"januar", "februar", "marts", "april", "maj", "juni", "juli", "august", "september", "oktober", "november", "december"},
	Finnish: {"tammikuuta", "helmikuuta", "maaliskuuta", "huhtikuuta", "toukokuuta", "kesäkuuta", "heinäkuuta", "elokuuta", "syyskuuta", "lokakuuta",
		"marraskuuta", "joulukuuta"},
}

// Date returns a date as the language writes it, with the year: "25 maj 2027". The time
// must be in the zone of the person.
func (t *Texts) Date(at time.Time) string {
	return t.DayMonth(at) + " " + strconv.Itoa(at.Year())
}

// DayMonth returns a date without the year: "25 maj".
func (t *Texts) DayMonth(at time.Time) string {
	dot := ""
	if t.Language == Norwegian || t.Language == Danish || t.Language == Finnish {
		dot = "."
	}
	return strconv.Itoa(at.Day()) + dot + " " + months[t.Language][at.Month()-1]
}

// Clock returns a time of day as the language writes it: "14.02", "14:02". The time must be
// in the zone of the person.
func (t *Texts) Clock(at time.Time) string {
	if t.Language == English || t.Language == Norwegian {
		return at.Format("15:04")
	}
	return at.Format("15.04")
}

// space keeps the groups of a number on one line.
const space = "\u00a0"

// Number returns a whole number with the language's separator of thousands, which four
// digits do not have but in English: "1234", "12 345", "1,234".
func (t *Texts) Number(n int) string {
	digits := strconv.Itoa(n)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	separator, least := space, 5
	switch t.Language {
	case English:
		separator, least = ",", 4
	case Danish:
		separator = "."
	case Swedish, Norwegian, Finnish:
	}
	if len(digits) < least {
		return sign + digits
	}
	var b strings.Builder
	b.WriteString(sign)
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteString(separator)
		}
		b.WriteRune(d)
	}
	return b.String()
}

// ZoneName returns what people call a time zone (IANA): "Stockholm" of "Europe/Stockholm".
func ZoneName(zone *time.Location) string {
	name := zone.String()
	return strings.ReplaceAll(name[strings.LastIndexByte(name, '/')+1:], "_", " ")
}

// Bytes returns a size as the language writes it, in powers of ten: "12 kB", "1.2 MB",
// "1,2 MB".
func (t *Texts) Bytes(n int) string {
	const kilo = 1000
	if n < kilo*kilo {
		return strconv.Itoa(max(1, (n+kilo/2)/kilo)) + space + "kB"
	}
	tenths := (n + kilo*kilo/20) / (kilo * kilo / 10)
	point := ","
	if t.Language == English {
		point = "."
	}
	return t.Number(tenths/10) + point + strconv.Itoa(tenths%10) + space + "MB"
}
